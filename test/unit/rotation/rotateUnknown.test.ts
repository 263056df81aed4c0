import { describe, expect, test } from 'vitest';
import type { ConnectionRecord } from '../../../lib/rotation/core/record.ts';
import { readIntent } from '../../../lib/rotation/core/tags.ts';
import { refusal } from './world/provider.ts';
import { tokenTimes } from './world/record.ts';
import {
  ACCESS_TOKEN,
  due,
  expectHealthy,
  HOUR,
  mustRotate,
  passToDue,
  REFRESH_TOKEN,
  seeded,
} from './world/scenario.ts';

describe('a token response that does not show the outcome', () => {
  test('single use: waits, and replays a minute before the published token ends', async () => {
    const scenario = await due();
    const { world, connection, process } = scenario;
    const { expiresAt = 0 } = world.record('crm').accessToken ?? {};
    world.provider.script(refusal('outcome_unknown'));
    expect(await process.rotate(connection)).toMatchObject({
      result: 'outcome_unknown',
      problem: { code: 'outcome_unknown' },
      retryAfterMs: expiresAt - 60_000 - world.now(),
    });
    await passToDue(scenario);
    expect(await mustRotate(scenario)).toMatchObject({ reason: 'replay' });
    expectHealthy(scenario);
  });

  test('single use, nothing valid published: replays after a delay', async () => {
    const scenario = seeded();
    const { world, connection, process } = scenario;
    world.provider.script(refusal('outcome_unknown'));
    expect(await process.rotate(connection)).toMatchObject({
      result: 'outcome_unknown',
      retryAfterMs: 10_000,
    });
    await passToDue(scenario);
    await mustRotate(scenario);
    expectHealthy(scenario);
  });

  test('grace: the process with the lease replays once', async () => {
    const scenario = await due({ behavior: { refreshTokenGraceMs: 60_000 } });
    const { world } = scenario;
    world.after('grant crm', () => refusal('outcome_unknown'));
    await mustRotate(scenario);
    expect(world.count(/^grant/)).toBe(2);
    expect(world.events('token_request_repeated')).toHaveLength(1);
    expectHealthy(scenario);
  });

  test('grace: a replay that was decided within the grace period is not sent after it', async () => {
    const { world, connection, process } = await due({ behavior: { refreshTokenGraceMs: 30_000 } });
    world.after('grant crm', ({ caller }) => caller.crash());
    expect(await process.rotate(connection)).toBe('crashed');
    await world.clock.pass(24_000);
    world.before(`tag ${REFRESH_TOKEN}`, () => world.clock.sleep(6_000));
    expect(await world.process().rotate(connection)).toMatchObject({ result: 'in_progress' });
    expect(world.provider.sent).toHaveLength(2);
    expect(world.record('crm').phase).toMatchObject({ state: 'requesting' });
    expect(await world.process().rotate(connection)).toMatchObject({ result: 'outcome_unknown' });
  });

  test('grace: the process with the lease does not replay after the grace period', async () => {
    const { world, connection, process } = await due({ behavior: { refreshTokenGraceMs: 12_000 } });
    world.provider.script(refusal('outcome_unknown'));
    world.after('grant crm', () => world.clock.sleep(7_000));
    world.before('grant crm', () => world.clock.sleep(4_000), 1);
    expect(await process.rotate(connection)).toMatchObject({ result: 'outcome_unknown' });
    expect(world.provider.sent).toHaveLength(2);
  });

  test('grace: is not replayed a second time immediately', async () => {
    const { world, connection, process } = await due({ behavior: { refreshTokenGraceMs: 60_000 } });
    world.after('grant crm', () => refusal('outcome_unknown'), 2);
    expect(await process.rotate(connection)).toMatchObject({ result: 'outcome_unknown', retryAfterMs: 0 });
    expect(world.count(/^grant/)).toBe(2);
  });

  test.each(['retrying', 'client_rejected', 'misconfigured'] as const)(
    'grace: a replay that ends as %s leaves the outcome unknown',
    async (failureClass) => {
      const { world, connection, process } = await due({ behavior: { refreshTokenGraceMs: 60_000 } });
      world.provider.script(refusal('outcome_unknown'), refusal(failureClass));
      expect(await process.rotate(connection)).toMatchObject({ result: 'outcome_unknown' });
      expect(world.record('crm').phase).toMatchObject({ state: 'requesting' });
    },
  );

  test('grace: a replay that the process may no longer send leaves the outcome unknown', async () => {
    const { world, connection, process } = await due({ behavior: { refreshTokenGraceMs: 60_000 } });
    world.provider.script(refusal('outcome_unknown'));
    world.after('grant crm', () => void process.state.drain());
    expect(await process.rotate(connection)).toMatchObject({ result: 'outcome_unknown' });
    expect(world.record('crm').phase).toMatchObject({ state: 'requesting' });
    expect(world.provider.sent).toHaveLength(2);
  });

  test('grace: is not replayed if the response has a refresh token', async () => {
    const { world, connection, process } = await due({ behavior: { refreshTokenGraceMs: 60_000 } });
    world.provider.script((request) => {
      const { refreshToken = '' } = world.provider.behave(request);
      return { refreshToken, ...refusal('outcome_unknown') };
    });
    expect(await process.rotate(connection)).toMatchObject({ result: 'retrying' });
    expect(world.count(/^grant/)).toBe(1);
  });

  test('reusable: is retried with a delay', async () => {
    const scenario = await due({ behavior: { refreshTokenGraceMs: Number.POSITIVE_INFINITY } });
    const { world, connection, process } = scenario;
    world.provider.script(refusal('outcome_unknown'));
    expect(await process.rotate(connection)).toMatchObject({ result: 'retrying', retryAfterMs: 10_000 });
    await passToDue(scenario);
    await mustRotate(scenario);
    expectHealthy(scenario);
  });

  test('a replay that the provider throttles leaves the outcome unknown and waits as long as the provider says', async () => {
    const scenario = await due();
    const { world, connection, process } = scenario;
    world.provider.script(refusal('outcome_unknown'), refusal('retrying', { retryAfterMs: HOUR / 60 }));
    await process.rotate(connection);
    await passToDue(scenario);
    expect(await process.rotate(connection)).toMatchObject({
      result: 'outcome_unknown',
      retryAfterMs: HOUR / 60,
    });
    await passToDue(scenario);
    await mustRotate(scenario);
    expectHealthy(scenario);
  });

  test('throttling: is sent again when the provider allows it', async () => {
    const scenario = await due();
    const { world, connection, process } = scenario;
    world.provider.script(refusal('retrying', { retryAfterMs: 42_000 }));
    expect(await process.rotate(connection)).toMatchObject({ result: 'retrying', retryAfterMs: 42_000 });
    expect(readIntent(world.credentials.latest(REFRESH_TOKEN)?.tags ?? {})).toBeUndefined();
    await passToDue(scenario);
    await mustRotate(scenario);
    expectHealthy(scenario);
  });
});

test.each<[string, (record: ConnectionRecord) => ConnectionRecord]>([
  ['does not know the published token', ({ accessToken: _, ...record }) => record],
  ['says that it has expired', (record) => ({ ...record, accessToken: tokenTimes(1, 2) })],
  ['says that it lives for a hundred years', (record) => ({ ...record, accessToken: tokenTimes(1, 5e12) })],
])('a single-use token is not sent again early because a record %s', async (_, forge) => {
  const scenario = await due();
  const { world, connection, process } = scenario;
  world.provider.script(refusal('outcome_unknown'));
  await process.rotate(connection);
  world.records.change('crm', (record) => ({ ...forge(record), nextAttemptAt: 0 }));
  await world.clock.pass(60_000);
  const sent = world.provider.sent.length;
  expect(await process.rotate(connection)).toMatchObject({ result: 'outcome_unknown' });
  expect(world.provider.sent).toHaveLength(sent);
  expect(world.record('crm').accessToken?.expiresAt).toBe(world.tokens.latest(ACCESS_TOKEN)?.expiresAt);
});
