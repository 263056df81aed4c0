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
  test('is restored from the vault, and the token family continues', async () => {
    const scenario = await due();
    scenario.world.records.lose('crm');
    expect(await mustRotate(scenario)).toMatchObject({ generation: 2 });
    expectHealthy(scenario);
  });

  test('is restored twice, with a new seed in between', async () => {
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

  test('before a lost token response: the published access token is read from its vault, and the replay waits for its end', async () => {
    const scenario = await due();
    const { world, connection, process } = scenario;
    world.records.lose('crm');
    world.before(`put ${REFRESH_TOKEN}`, ({ caller }) => caller.crash());
    expect(await process.rotate(connection)).toBe('crashed');
    const requests = world.provider.sent.length;
    await world.clock.pass(16_000);
    expect(await world.process().rotate(connection)).toMatchObject({ result: 'outcome_unknown' });
    expect(world.provider.sent).toHaveLength(requests);
  });

  test('that comes back as a copy from before the last token request: the tag in the vault prevents a replay', async () => {
    const scenario = await due();
    const { world, connection, process } = scenario;
    const copy = world.record('crm');
    world.after(/^grant/, ({ caller }) => caller.crash());
    expect(await process.rotate(connection)).toBe('crashed');
    const requests = world.provider.sent.length;
    world.records.change('crm', () => copy);
    await world.clock.pass(20_000);
    expect(await world.process().rotate(connection)).toMatchObject({ result: 'outcome_unknown' });
    expect(world.provider.sent).toHaveLength(requests);
  });

  test('that comes back like this after the token in use was written again: the tag prevents a replay as well', async () => {
    const scenario = await due();
    const { world, connection, process } = scenario;
    const copy = world.record('crm');
    const latest = world.credentials.latest(REFRESH_TOKEN);
    await world.clock.pass(2_000);
    world.credentials.put(REFRESH_TOKEN, latest?.value ?? '', { tags: latest?.tags ?? {} });
    world.after(/^grant/, ({ caller }) => caller.crash());
    expect(await process.rotate(connection)).toBe('crashed');
    const requests = world.provider.sent.length;
    world.records.change('crm', () => copy);
    await world.clock.pass(20_000);
    expect(await world.process().rotate(connection)).toMatchObject({ result: 'outcome_unknown' });
    expect(world.provider.sent).toHaveLength(requests);
  });

  test('that comes back as a copy from before a replay: the grace period counts from the first request', async () => {
    const { world, connection, process } = await due({ behavior: { refreshTokenGraceMs: 60_000 } });
    world.after('grant crm', ({ caller }) => caller.crash());
    expect(await process.rotate(connection)).toBe('crashed');
    const copy = world.record('crm');
    await world.clock.pass(40_000);
    world.before('grant crm', ({ caller }) => caller.crash());
    expect(await world.process().rotate(connection)).toBe('crashed');
    world.records.change('crm', () => copy);
    await world.clock.pass(40_000);
    const requests = world.provider.sent.length;
    expect(await world.process().rotate(connection)).toMatchObject({ result: 'outcome_unknown' });
    expect(world.provider.sent).toHaveLength(requests);
  });

  test('after a replay was announced: the grace period counts as over, because the time of the first request is unknown', async () => {
    const { world, connection, process } = await due({ behavior: { refreshTokenGraceMs: 60_000 } });
    world.after('grant crm', ({ caller }) => caller.crash());
    expect(await process.rotate(connection)).toBe('crashed');
    await world.clock.pass(40_000);
    world.before('grant crm', ({ caller }) => caller.crash());
    expect(await world.process().rotate(connection)).toBe('crashed');
    world.records.lose('crm');
    await world.clock.pass(40_000);
    const requests = world.provider.sent.length;
    expect(await world.process().rotate(connection)).toMatchObject({ result: 'outcome_unknown' });
    expect(world.provider.sent).toHaveLength(requests);
  });

  test('that comes back as an older copy: the end of the token family counts', async () => {
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

  test('during a token request: the outcome is unknown, and the expiry of the published token limits the wait', async () => {
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

  test('during the first token request: nothing valid is published, and the request is repeated when no process can wait for it any more', async () => {
    const scenario = seeded();
    const { world, connection, process } = scenario;
    world.before('grant crm', () => process.crash());
    await process.rotate(connection);
    world.records.lose('crm');
    const next = world.process();
    expect(await next.rotate(connection)).toMatchObject({ result: 'outcome_unknown', retryAfterMs: 62_000 });
    await world.clock.pass(62_000);
    expect(await mustRotate({ connection, process: next })).toMatchObject({ reason: 'replay' });
    expectHealthy(scenario);
  });

  test('during a token request: nothing is sent if the published token cannot be read', async () => {
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
    [
      'with a token request in flight there',
      withIntent({}, { startedAt: 0, epoch: 4, store: 'other.example' }),
    ],
  ])('%s is not changed until an operator sets it again', async (_, tags) => {
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
