import { describe, expect, test } from 'vitest';
import { failure } from './world/fakeVault.ts';
import { due, expectHealthy, mustRotate, passToDue, REFRESH_TOKEN, seeded } from './world/scenario.ts';

/** The vault loses the last save, and the published access token runs out. */
async function afterLostSave(refreshTokenGraceMs: number) {
  const scenario = await due({ behavior: { refreshTokenGraceMs } });
  const { world } = scenario;
  const before = world.now();
  await mustRotate(scenario);
  world.credentials.failOver(before);
  await passToDue(scenario);
  return scenario;
}

describe('a vault that has failed over to its paired region', () => {
  test('is read-only: nothing is sent until it accepts the announcement', async () => {
    const scenario = await due({ behavior: { refreshTokenGraceMs: 0 } });
    const { world, connection, process } = scenario;
    const sent = world.provider.sent.length;
    const refuse = () => Promise.reject(failure('vault_forbidden'));
    const always = Number.POSITIVE_INFINITY;
    world.before(/^(put|tag|disable) crm-refresh-token/, refuse, always);
    expect(await process.rotate(connection)).toMatchObject({ problem: { code: 'vault_forbidden' } });
    expect(world.provider.sent).toHaveLength(sent);
    expect(world.record('crm').phase).toEqual({ state: 'idle' });
  });

  test('and lost the last save: the family of a single-use token is lost, and the operator must sign in again', async () => {
    const { world, connection, process } = await afterLostSave(0);
    expect(await process.rotate(connection)).toMatchObject({
      result: 'blocked',
      problem: { code: 'reauthorization_required' },
    });
    expect(world.leaks()).toEqual([]);
  });

  test.each([
    ['reusable', Number.POSITIVE_INFINITY],
    ['still usable, because of its grace period', 7_200_000],
  ])(
    'and lost the last save: the refresh token before it is %s, and the rotation continues with it',
    async (_, grace) => {
      const scenario = await afterLostSave(grace);
      await mustRotate(scenario);
      const { world } = scenario;
      expect(world.record('crm').version).toBe(world.credentials.latest(REFRESH_TOKEN)?.version);
    },
  );

  test("and lost our copy of an operator's token: what was obtained with it is saved later, and used", async () => {
    const scenario = seeded();
    const { world, connection, process } = scenario;
    await world.clock.pass(5_000);
    const before = world.now();
    let isReadOnly = false;
    world.after(/^grant/, () => {
      isReadOnly = true;
      world.credentials.failOver(before);
    });
    const refuse = () => {
      if (isReadOnly) throw failure('vault_forbidden');
    };
    world.before(/^(put|tag|disable) crm-refresh-token/, refuse, Number.POSITIVE_INFINITY);
    world.before('renew crm', () => Promise.reject(failure('storage_unavailable')), Number.POSITIVE_INFINITY);
    void process.start(connection);
    await world.clock.pass(130_000);
    const next = world.process();
    expect(await next.rotate(connection)).toMatchObject({ problem: { code: 'vault_forbidden' } });
    isReadOnly = false;
    await world.clock.pass(20_000);
    await passToDue(scenario);
    await mustRotate({ connection, process: next });
    expect(new Set(world.provider.sent).size).toBe(2);
    expectHealthy(scenario);
  });

  test('and seems to have lost the last save: nothing is sent in the first minute, because the save may reappear', async () => {
    const scenario = await due({ behavior: { refreshTokenGraceMs: 0 } });
    const { world, connection, process } = scenario;
    const before = world.now();
    await mustRotate(scenario);
    const sent = world.provider.sent.length;
    world.credentials.failOver(before);
    await world.clock.pass(10_000);
    expect(await process.rotate(connection, true)).toMatchObject({ problem: { code: 'vault_unavailable' } });
    expect(world.provider.sent).toHaveLength(sent);
  });
});
