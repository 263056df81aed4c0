import { describe, expect, test } from 'vitest';
import { RIVAL_WAIT_MS } from '../../../lib/rotation/core/times.ts';
import { connectionNamed } from './world/connection.ts';
import { issuedToken, refusal } from './world/provider.ts';
import {
  ACCESS_TOKEN,
  CLIENT_SECRET,
  due,
  HOUR,
  mustRotate,
  passToDue,
  REFRESH_TOKEN,
  type Scenario,
  seeded,
} from './world/scenario.ts';

const DAY = 24 * 3_600_000;

/** Keeps the client secret, and leaves it this many days by its `exp` attribute. */
function expires({ world }: Scenario, days: number): void {
  const expiresAt = world.now() + days * DAY;
  world.credentials.put(CLIENT_SECRET, 'client-secret-one', { tags: {}, expiresAt });
}

/** From now on each token response has the lifetime of its refresh token, in milliseconds from the token request. */
function sendLifetime({ world }: Scenario, lifetime: () => number): void {
  const behave = world.provider.behave.bind(world.provider);
  world.provider.behave = (request) => ({ ...behave(request), refreshTokenLifetimeMs: lifetime() });
}

const warnings = ({ world }: Scenario) => world.events('credential_expiring');

describe('the end of a refresh token', () => {
  const lasting = (deadline: 'refreshTokenIdleMs' | 'refreshTokenAbsoluteMs') =>
    seeded({ behavior: { [deadline]: 60 * DAY } });

  test('follows from the profile when the response does not say it and each new token lives that long', async () => {
    const scenario = lasting('refreshTokenIdleMs');
    const issuedAt = scenario.world.now() + RIVAL_WAIT_MS;
    await mustRotate(scenario);
    expect(scenario.world.record('crm').refreshTokenExpiresAt).toBe(issuedAt + 60 * DAY);
  });

  test('is what the response says, whatever the profile says', async () => {
    const scenario = lasting('refreshTokenIdleMs');
    const issuedAt = scenario.world.now() + RIVAL_WAIT_MS;
    sendLifetime(scenario, () => DAY);
    await mustRotate(scenario);
    expect(scenario.world.record('crm').refreshTokenExpiresAt).toBe(issuedAt + DAY);
  });

  test('counts from the sign-in, whatever is issued since, when the profile says so', async () => {
    const scenario = lasting('refreshTokenAbsoluteMs');
    const { world } = scenario;
    await mustRotate(scenario);
    const signedInAt = world.record('crm').familyStartedAt ?? 0;
    await passToDue(scenario);
    await mustRotate(scenario);
    expect(world.record('crm')).toMatchObject({
      refreshTokenExpiresAt: signedInAt + 60 * DAY,
      refreshTokenEndIsFixed: true,
    });
  });

  test('is known when the provider returns the same refresh token, or none', async () => {
    for (const refreshToken of ['same', undefined]) {
      const scenario = seeded({ behavior: { refreshTokenGraceMs: Number.POSITIVE_INFINITY } });
      const { world } = scenario;
      world.provider.behave = ({ refreshToken: sent }) => ({
        accessToken: issuedToken(),
        refreshTokenLifetimeMs: 5 * DAY,
        ...(refreshToken && { refreshToken: sent }),
      });
      const issuedAt = world.now() + RIVAL_WAIT_MS;
      await mustRotate(scenario);
      expect(world.record('crm').refreshTokenExpiresAt).toBe(issuedAt + 5 * DAY);
    }
  });

  // LinkedIn, programmatic refresh tokens
  test('is reported when it is near and rotations do not move it, also if the token stays the same', async () => {
    const scenario = seeded({ behavior: { refreshTokenGraceMs: Number.POSITIVE_INFINITY } });
    const { world } = scenario;
    const end = world.now() + 5 * DAY;
    world.provider.behave = ({ refreshToken }) => ({
      accessToken: issuedToken(),
      refreshToken,
      refreshTokenLifetimeMs: end - world.now(),
    });
    await mustRotate(scenario);
    await passToDue(scenario);
    await mustRotate(scenario);
    expect(warnings(scenario)).toMatchObject([{ secret: REFRESH_TOKEN, days: 4 }]);
  });

  test('comes before the planned renewal: the token is renewed before its end, and again', async () => {
    const scenario = await due();
    const { world } = scenario;
    sendLifetime(scenario, () => HOUR / 2);
    for (let rotation = 0; rotation < 3; rotation++) {
      await mustRotate(scenario);
      expect(world.record('crm').nextAttemptAt).toBeLessThanOrEqual(world.now() + HOUR / 3);
      await passToDue(scenario);
    }
    expect(warnings(scenario)).toEqual([]);
  });
});

test('a Retry-After is not followed beyond the end of the refresh token', async () => {
  const scenario = await due();
  const { world, connection, process } = scenario;
  sendLifetime(scenario, () => 30 * 60_000);
  await mustRotate(scenario);
  const end = world.record('crm').refreshTokenExpiresAt ?? 0;
  world.provider.script(refusal('retrying', { retryAfterMs: HOUR }));
  expect(await process.rotate(connection, true)).toMatchObject({ result: 'retrying' });
  expect(world.record('crm').nextAttemptAt).toBeLessThan(end);
  await passToDue(scenario);
  await mustRotate(scenario);
});

test('an access token that lives for a year is renewed after a week', async () => {
  const scenario = seeded();
  const { world } = scenario;
  world.provider.lifetimeMs = 365 * 24 * HOUR;
  await mustRotate(scenario);
  const { nextAttemptAt, rotatedAt = 0 } = world.record('crm');
  expect(nextAttemptAt - rotatedAt).toBe(7 * 24 * HOUR);
});

describe('a client secret that expires soon', () => {
  test('is logged once per rotation, with its name and the days left', async () => {
    const scenario = seeded();
    expires(scenario, 3.5);
    await mustRotate(scenario);
    const warning = { level: 'warn', connection: 'crm', secret: CLIENT_SECRET, days: 3 } as const;
    expect(warnings(scenario)).toMatchObject([warning]);
    await passToDue(scenario);
    await mustRotate(scenario);
    expect(warnings(scenario)).toMatchObject([warning, warning]);
    expect(scenario.world.leaks()).toEqual([]);
  });

  test('is named, also if it is the second of two', async () => {
    const next = `${CLIENT_SECRET}-next`;
    const { secrets } = connectionNamed('crm');
    const scenario = seeded({ secrets: { ...secrets, clientSecrets: [CLIENT_SECRET, next] } });
    const { world } = scenario;
    world.credentials.put(next, 'client-secret-two', { tags: {}, expiresAt: world.now() + 3 * DAY });
    await mustRotate(scenario);
    expect(warnings(scenario)).toMatchObject([{ secret: next }]);
  });

  test('is read again by each rotation, and no longer logged after it was replaced', async () => {
    const scenario = seeded();
    expires(scenario, 3);
    await mustRotate(scenario);
    await passToDue(scenario);
    expires(scenario, 300);
    scenario.world.operations.length = 0;
    await mustRotate(scenario);
    expect(warnings(scenario)).toHaveLength(1);
    expect(scenario.world.count(new RegExp(`^get ${CLIENT_SECRET}`))).toBe(1);
  });

  test('costs no request as long as it does not expire soon', async () => {
    const scenario = seeded();
    expires(scenario, 15);
    await mustRotate(scenario);
    await passToDue(scenario);
    scenario.world.operations.length = 0;
    await mustRotate(scenario);
    expect(scenario.world.count(new RegExp(`^get ${CLIENT_SECRET}`))).toBe(0);
    expect(warnings(scenario)).toEqual([]);
  });
});

describe('a refresh token that expires soon', () => {
  test('is logged if rotations do not move its expiry', async () => {
    const scenario = await due();
    const end = scenario.world.now() + 10 * DAY;
    sendLifetime(scenario, () => end - scenario.world.now());
    await mustRotate(scenario);
    expect(warnings(scenario)).toEqual([]);
    await passToDue(scenario);
    await mustRotate(scenario);
    expect(warnings(scenario)).toMatchObject([
      { connection: 'crm', secret: REFRESH_TOKEN, days: 9, expires: new Date(end).toISOString() },
    ]);
  });

  test('is not logged if each rotation gives it another ten days', async () => {
    const scenario = await due();
    sendLifetime(scenario, () => 10 * DAY);
    for (let rotation = 0; rotation < 3; rotation++) {
      await mustRotate(scenario);
      await passToDue(scenario);
    }
    expect(warnings(scenario)).toEqual([]);
  });
});

describe('an access token that lives for a second', () => {
  test('is renewed once a minute, with its true expiry and a warning', async () => {
    const scenario = seeded();
    const { world, connection, process } = scenario;
    world.provider.lifetimeMs = 1_000;
    for (let sweep = 0; sweep < 60; sweep++) {
      await process.rotate(connection);
      await world.clock.pass(10_000);
    }
    expect(world.provider.sent).toHaveLength(10);
    const { rotatedAt = 0, accessToken } = world.record('crm');
    expect(accessToken?.expiresAt).toBe(rotatedAt + 1_000);
    expect(world.tokens.latest(ACCESS_TOKEN)?.expiresAt).toBe(rotatedAt + 1_000);
    expect(world.events('access_token_short_lived')).toHaveLength(10);
    expect(world.events('access_token_short_lived')[0]).toMatchObject({ lifetimeMs: 1_000 });
  });
});
