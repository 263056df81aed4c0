import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createSecretVault } from '../../../lib/azure/keyVaultSecrets.ts';
import { accepted, readAccessToken } from '../../../local/requests.ts';
import { localConnection } from '../../support/localConnection.ts';
import type { Shown } from '../../support/shown.ts';
import { type Harness, startHarness } from './harness.ts';

const ROTATING = 'counted-rotating';
const REUSABLE = 'counted-reusable';
const HELD = 'held';

let harness: Harness;

beforeAll(async () => {
  const connections = [
    localConnection(ROTATING),
    localConnection(REUSABLE, { rotation: 'none', clientAuthentication: 'client_secret_post' }),
    localConnection(HELD, { clientAuthentication: 'client_secret_post' }),
  ];
  harness = await startHarness(connections, (environment) => {
    // A sweep notes itself if the last one was long ago, measured in intervals: here it never is.
    environment.ROTATION_SCHEDULE = '0 0 * * * *';
  });
  await harness.tick();
});
afterAll(async () => harness.close());

const force = (name: string) =>
  harness.http('rotateConnection', 'POST', `connections/${name}/rotate?force=true`, { name });
const refreshRequests = (name: string) =>
  harness.servers.authorization.tokenRequests.filter(
    ({ clientId, grantType }) => clientId === name && grantType === 'refresh_token',
  );

describe('the timer', () => {
  test.each([ROTATING, REUSABLE, HELD])('publishes a valid first access token of %s', async (name) => {
    const token = await readAccessToken(name, harness.servers);
    expect(await accepted(token ?? '', harness.servers)).toBe(true);
  });

  test('makes one list request and no vault operation if nothing is due', async () => {
    harness.takeStorageRequests();
    const { credentialVault, tokenVault } = harness.servers;
    const before = [credentialVault.requests.length, tokenVault.requests.length];
    await harness.tick();
    expect(harness.takeStorageRequests()).toEqual([expect.stringContaining('comp=list')]);
    expect([credentialVault.requests.length, tokenVault.requests.length]).toEqual(before);
  });
});

describe('a rotation in the steady state', () => {
  test.each([
    [ROTATING, { getSecret: 2, updateSecret: 2, setSecret: 2 }],
    [REUSABLE, { getSecret: 2, updateSecret: 2, setSecret: 1 }],
  ])('of %s makes only the necessary requests', async (name, expected) => {
    const { credentialVault, tokenVault } = harness.servers;
    const sentBefore = refreshRequests(name).length;
    for (const vault of [credentialVault, tokenVault]) vault.clearRequests();
    harness.takeStorageRequests();
    expect((await force(name)).status).toBe(200);
    const operations = [...credentialVault.requests, ...tokenVault.requests].map(
      ({ operation }) => operation,
    );
    const counts = Object.fromEntries(
      Object.keys(Object.groupBy(operations, (o) => o)).map((o) => [
        o,
        operations.filter((one) => one === o).length,
      ]),
    );
    expect(counts).toEqual(expected);
    expect(harness.takeStorageRequests()).toHaveLength(5);
    expect(refreshRequests(name)).toHaveLength(sentBefore + 1);
  });
});

test('only the refresh token in use and its parent are enabled in the vault', async () => {
  const { credentialVault, bearers } = harness.servers;
  const vault = createSecretVault(credentialVault.tlsUrl ?? '', {
    getToken: async () => ({ token: bearers.operator, expiresOnTimestamp: Date.now() + 60_000 }),
  });
  const versions = await vault.versions(`${ROTATING}-refresh-token`);
  const latest = await vault.get(`${ROTATING}-refresh-token`);
  expect(versions).toHaveLength(4);
  const live = versions.filter(({ enabled }) => enabled !== false).map(({ version }) => version);
  expect(live.toSorted()).toEqual([latest?.version ?? '', latest?.tags.parent ?? ''].toSorted());
});

describe('a manual rotation', () => {
  test('saves a new refresh-token version, publishes a new access token, and returns neither', async () => {
    const [oldRefresh, oldAccess] = [
      await harness.readSecret('credential', `${HELD}-refresh-token`),
      await readAccessToken(HELD, harness.servers),
    ];
    const held = Promise.withResolvers<void>();
    const arrived = Promise.withResolvers<void>();
    harness.servers.authorization.intercept(async () => {
      arrived.resolve();
      await held.promise;
      return undefined;
    });
    const sentBefore = refreshRequests(HELD).length;
    const first = force(HELD);
    await arrived.promise;
    const second = await force(HELD);
    expect(second.status).toBe(409);
    expect(second.body.code).toBe('in_progress');
    expect(second.headers.get('retry-after')).toMatch(/^\d+$/);
    held.resolve();
    harness.servers.authorization.intercept(undefined);
    const response = await first;
    expect(response.status).toBe(200);
    expect(response.body).toMatchObject({ result: 'rotated', connection: HELD, generation: 2 });
    expect(refreshRequests(HELD)).toHaveLength(sentBefore + 1);
    const refresh = await harness.readSecret('credential', `${HELD}-refresh-token`);
    expect(refresh?.id).not.toBe(oldRefresh?.id);
    expect(refresh?.value).not.toBe(oldRefresh?.value);
    const access = await readAccessToken(HELD, harness.servers);
    expect(access).not.toBe(oldAccess);
    expect(await accepted(access ?? '', harness.servers)).toBe(true);
  });

  test('that is forced again immediately is refused', async () => {
    const response = await force(HELD);
    expect(response.status).toBe(429);
    expect(response.body.code).toBe('cooldown');
  });

  test('that is not due returns 200 and does nothing', async () => {
    const sentBefore = refreshRequests(HELD).length;
    const response = await harness.http('rotateConnection', 'POST', `connections/${HELD}/rotate`, {
      name: HELD,
    });
    expect(response).toMatchObject({ status: 200, body: { result: 'not_due' } });
    expect(refreshRequests(HELD)).toHaveLength(sentBefore);
  });

  test('with an invalid value of force is refused and sends nothing', async () => {
    const sentBefore = refreshRequests(HELD).length;
    const path = `connections/${HELD}/rotate?force=maybe`;
    const response = await harness.http('rotateConnection', 'POST', path, { name: HELD });
    expect(response).toMatchObject({ status: 400, body: { code: 'parameter_invalid' } });
    expect(refreshRequests(HELD)).toHaveLength(sentBefore);
  });

  test.each(['forc=true', 'force=true&x=', 'Force=true'])(
    'with an unknown parameter is refused and sends nothing: %s',
    async (query) => {
      const sentBefore = refreshRequests(HELD).length;
      const path = `connections/${HELD}/rotate?${query}`;
      const response = await harness.http('rotateConnection', 'POST', path, { name: HELD });
      expect(response).toMatchObject({ status: 400, body: { code: 'parameter_invalid' } });
      expect(refreshRequests(HELD)).toHaveLength(sentBefore);
    },
  );

  test("ignores the platform's own parameters", async () => {
    const path = `connections/${HELD}/rotate?code=a-function-key&clientId=default`;
    const response = await harness.http('rotateConnection', 'POST', path, { name: HELD });
    expect(response).toMatchObject({ status: 200, body: { result: 'not_due' } });
  });

  test('with a body over 4 KB is refused', async () => {
    const response = await harness.http(
      'rotateConnection',
      'POST',
      `connections/${HELD}/rotate`,
      { name: HELD },
      { 'content-length': '4097' },
    );
    expect(response.status).toBe(413);
  });

  test.each([
    [4097, 413],
    [4096, 200],
  ])('with a body of %i bytes and no declared length returns %i', async (bytes, status) => {
    const path = `connections/${HELD}/rotate`;
    const body = new Uint8Array(bytes);
    const chunked = { 'transfer-encoding': 'chunked' };
    const response = await harness.http('rotateConnection', 'POST', path, { name: HELD }, chunked, body);
    expect(response.status).toBe(status);
  });

  test.each([
    ['rotateDue', 'POST', 'rotate'],
    ['connectionStatus', 'GET', 'connections'],
    ['health', 'GET', 'health'],
  ])('with a body over 4 KB is refused by every function: %s', async (name, method, path) => {
    const response = await harness.http(name, method, path, {}, { 'content-length': '4097' });
    expect(response).toMatchObject({ status: 413, body: { code: 'body_too_large' } });
  });

  test('of all due connections returns a summary', async () => {
    const response = await harness.http('rotateDue', 'POST', 'rotate');
    expect(response).toMatchObject({ status: 200, body: { connections: 3, invalid: 0 } });
  });
});

describe('the status', () => {
  test('of all connections has state, generation and times', async () => {
    const response = await harness.http('connectionStatus', 'GET', 'connections');
    const [rotating] = response.body.connections as readonly Shown[];
    expect(rotating).toMatchObject({ name: ROTATING, state: 'fresh', generation: 2, provider: 'generic' });
    expect(Date.parse(String(rotating?.accessTokenExpires))).toBeGreaterThan(Date.now());
  });

  test.each([
    ['a result', 'connections', {}],
    ['a problem', 'connections/unknown', { name: 'unknown' }],
  ])('has headers that stop a browser from using it: %s', async (_, path, params) => {
    const { headers } = await harness.http('connectionStatus', 'GET', path, params);
    expect(Object.fromEntries(headers)).toMatchObject({
      'cache-control': 'no-store',
      'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
      'cross-origin-resource-policy': 'same-origin',
      'referrer-policy': 'no-referrer',
      'strict-transport-security': 'max-age=31536000',
      'x-content-type-options': 'nosniff',
    });
  });

  test('health tells every caller only yes or no', async () => {
    const response = await harness.http('health', 'GET', 'health');
    expect(response).toMatchObject({ status: 200, body: { status: 'ok' } });
  });
});

test('no output or response contains a token or secret', () => {
  const { authorization, credentialVault, tokenVault, identity, clients } = harness.servers;
  const output = harness.output.join('\n');
  const issued = [
    ...authorization.issuedValues(),
    ...tokenVault.issuedValues(),
    ...identity.issuedTokens(),
    ...clients.map(({ clientSecret }) => clientSecret),
  ];
  // The client ids in the credential vault are the connections' names here, so they are not secret.
  const stored = credentialVault
    .issuedValues()
    .filter((value) => !clients.some(({ clientId }) => clientId === value));
  const secrets = [...issued, ...stored].filter((value) => value !== 'pending');
  expect(secrets.length).toBeGreaterThan(20);
  expect(output.length).toBeGreaterThan(1000);
  expect(secrets.filter((secret) => output.includes(secret))).toEqual([]);
});
