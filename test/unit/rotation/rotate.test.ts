import { describe, expect, test } from 'vitest';
import { isManaged, readIntent, readOrigin } from '../../../lib/rotation/core/tags.ts';
import { RIVAL_WAIT_MS } from '../../../lib/rotation/core/times.ts';
import { rotate } from '../../../lib/rotation/rotate.ts';
import { CREDENTIAL_VAULT, STORE, TOKEN_VAULT } from './world/connection.ts';
import { failure } from './world/fakeVault.ts';
import { refusal } from './world/provider.ts';
import {
  ACCESS_TOKEN,
  CLIENT_SECRET,
  due,
  expectHealthy,
  HOUR,
  mustRotate,
  passToDue,
  REFRESH_TOKEN,
  seeded,
} from './world/scenario.ts';

const REUSABLE = { behavior: { refreshTokenGraceMs: Number.POSITIVE_INFINITY } };

describe('the first rotation', () => {
  test('copies the seed, proves that it can publish the access token, and publishes it', async () => {
    const scenario = seeded();
    const { world } = scenario;
    const seed = world.credentials.latest(REFRESH_TOKEN);
    expect(await mustRotate(scenario)).toMatchObject({
      reason: 'first',
      generation: 1,
      expiresAt: world.now() + HOUR,
    });
    const [, copied, saved] = world.credentials.history(REFRESH_TOKEN);
    expect(copied?.value).toBe(seed?.value);
    expect(readOrigin(copied?.tags ?? {})).toMatchObject({ parent: seed?.version, store: STORE });
    expect(readOrigin(saved?.tags ?? {})).toMatchObject({
      parent: copied?.version,
      epoch: 1,
      generation: 1,
    });
    expect(
      world.tokens.history(ACCESS_TOKEN).map(({ enabled = true, value }) => [enabled, value.length > 7]),
    ).toEqual([
      [false, false],
      [true, true],
    ]);
    expectHealthy(scenario);
  });

  test.each([
    ['', '\n'],
    ['', '\r\n'],
    ['\ufeff', ''],
    ['\ufeff\n', ' \r\n\ufeff'],
  ])('sends a refresh token without what an editor puts around it, %j and %j', async (begin, end) => {
    const scenario = seeded();
    const { world } = scenario;
    const value = world.credentials.latest(REFRESH_TOKEN)?.value ?? '';
    world.credentials.set(REFRESH_TOKEN, begin + value + end);
    await mustRotate(scenario);
    expect(world.provider.sent).toEqual([value]);
    expectHealthy(scenario);
  });

  test('publishes with expiry, start, content type and tags', async () => {
    const scenario = seeded();
    const sentAt = scenario.world.now() + RIVAL_WAIT_MS;
    await mustRotate(scenario);
    expect(scenario.world.tokens.latest(ACCESS_TOKEN)).toMatchObject({
      contentType: 'application/vnd.oauth.access-token',
      notBefore: sentAt,
      expiresAt: sentAt + HOUR,
      tags: { connection: 'crm', generation: '1', scope: 'all' },
    });
  });

  test('publishes the members that consumers need, and keeps those that a later response does not repeat', async () => {
    const scenario = seeded({ behavior: { response: { tags: ['instance_url', 'org'] } } });
    const { world } = scenario;
    const responding = (tags: Readonly<Record<string, string>>) =>
      world.provider.script((request) => {
        const response = world.provider.behave(request);
        const { accessToken } = response;
        return accessToken ? { ...response, accessToken: { ...accessToken, tags } } : response;
      });
    const published = () => world.tokens.latest(ACCESS_TOKEN)?.tags;
    responding({ instance_url: 'https://a.example', org: '7' });
    await mustRotate(scenario);
    expect(published()).toMatchObject({ instance_url: 'https://a.example', org: '7', generation: '1' });
    await passToDue(scenario);
    responding({ instance_url: 'https://b.example' });
    await mustRotate(scenario);
    expect(published()).toMatchObject({ instance_url: 'https://b.example', org: '7', generation: '2' });
    expectHealthy(scenario);
  });

  test('reads a client id that is a secret', async () => {
    const { world, connection, process } = seeded({ clientId: undefined });
    world.credentials.set('crm-client-id', ' the-client\n');
    let clientId: string | undefined;
    world.provider.script((request) => {
      clientId = request.clientId;
      return world.provider.behave(request);
    });
    await mustRotate({ connection, process });
    expect(clientId).toBe('the-client');
  });
});

describe('a rotation', () => {
  test('costs two GETs, two PATCHes, two PUTs, five storage requests and a POST to the provider', async () => {
    const scenario = await due();
    expect(await mustRotate(scenario)).toMatchObject({ reason: 'due', generation: 2 });
    expect(scenario.world.operations).toEqual([
      'lease crm',
      'read crm',
      `get ${REFRESH_TOKEN}`,
      `get ${ACCESS_TOKEN}`,
      'write crm',
      `tag ${REFRESH_TOKEN}`,
      'grant crm',
      `put ${REFRESH_TOKEN}`,
      `put ${ACCESS_TOKEN}`,
      `disable ${REFRESH_TOKEN}`,
      'write crm',
      'release crm',
    ]);
    expectHealthy(scenario);
  });

  test('without a new refresh token costs one PUT, and withdraws the intent', async () => {
    const scenario = await due(REUSABLE);
    const versions = scenario.world.credentials.history(REFRESH_TOKEN).length;
    await mustRotate(scenario);
    expect(scenario.world.count(/^put/)).toBe(1);
    expect(scenario.world.count(/^tag/)).toBe(2);
    expect(scenario.world.credentials.history(REFRESH_TOKEN)).toHaveLength(versions);
    expect(readIntent(scenario.world.credentials.latest(REFRESH_TOKEN)?.tags ?? {})).toBeUndefined();
    expectHealthy(scenario);
  });

  test('does not write the same refresh token again', async () => {
    const scenario = await due();
    const { world } = scenario;
    const refreshToken = world.credentials.latest(REFRESH_TOKEN)?.value ?? '';
    world.provider.script({ refreshToken, accessToken: world.provider.accessToken() });
    await mustRotate(scenario);
    expect(world.count(/^put/)).toBe(1);
    expect(world.record('crm').generation).toBe(1);
    expectHealthy(scenario);
  });

  test('writes the intent to the record and to the version before the token request is sent', async () => {
    const { world, connection, process } = await due();
    const sent = world.credentials.latest(REFRESH_TOKEN);
    world.provider.script((request) => {
      const phase = { state: 'requesting', startedAt: world.now(), firstStartedAt: world.now() } as const;
      expect(world.record('crm')).toMatchObject({ phase, epoch: 2, version: sent?.version });
      const intent = { startedAt: world.now(), epoch: 2, store: STORE };
      expect(readIntent(sent?.tags ?? {})).toMatchObject(intent);
      expect(isManaged(sent?.tags ?? {})).toBe(true);
      return world.provider.behave(request);
    });
    await mustRotate({ connection, process });
  });

  test('is not due before two thirds of the lifetime have passed', async () => {
    const scenario = seeded();
    await mustRotate(scenario);
    const { world, connection, process } = scenario;
    world.operations.length = 0;
    const result = await process.rotate(connection);
    const wait = world.record('crm').nextAttemptAt - world.now();
    expect(result).toMatchObject({ result: 'not_due', reason: 'not_due', retryAfterMs: wait });
    expect(world.operations).toEqual(['lease crm', 'read crm', 'release crm']);
  });

  test('succeeds even if the intent tag cannot be removed', async () => {
    const scenario = await due(REUSABLE);
    const { world } = scenario;
    world.after(`put ${ACCESS_TOKEN}`, () =>
      world.before(`tag ${REFRESH_TOKEN}`, () => Promise.reject(failure('vault_throttled'))),
    );
    await mustRotate(scenario);
    expect(world.events('announcement_not_cleared')).toHaveLength(1);
    await passToDue(scenario);
    await mustRotate(scenario);
    expectHealthy(scenario);
  });

  test('sends each refresh token once, over many rotations of one token family', async () => {
    const scenario = seeded();
    for (let round = 1; round <= 20; round++) {
      expect(await mustRotate(scenario)).toMatchObject({ generation: round });
      await passToDue(scenario);
    }
    const { sent } = scenario.world.provider;
    expect(new Set(sent).size).toBe(20);
    expectHealthy(scenario);
  });
});

describe('the writes of a rotation', () => {
  const SAME = { credential: TOKEN_VAULT, token: TOKEN_VAULT };
  test.each([
    ['of two vaults', {}, [`take 1 ${CREDENTIAL_VAULT}`, `take 1 ${TOKEN_VAULT}`]],
    ['of one vault', { vaults: SAME }, [`take 2 ${TOKEN_VAULT}`]],
  ] as const)('are reserved before the lease is taken: %s', async (_, changes, expected) => {
    const { world, connection, process } = await due();
    const take = async (vault: string, writes: number) =>
      void world.operations.push(`take ${writes} ${vault}`);
    const changed = { ...connection, ...changes };
    if ('vaults' in changes) {
      world.records.change('crm', ({ vaults: _, ...record }) => record);
      world.tokens.set(REFRESH_TOKEN, world.provider.consent());
      world.tokens.set(CLIENT_SECRET, 'client-secret-one');
    }
    world.operations.length = 0;
    const pacer = { take, giveBack: () => expect.fail('they are written') };
    await world.settle(
      rotate(
        { connection: changed, force: false, patient: true },
        { ...process.ports, pacer },
        process.state,
      ),
    );
    expect(world.operations.slice(0, expected.length)).toEqual(expected);
    expect(world.operations[expected.length]).toBe('lease crm');
  });

  test('are given back if the rotation ends without any', async () => {
    const scenario = seeded();
    await mustRotate(scenario);
    const { world, connection, process } = scenario;
    const given: [string, number][] = [];
    const giveBack = (vault: string, writes: number) => void given.push([vault, writes]);
    const pacer = { ...process.ports.pacer, giveBack };
    await world.settle(
      rotate({ connection, force: false, patient: true }, { ...process.ports, pacer }, process.state),
    );
    expect(given).toEqual([
      [CREDENTIAL_VAULT, 1],
      [TOKEN_VAULT, 1],
    ]);
  });
});

describe('a forced rotation', () => {
  test('does not wait until it is due, and is not repeated within 10 s', async () => {
    const scenario = seeded();
    const { world, connection, process } = scenario;
    await mustRotate(scenario);
    expect(await process.rotate(connection, true)).toMatchObject({ result: 'rotated', reason: 'forced' });
    const again = { result: 'cooldown', reason: 'cooldown', retryAfterMs: 10_000 } as const;
    expect(await process.rotate(connection, true)).toMatchObject(again);
    await world.clock.pass(10_000);
    expect(await process.rotate(connection, true)).toMatchObject({ result: 'rotated' });
    expectHealthy(scenario);
  });

  test('sends a refused refresh token once more', async () => {
    const scenario = await due();
    const { world, connection, process } = scenario;
    world.provider.script(refusal('reauthorization_required'));
    expect(await process.rotate(connection)).toMatchObject({ result: 'blocked' });
    expect(await process.rotate(connection)).toMatchObject({ result: 'blocked', reason: 'blocked' });
    expect(await process.rotate(connection, true)).toMatchObject({ result: 'rotated' });
    expectHealthy(scenario);
  });

  test('does not shorten the wait of a token request whose outcome is unknown', async () => {
    const { world, connection, process } = await due();
    world.provider.script(refusal('outcome_unknown'));
    expect(await process.rotate(connection)).toMatchObject({ result: 'outcome_unknown' });
    await world.clock.pass(11_000);
    const problem = { code: 'outcome_unknown' } as const;
    expect(await process.rotate(connection, true)).toMatchObject({ result: 'outcome_unknown', problem });
    expect(world.provider.sent).toHaveLength(2);
  });
});
