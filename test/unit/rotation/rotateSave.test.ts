import { describe, expect, test } from 'vitest';
import type { ErrorCode } from '../../../lib/errors.ts';
import { failure } from './world/fakeVault.ts';
import { refusal } from './world/provider.ts';
import { ACCESS_TOKEN, due, expectHealthy, mustRotate, passToDue, REFRESH_TOKEN } from './world/scenario.ts';

const fails = (code: ErrorCode) => () => Promise.reject(failure(code));
const PUT = `put ${REFRESH_TOKEN}`;

describe('a received refresh token', () => {
  test('is saved before the access token is published', async () => {
    const scenario = await due();
    const { world } = scenario;
    world.before(`put ${ACCESS_TOKEN}`, () => {
      expect(world.provider.accepts(world.credentials.latest(REFRESH_TOKEN)?.value)).toBe(true);
    });
    await mustRotate(scenario);
    expect(world.operations.indexOf(PUT)).toBeLessThan(world.operations.indexOf(`put ${ACCESS_TOKEN}`));
  });

  test.each([
    'vault_forbidden',
    'vault_throttled',
    'vault_unavailable',
    'vault_rejected',
    'secret_soft_deleted',
  ] as const)('is saved after failures with %s', async (code) => {
    const scenario = await due();
    scenario.world.before(PUT, fails(code), 3);
    await mustRotate(scenario);
    expect(scenario.world.count(/^grant/)).toBe(1);
    expect(scenario.world.events('refresh_token_saved')).toMatchObject([{ attempts: 4 }]);
    expectHealthy(scenario);
  });

  test('is saved twice if the response to the first write is lost', async () => {
    const scenario = await due();
    scenario.world.after(PUT, fails('vault_unavailable'));
    await mustRotate(scenario);
    expectHealthy(scenario);
    await passToDue(scenario);
    await mustRotate(scenario);
    expectHealthy(scenario);
  });

  test('is saved although the access token of the response is not usable', async () => {
    const scenario = await due();
    const { world, connection, process } = scenario;
    world.provider.script((request) => {
      const { refreshToken = '' } = world.provider.behave(request);
      return { refreshToken, ...refusal('outcome_unknown', { code: 'response_unusable' }) };
    });
    expect(await process.rotate(connection)).toMatchObject({
      result: 'retrying',
      problem: { code: 'response_unusable' },
    });
    expect(world.provider.accepts(world.credentials.latest(REFRESH_TOKEN)?.value)).toBe(true);
    await passToDue(scenario);
    await mustRotate(scenario);
    expectHealthy(scenario);
  });

  test.each(['client_rejected', 'reauthorization_required', 'retrying', 'misconfigured'] as const)(
    'is saved although the response is the failure %s',
    async (failureClass) => {
      const scenario = await due();
      const { world, connection, process } = scenario;
      world.provider.script((request) => {
        const { refreshToken = '' } = world.provider.behave(request);
        return { refreshToken, ...refusal(failureClass) };
      });
      expect(await process.rotate(connection)).toMatchObject({ result: 'retrying' });
      expect(world.provider.accepts(world.credentials.latest(REFRESH_TOKEN)?.value)).toBe(true);
    },
  );

  test('is not required: the stored token stays if the response has none', async () => {
    const scenario = await due();
    const { world } = scenario;
    const before = world.credentials.latest(REFRESH_TOKEN);
    world.provider.script({ accessToken: world.provider.accessToken() });
    await mustRotate(scenario);
    expect(world.credentials.latest(REFRESH_TOKEN)).toEqual(before);
    expectHealthy(scenario);
  });

  test('is recorded with its expiry if the provider sends one', async () => {
    const scenario = await due();
    const { world } = scenario;
    const sentAt = world.now();
    world.provider.script((request) => ({
      ...world.provider.behave(request),
      refreshTokenLifetimeMs: 9_000,
    }));
    await mustRotate(scenario);
    expect(world.record('crm').refreshTokenExpiresAt).toBe(sentAt + 9_000);
  });

  test('blocks the connection if it is too large for a vault', async () => {
    const { world, connection, process } = await due();
    world.provider.script({ refreshToken: 'x'.repeat(25_601), accessToken: world.provider.accessToken() });
    const problem = { code: 'refresh_token_too_large' } as const;
    expect(await process.rotate(connection)).toMatchObject({ result: 'blocked', problem });
    expect(world.record('crm').phase).toEqual({ state: 'idle' });
    expect(world.count(/^put/)).toBe(0);
    world.credentials.set(REFRESH_TOKEN, world.provider.consent());
    await world.clock.pass(60_000);
    await mustRotate({ connection, process });
  });

  test('is saved at the largest size that a vault accepts', async () => {
    const { world, connection, process } = await due();
    world.provider.script({ refreshToken: 'x'.repeat(25_600), accessToken: world.provider.accessToken() });
    await mustRotate({ connection, process });
    expect(world.credentials.latest(REFRESH_TOKEN)?.value).toHaveLength(25_600);
  });
});

describe('a save that takes long', () => {
  test('continues in the background, keeps its lease, and ends like a fast save', async () => {
    const scenario = await due();
    const { world, connection, process } = scenario;
    world.before(PUT, fails('vault_forbidden'), Number.POSITIVE_INFINITY);
    const begun = world.now();
    expect(await process.rotate(connection)).toEqual({ result: 'saving', connection: 'crm' });
    expect(world.now() - begun).toBeGreaterThanOrEqual(20_000);
    expect(world.now() - begun).toBeLessThan(31_000);
    await world.clock.pass(300_000);
    expect(await process.rotate(connection)).toEqual({ result: 'saving', connection: 'crm' });
    expect(await process.rotate(connection, true)).toEqual({ result: 'saving', connection: 'crm' });
    expect(await world.process().rotate(connection)).toMatchObject({ result: 'in_progress' });
    expect(world.count(/^grant/)).toBe(1);
    world.calm();
    await world.clock.pass(11_000);
    expectHealthy(scenario);
    expect(world.record('crm').generation).toBe(2);
    expect(await process.rotate(connection)).toMatchObject({ result: 'not_due' });
  });

  test('is still reported after another call for the connection', async () => {
    const { world, connection, process } = await due();
    world.before(PUT, fails('vault_forbidden'), Number.POSITIVE_INFINITY);
    const first = process.start(connection);
    await world.clock.pass(5_000);
    // The second call waits for the lease until the save of the first call counts as slow.
    world.before('lease crm', () => world.clock.sleep(60_000));
    const second = process.start(connection);
    expect(await world.settle(first)).toMatchObject({ result: 'saving' });
    expect(await world.settle(second)).toMatchObject({ result: 'in_progress' });
    expect(await process.rotate(connection)).toMatchObject({ result: 'saving' });
  });

  test('saves the token but does not publish it if the lease ends without storage', async () => {
    const scenario = await due();
    const { world, connection, process } = scenario;
    world.before(PUT, fails('vault_unavailable'), Number.POSITIVE_INFINITY);
    world.before(/^renew/, fails('storage_unavailable'), Number.POSITIVE_INFINITY);
    expect(await process.rotate(connection)).toMatchObject({ result: 'saving' });
    expect(await world.process().rotate(connection)).toMatchObject({ result: 'outcome_unknown' });
    world.calm();
    await world.clock.pass(11_000);
    expect(world.provider.accepts(world.credentials.latest(REFRESH_TOKEN)?.value)).toBe(true);
    expect(world.count(/^put crm-access/)).toBe(0);
    expect(world.events('lease_lost')).toHaveLength(1);
    await passToDue(scenario);
    await mustRotate({ connection, process: world.process() });
    expectHealthy(scenario);
  });
});

describe('a process that is about to end', () => {
  test('starts nothing', async () => {
    const { world, connection, process } = await due();
    await process.state.drain();
    expect(await process.rotate(connection)).toEqual({ result: 'draining', connection: 'crm' });
    expect(world.operations).toEqual([]);
  });

  test('does not send a token request that it has announced, and withdraws the intent', async () => {
    const scenario = await due();
    const { world, connection, process } = scenario;
    world.before('grant crm', () => void process.state.drain());
    expect(await process.rotate(connection)).toMatchObject({ result: 'draining' });
    expect(world.provider.sent).toHaveLength(1);
    expect(world.record('crm').phase).toEqual({ state: 'idle' });
    await mustRotate({ connection, process: world.process() });
    expectHealthy(scenario);
  });

  test('saves and publishes what it has received before it ends', async () => {
    const scenario = await due();
    const { world, connection, process } = scenario;
    let drained = false;
    world.after('grant crm', () => void process.state.drain().then(() => (drained = true)));
    world.before(PUT, fails('vault_unavailable'), 3);
    world.before(`put ${ACCESS_TOKEN}`, () => expect(drained).toBe(false));
    await mustRotate({ connection, process });
    await world.clock.pass(0);
    expect(drained).toBe(true);
    expectHealthy(scenario);
  });

  test('waits for a save even if another call for the connection has ended', async () => {
    const { world, connection, process } = await due();
    world.before(PUT, fails('vault_unavailable'), 5);
    const first = process.start(connection);
    await world.clock.pass(1_000);
    expect(await process.rotate(connection)).toMatchObject({ result: 'in_progress' });
    await world.settle(process.state.drain());
    expect(world.events('refresh_token_saved')).toHaveLength(1);
    expect(await world.settle(first)).toMatchObject({ result: 'rotated' });
  });
});
