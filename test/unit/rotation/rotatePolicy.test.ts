import { describe, expect, test } from 'vitest';
import { failure } from './world/fakeVault.ts';
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

const DAY = 24 * HOUR;
const SAVE = `put ${REFRESH_TOKEN}` as const;
const denies = () => Promise.reject(failure('vault_policy'));

describe('a refresh token whose expiration date an Azure Policy refuses after the request', () => {
  test('is saved with another date, and not sent before the right one is allowed', async () => {
    const scenario = await due();
    const { world, connection, process } = scenario;
    world.before(SAVE, denies, 2);
    await mustRotate(scenario);
    const saved = world.credentials.latest(REFRESH_TOKEN);
    expect(saved?.tags.expiration).toBe('makeshift');
    expect(saved?.expiresAt).toBeGreaterThan(world.now() + 59 * DAY);
    expect(world.record('crm')).not.toHaveProperty('refreshTokenExpiresAt');

    await passToDue(scenario);
    const sent = world.count(/^grant/);
    world.before(SAVE, denies, Number.POSITIVE_INFINITY);
    const refused = await process.rotate(connection);
    expect(refused).toMatchObject({ result: 'blocked', problem: { code: 'vault_policy' } });
    expect(world.count(/^grant/)).toBe(sent);

    // An operator exempts the vault, which no secret shows.
    world.calm();
    await passToDue(scenario);
    await mustRotate(scenario);
    expectHealthy(scenario);
    expect(world.credentials.latest(REFRESH_TOKEN)?.tags).not.toHaveProperty('expiration');
    const versions = world.credentials.history(REFRESH_TOKEN);
    expect(versions.find(({ version }) => version === saved?.version)?.enabled).toBe(false);
  });

  test('is saved without a date if no date is allowed', async () => {
    const scenario = await due();
    scenario.world.before(SAVE, denies, 11);
    await mustRotate(scenario);
    const saved = scenario.world.credentials.latest(REFRESH_TOKEN);
    expect(saved?.tags.expiration).toBe('makeshift');
    expect(saved).not.toHaveProperty('expiresAt');
  });
});

describe('the proof of a vault with policies', () => {
  test('has the attributes that the refresh token and the access token will have', async () => {
    const scenario = seeded({
      behavior: { refreshTokenIdleMs: 90 * DAY },
    });
    const { world } = scenario;
    world.before('grant crm', () => {
      const copy = world.credentials.latest(REFRESH_TOKEN);
      expect(copy).toMatchObject({ contentType: 'application/vnd.oauth.refresh-token' });
      expect(copy?.expiresAt).toBeGreaterThan(world.now() + 89 * DAY);
      const placeholder = world.tokens.latest(ACCESS_TOKEN);
      expect(placeholder).toMatchObject({
        enabled: false,
        contentType: 'application/vnd.oauth.access-token',
      });
      expect(placeholder?.expiresAt).toBeGreaterThan(world.now() + HOUR - 60_000);
    });
    await mustRotate(scenario);
    const saved = world.credentials.latest(REFRESH_TOKEN);
    expect(saved?.expiresAt).toBeGreaterThan(world.now() + 89 * DAY);
    expect(saved?.tags).not.toHaveProperty('expiration');
  });

  test('blocks the connection if a policy refuses it, and is repeated until the policy allows it', async () => {
    const scenario = seeded();
    const { world, connection, process } = scenario;
    world.before(`put ${ACCESS_TOKEN}`, denies, 2);
    for (const _ of [1, 2]) {
      expect(await process.rotate(connection)).toMatchObject({ result: 'blocked' });
      expect(world.record('crm').nextAttemptAt - world.now()).toBeLessThanOrEqual(300_000);
      await passToDue(scenario);
    }
    expect(world.provider.sent).toEqual([]);
    await mustRotate(scenario);
    expectHealthy(scenario);
  });

  test('does not replace the block of a refused refresh token', async () => {
    const scenario = await due();
    const { world, connection, process } = scenario;
    world.records.change('crm', ({ publishable: _, ...record }) => ({
      ...record,
      failure: {
        code: 'reauthorization_required',
        message: 'm',
        fix: 'f',
        since: 0,
        at: 0,
        count: 1,
        blocked: true,
        clearedBy: [],
        fingerprint: 'another',
      },
    }));
    world.before(`put ${ACCESS_TOKEN}`, denies);
    await process.rotate(connection);
    expect(world.record('crm').failure).toMatchObject({ code: 'reauthorization_required' });
  });
});

describe('an invented expiration date', () => {
  test('is never a deadline', async () => {
    const scenario = await due({ expirationHorizonMs: 10 * DAY });
    await mustRotate(scenario);
    expect(scenario.world.credentials.latest(REFRESH_TOKEN)?.tags.expiration).toBe('horizon');
    expect(scenario.world.record('crm')).not.toHaveProperty('refreshTokenExpiresAt');
    expect(scenario.world.events('credential_expiring')).toEqual([]);
  });

  test('of a client secret raises no warning', async () => {
    const { world, connection, process } = seeded();
    world.credentials.put('crm-client-secret', 'client-secret-one', {
      tags: { expiration: 'horizon' },
      expiresAt: world.now() + DAY,
    });
    await mustRotate({ connection, process });
    expect(world.events('credential_expiring')).toEqual([]);
  });
});

test('the tags that an operator adds to what the rotator writes survive', async () => {
  const scenario = await due({ expirationHorizonMs: 10 * DAY });
  const { world } = scenario;
  for (const [vault, name] of [
    [world.credentials, REFRESH_TOKEN],
    [world.tokens, ACCESS_TOKEN],
  ] as const) {
    const { version = '', tags = {} } = vault.latest(name) ?? {};
    vault.tag(name, version, { ...tags, team: 'crm', 'cost-center': '4711' });
  }
  await mustRotate(scenario);
  for (const latest of [world.credentials.latest(REFRESH_TOKEN), world.tokens.latest(ACCESS_TOKEN)])
    expect(latest?.tags).toMatchObject({ team: 'crm', 'cost-center': '4711' });
});
