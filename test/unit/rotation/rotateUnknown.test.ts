import { describe, expect, test } from 'vitest';
import { readIntent } from '../../../lib/rotation/core/tags.ts';
import { refusal } from './world/provider.ts';
import { due, expectHealthy, HOUR, mustRotate, passToDue, REFRESH_TOKEN, seeded } from './world/scenario.ts';

describe('an answer that tells nothing', () => {
  test('single use: waits, and replays a minute before the published token ends', async () => {
    const scenario = await due();
    const { world, connection, process } = scenario;
    const { expiresAt = 0 } = world.record('crm').accessToken ?? {};
    world.provider.script(refusal('ambiguous'));
    expect(await process.rotate(connection)).toMatchObject({
      result: 'waiting',
      problem: { code: 'grant_outcome_unknown' },
      retryAfterMs: expiresAt - 60_000 - world.now(),
    });
    await passToDue(scenario);
    expect(await mustRotate(scenario)).toMatchObject({ reason: 'replay' });
    expectHealthy(scenario);
  });

  test('single use, nothing valid published: replays after a delay', async () => {
    const scenario = seeded();
    const { world, connection, process } = scenario;
    world.provider.script(refusal('ambiguous'));
    expect(await process.rotate(connection)).toMatchObject({ result: 'waiting', retryAfterMs: 10_000 });
    await passToDue(scenario);
    await mustRotate(scenario);
    expectHealthy(scenario);
  });

  test('grace: the holder replays once itself', async () => {
    const scenario = await due({ behavior: { refreshTokenGraceMs: 60_000 } });
    const { world } = scenario;
    world.after('grant crm', () => refusal('ambiguous'));
    await mustRotate(scenario);
    expect(world.count(/^grant/)).toBe(2);
    expect(world.events('grant_replayed')).toHaveLength(1);
    expectHealthy(scenario);
  });

  test('grace: a takeover that was decided within it is not sent after it', async () => {
    const { world, connection, process } = await due({ behavior: { refreshTokenGraceMs: 30_000 } });
    world.after('grant crm', ({ caller }) => caller.crash());
    expect(await process.rotate(connection)).toBe('crashed');
    await world.clock.pass(24_000);
    world.before(`tag ${REFRESH_TOKEN}`, () => world.clock.sleep(6_000));
    expect(await world.process().rotate(connection)).toMatchObject({ result: 'in_progress' });
    expect(world.provider.sent).toHaveLength(2);
    expect(world.record('crm').phase).toMatchObject({ state: 'granting' });
    expect(await world.process().rotate(connection)).toMatchObject({ result: 'waiting' });
  });

  test('grace: the holder does not replay once it is over', async () => {
    const { world, connection, process } = await due({ behavior: { refreshTokenGraceMs: 12_000 } });
    world.provider.script(refusal('ambiguous'));
    world.after('grant crm', () => world.clock.sleep(7_000));
    world.before('grant crm', () => world.clock.sleep(4_000), 1);
    expect(await process.rotate(connection)).toMatchObject({ result: 'waiting' });
    expect(world.provider.sent).toHaveLength(2);
  });

  test('grace: not a third time at once', async () => {
    const { world, connection, process } = await due({ behavior: { refreshTokenGraceMs: 60_000 } });
    world.after('grant crm', () => refusal('ambiguous'), 2);
    expect(await process.rotate(connection)).toMatchObject({ result: 'waiting', retryAfterMs: 0 });
    expect(world.count(/^grant/)).toBe(2);
  });

  test.each(['retryable', 'client_rejected', 'misconfigured'] as const)(
    'grace: a replay that ends as %s leaves the outcome unknown',
    async (failureClass) => {
      const { world, connection, process } = await due({ behavior: { refreshTokenGraceMs: 60_000 } });
      world.provider.script(refusal('ambiguous'), refusal(failureClass));
      expect(await process.rotate(connection)).toMatchObject({ result: 'waiting' });
      expect(world.record('crm').phase).toMatchObject({ state: 'granting' });
    },
  );

  test('grace: a replay that may not be sent any more leaves the outcome unknown', async () => {
    const { world, connection, process } = await due({ behavior: { refreshTokenGraceMs: 60_000 } });
    world.provider.script(refusal('ambiguous'));
    world.after('grant crm', () => void process.state.drain());
    expect(await process.rotate(connection)).toMatchObject({ result: 'waiting' });
    expect(world.record('crm').phase).toMatchObject({ state: 'granting' });
    expect(world.provider.sent).toHaveLength(2);
  });

  test('grace: not replayed where a refresh token came along', async () => {
    const { world, connection, process } = await due({ behavior: { refreshTokenGraceMs: 60_000 } });
    world.provider.script((request) => {
      const { refreshToken = '' } = world.provider.behave(request);
      return { refreshToken, ...refusal('ambiguous') };
    });
    expect(await process.rotate(connection)).toMatchObject({ result: 'failed' });
    expect(world.count(/^grant/)).toBe(1);
  });

  test('reusable: tried again with a delay', async () => {
    const scenario = await due({ behavior: { refreshTokenGraceMs: Number.POSITIVE_INFINITY } });
    const { world, connection, process } = scenario;
    world.provider.script(refusal('ambiguous'));
    expect(await process.rotate(connection)).toMatchObject({ result: 'failed', retryAfterMs: 10_000 });
    await passToDue(scenario);
    await mustRotate(scenario);
    expectHealthy(scenario);
  });

  test('a replay that the provider puts off waits as it did', async () => {
    const scenario = await due();
    const { world, connection, process } = scenario;
    world.provider.script(refusal('ambiguous'), refusal('retryable', { retryAfterMs: HOUR / 60 }));
    await process.rotate(connection);
    await passToDue(scenario);
    expect(await process.rotate(connection)).toMatchObject({ result: 'waiting', retryAfterMs: HOUR / 60 });
    await passToDue(scenario);
    await mustRotate(scenario);
    expectHealthy(scenario);
  });

  test('too many requests: sent again when the provider says so', async () => {
    const scenario = await due();
    const { world, connection, process } = scenario;
    world.provider.script(refusal('retryable', { retryAfterMs: 42_000 }));
    expect(await process.rotate(connection)).toMatchObject({ result: 'failed', retryAfterMs: 42_000 });
    expect(readIntent(world.credentials.latest(REFRESH_TOKEN)?.tags ?? {})).toBeUndefined();
    await passToDue(scenario);
    await mustRotate(scenario);
    expectHealthy(scenario);
  });
});
