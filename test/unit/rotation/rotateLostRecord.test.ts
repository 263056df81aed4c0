import { describe, expect, test } from 'vitest';
import { readIntent, readOrigin, savedTags, withIntent } from '../../../lib/rotation/core/tags.ts';
import { STORE } from './world/connection.ts';
import { failure } from './world/fakeVault.ts';
import {
  ACCESS_TOKEN,
  due,
  expectHealthy,
  mustRotate,
  passToDue,
  REFRESH_TOKEN,
  replaceByHand,
  seeded,
} from './world/scenario.ts';

describe('a lost record', () => {
  test('is made again from the vault, and the chain goes on', async () => {
    const scenario = await due();
    scenario.world.records.lose('crm');
    expect(await mustRotate(scenario)).toMatchObject({ generation: 2 });
    expectHealthy(scenario);
  });

  test('twice, with a new seed in between', async () => {
    const scenario = await due();
    const { world } = scenario;
    for (let round = 0; round < 3; round++) {
      await mustRotate(scenario);
      await passToDue(scenario);
    }
    world.records.lose('crm');
    replaceByHand(scenario);
    await mustRotate(scenario);
    await passToDue(scenario);
    world.records.lose('crm');
    await mustRotate(scenario);
    expectHealthy(scenario);
  });

  test('and a grant that was lost after it: the access token in use is remembered from its vault, and spared', async () => {
    const scenario = await due();
    const { world, connection, process } = scenario;
    world.records.lose('crm');
    world.before(`put ${REFRESH_TOKEN}`, ({ caller }) => caller.crash());
    expect(await process.rotate(connection)).toBe('crashed');
    const grants = world.provider.sent.length;
    await world.clock.pass(16_000);
    expect(await world.process().rotate(connection)).toMatchObject({ result: 'outcome_unknown' });
    expect(world.provider.sent).toHaveLength(grants);
  });

  test('that comes back as a copy from before the last grant: the tag in the vault tells of it, and it is not repeated', async () => {
    const scenario = await due();
    const { world, connection, process } = scenario;
    const copy = world.record('crm');
    world.after(/^grant/, ({ caller }) => caller.crash());
    expect(await process.rotate(connection)).toBe('crashed');
    const grants = world.provider.sent.length;
    world.records.change('crm', () => copy);
    await world.clock.pass(20_000);
    expect(await world.process().rotate(connection)).toMatchObject({ result: 'outcome_unknown' });
    expect(world.provider.sent).toHaveLength(grants);
  });

  test('that comes back so, after the token in use was written once more: the same', async () => {
    const scenario = await due();
    const { world, connection, process } = scenario;
    const copy = world.record('crm');
    const latest = world.credentials.latest(REFRESH_TOKEN);
    await world.clock.pass(2_000);
    world.credentials.put(REFRESH_TOKEN, latest?.value ?? '', { tags: latest?.tags ?? {} });
    world.after(/^grant/, ({ caller }) => caller.crash());
    expect(await process.rotate(connection)).toBe('crashed');
    const grants = world.provider.sent.length;
    world.records.change('crm', () => copy);
    await world.clock.pass(20_000);
    expect(await world.process().rotate(connection)).toMatchObject({ result: 'outcome_unknown' });
    expect(world.provider.sent).toHaveLength(grants);
  });

  test('that comes back as a copy from before a replay: the grace counts from the first grant', async () => {
    const { world, connection, process } = await due({ behavior: { refreshTokenGraceMs: 60_000 } });
    world.after('grant crm', ({ caller }) => caller.crash());
    expect(await process.rotate(connection)).toBe('crashed');
    const copy = world.record('crm');
    await world.clock.pass(40_000);
    world.before('grant crm', ({ caller }) => caller.crash());
    expect(await world.process().rotate(connection)).toBe('crashed');
    world.records.change('crm', () => copy);
    await world.clock.pass(40_000);
    const grants = world.provider.sent.length;
    expect(await world.process().rotate(connection)).toMatchObject({ result: 'outcome_unknown' });
    expect(world.provider.sent).toHaveLength(grants);
  });

  test('after a replay was announced: the grace is over, since nobody knows when the first grant was sent', async () => {
    const { world, connection, process } = await due({ behavior: { refreshTokenGraceMs: 60_000 } });
    world.after('grant crm', ({ caller }) => caller.crash());
    expect(await process.rotate(connection)).toBe('crashed');
    await world.clock.pass(40_000);
    world.before('grant crm', ({ caller }) => caller.crash());
    expect(await world.process().rotate(connection)).toBe('crashed');
    world.records.lose('crm');
    await world.clock.pass(40_000);
    const grants = world.provider.sent.length;
    expect(await world.process().rotate(connection)).toMatchObject({ result: 'outcome_unknown' });
    expect(world.provider.sent).toHaveLength(grants);
  });

  test('that comes back as an older copy: the end of the chain counts', async () => {
    const scenario = await due();
    const { world } = scenario;
    const old = world.record('crm');
    await mustRotate(scenario);
    await passToDue(scenario);
    await mustRotate(scenario);
    world.records.change('crm', () => old);
    await mustRotate(scenario);
    expectHealthy(scenario);
  });

  test('while a grant was out: the outcome is unknown, and what is published tells how long to wait', async () => {
    const scenario = await due();
    const { world, connection, process } = scenario;
    world.before('grant crm', () => process.crash());
    await process.rotate(connection);
    const { expiresAt = 0 } = world.tokens.latest(ACCESS_TOKEN) ?? {};
    world.records.lose('crm');
    const next = world.process();
    expect(await next.rotate(connection)).toMatchObject({
      result: 'outcome_unknown',
      problem: { code: 'outcome_unknown' },
      retryAfterMs: expiresAt - 60_000 - world.now(),
    });
    expect(world.record('crm')).toMatchObject({ epoch: 2, phase: { state: 'requesting' } });
    await passToDue(scenario);
    await mustRotate({ connection, process: next });
    expectHealthy(scenario);
  });

  test('while the first grant was out: nothing valid is published, it is repeated at once', async () => {
    const scenario = seeded();
    const { world, connection, process } = scenario;
    world.before('grant crm', () => process.crash());
    await process.rotate(connection);
    world.records.lose('crm');
    expect(await mustRotate({ connection, process: world.process() })).toMatchObject({ reason: 'replay' });
    expectHealthy(scenario);
  });

  test('while a grant was out, and what is published cannot be read: nobody guesses', async () => {
    const { world, connection, process } = await due();
    world.before('grant crm', () => process.crash());
    await process.rotate(connection);
    world.records.lose('crm');
    world.before(`get ${ACCESS_TOKEN}`, () => Promise.reject(failure('vault_unavailable')), 9);
    expect(await world.process().rotate(connection)).toMatchObject({
      problem: { code: 'vault_unavailable' },
    });
    expect(world.provider.sent).toHaveLength(1);
  });
});

describe('a refresh token of another record store', () => {
  const origin = { connection: 'crm', parent: 'v1', epoch: 4, generation: 4, store: 'other.example' };
  test.each([
    ['saved there', savedTags(origin, {})],
    ['with a grant out there', withIntent({}, { startedAt: 0, epoch: 4, store: 'other.example' })],
  ])('%s is not touched until a person sets it again', async (_, tags) => {
    const scenario = seeded();
    const { world, connection, process } = scenario;
    const { value = '' } = world.credentials.latest(REFRESH_TOKEN) ?? {};
    world.credentials.put(REFRESH_TOKEN, value, { tags });
    const problem = { code: 'owned_elsewhere', message: expect.stringContaining('other.example') } as const;
    expect(await process.rotate(connection)).toMatchObject({ result: 'blocked', problem });
    expect(await process.rotate(connection, true)).toMatchObject({ result: 'blocked', problem });
    expect(world.count(/^(put|tag|grant)/)).toBe(0);
    world.credentials.set(REFRESH_TOKEN, value);
    await passToDue(scenario);
    await mustRotate(scenario);
    expect(readOrigin(world.credentials.latest(REFRESH_TOKEN)?.tags ?? {})?.store).toBe(STORE);
    expect(readIntent(world.credentials.latest(REFRESH_TOKEN)?.tags ?? {})).toBeUndefined();
    expectHealthy(scenario);
  });
});
