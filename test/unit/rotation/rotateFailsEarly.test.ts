import { describe, expect, test } from 'vitest';
import { failure } from './world/fakeVault.ts';
import { due, expectHealthy, mustRotate, passToDue, REFRESH_TOKEN, seeded } from './world/scenario.ts';

describe('what fails before the grant', () => {
  test('a vault that refuses to be read: a failure with backoff, and nothing is written to it', async () => {
    const scenario = await due();
    const { world, connection, process } = scenario;
    world.before(`get ${REFRESH_TOKEN}`, () => Promise.reject(failure('vault_forbidden')), 2);
    const problem = { code: 'vault_forbidden' } as const;
    expect(await process.rotate(connection)).toMatchObject({
      result: 'retrying',
      problem,
      retryAfterMs: 10_000,
    });
    expect(await process.rotate(connection)).toMatchObject({
      result: 'retrying',
      reason: 'retrying',
      problem,
    });
    expect(world.count(/^(put|tag|grant)/)).toBe(0);
    await passToDue(scenario);
    expect(await process.rotate(connection)).toMatchObject({ result: 'retrying', retryAfterMs: 20_000 });
    await passToDue(scenario);
    await mustRotate(scenario);
    expectHealthy(scenario);
  });

  test('the time that a vault asks for is given', async () => {
    const { world, connection, process } = await due();
    world.before(`get ${REFRESH_TOKEN}`, () => Promise.reject(failure('vault_throttled', 45_000)));
    expect(await process.rotate(connection)).toMatchObject({ result: 'retrying', retryAfterMs: 45_000 });
  });

  test('a seed that cannot be adopted is not spent', async () => {
    const scenario = seeded();
    const { world, connection, process } = scenario;
    world.before(`put ${REFRESH_TOKEN}`, () => Promise.reject(failure('vault_forbidden')));
    expect(await process.rotate(connection)).toMatchObject({
      result: 'retrying',
      problem: { code: 'vault_forbidden' },
    });
    expect(world.provider.sent).toEqual([]);
    await passToDue(scenario);
    await mustRotate(scenario);
    expectHealthy(scenario);
  });

  test.each(['before', 'after'] as const)(
    'an intent that fails %s it was tagged: nothing is sent',
    async (when) => {
      const scenario = await due();
      const { world, connection, process } = scenario;
      world[when](`tag ${REFRESH_TOKEN}`, () => Promise.reject(failure('vault_unavailable')));
      expect(await process.rotate(connection)).toMatchObject({
        result: 'retrying',
        problem: { code: 'vault_unavailable' },
      });
      expect(world.record('crm').phase).toEqual({ state: 'idle' });
      expect(world.provider.sent).toHaveLength(1);
      await passToDue(scenario);
      await mustRotate(scenario);
      expectHealthy(scenario);
    },
  );

  test.each(['before', 'after'] as const)(
    'an intent that fails %s it was recorded: nothing is sent',
    async (when) => {
      const scenario = await due();
      const { world, connection, process } = scenario;
      world[when]('write crm', () => Promise.reject(failure('storage_unavailable')));
      expect(await process.rotate(connection)).toMatchObject({
        result: 'retrying',
        problem: { code: 'storage_unavailable' },
      });
      expect(world.record('crm').phase).toEqual({ state: 'idle' });
      expect(world.provider.sent).toHaveLength(1);
      await passToDue(scenario);
      await mustRotate(scenario);
      expectHealthy(scenario);
    },
  );

  test('client credentials that vanish after the intent: nothing is sent, and the intent is taken back', async () => {
    const scenario = await due();
    const { world, connection, process } = scenario;
    world.after(`tag ${REFRESH_TOKEN}`, () => process.state.credentials.clear());
    world.before('get crm-client-secret', () => Promise.reject(failure('vault_forbidden')));
    expect(await process.rotate(connection)).toMatchObject({ problem: { code: 'vault_forbidden' } });
    expect(world.record('crm').phase).toEqual({ state: 'idle' });
    expect(world.provider.sent).toHaveLength(1);
    await passToDue(scenario);
    await mustRotate(scenario);
    expectHealthy(scenario);
  });

  test('storage that does not answer: nothing is done', async () => {
    const { world, connection, process } = await due();
    world.before('lease crm', () => Promise.reject(failure('storage_unavailable')));
    expect(await process.rotate(connection)).toMatchObject({
      result: 'retrying',
      problem: { code: 'storage_unavailable' },
    });
    expect(world.operations).toEqual(['lease crm']);
    expect(world.events('record_not_written')).toHaveLength(1);
  });

  test('storage that takes no record: the failure is told all the same', async () => {
    const { world, connection, process } = await due();
    world.before('write crm', () => Promise.reject(failure('storage_forbidden')), 9);
    expect(await process.rotate(connection)).toMatchObject({
      result: 'retrying',
      problem: { code: 'storage_forbidden' },
    });
    expect(world.provider.sent).toHaveLength(1);
  });

  test('a record that vanishes twice', async () => {
    const { world, connection, process } = seeded();
    world.after('create crm', () => world.records.lose('crm'), 2);
    expect(await process.rotate(connection)).toMatchObject({
      result: 'retrying',
      problem: { code: 'storage_unavailable' },
    });
  });

  test('a defect of ours is recorded without its text', async () => {
    const { world, connection, process } = await due();
    world.before(`get ${REFRESH_TOKEN}`, () => Promise.reject(new TypeError('refresh-token-1')));
    const problem = { code: 'internal_error', message: 'An unexpected TypeError was thrown.' } as const;
    expect(await process.rotate(connection)).toMatchObject({ result: 'retrying', problem });
  });
});
