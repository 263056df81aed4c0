import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { LocalConnection } from '../../../local/connections.ts';
import { accepted, readAccessToken } from '../../../local/requests.ts';
import { localConnection } from '../../support/localConnection.ts';
import { type Harness, startHarness } from './harness.ts';

/** Each way in which a client proves its identity beside a usual client secret, at an authorization server that checks it. */
const WAYS: Readonly<Record<string, Partial<LocalConnection>>> = {
  'basic-raw': { clientAuthentication: 'client_secret_basic_raw' },
  'basic-empty': { clientAuthentication: 'client_secret_basic', emptyClientSecret: true },
  'post-empty': { clientAuthentication: 'client_secret_post', emptyClientSecret: true },
  public: { clientAuthentication: 'none' },
  'pem-es256': { clientAuthentication: 'private_key_jwt', clientKey: 'secret' },
  'pem-ps256': { clientAuthentication: 'private_key_jwt', clientKey: 'secret', algorithm: 'PS256' },
  'key-es256': { clientAuthentication: 'private_key_jwt', clientKey: 'key' },
  'certificate-rs256': { clientAuthentication: 'private_key_jwt', clientKey: 'certificate' },
  'certificate-ps256': {
    clientAuthentication: 'private_key_jwt',
    clientKey: 'certificate',
    algorithm: 'PS256',
  },
  federated: { clientAuthentication: 'managed_identity_federation' },
};

/** Clients that act for themselves. */
const GRANT = { grant: 'client_credentials' } as const;
const CLIENTS: Readonly<Record<string, Partial<LocalConnection>>> = {
  'own-secret': { ...GRANT, clientAuthentication: 'client_secret_basic' },
  'own-certificate': { ...GRANT, clientAuthentication: 'private_key_jwt', clientKey: 'certificate' },
  'own-federated': { ...GRANT, clientAuthentication: 'managed_identity_federation' },
};

const REMOVED = 'own-removed';

let harness: Harness;

beforeAll(async () => {
  harness = await startHarness(
    Object.entries({ ...WAYS, ...CLIENTS, [REMOVED]: CLIENTS['own-secret'] }).map(([name, way]) =>
      localConnection(name, way),
    ),
  );
  await harness.tick();
});
afterAll(async () => harness.close());

const force = (name: string) =>
  harness.http('rotateConnection', 'POST', `connections/${name}/rotate?force=true`, { name });

describe.each(Object.keys(WAYS))('a connection with the client authentication %s', (name) => {
  test('rotates, and publishes a valid access token each time', async () => {
    const first = await readAccessToken(name, harness.servers);
    expect(await accepted(first ?? '', harness.servers)).toBe(true);
    expect(await force(name)).toMatchObject({ status: 200, body: { result: 'rotated', generation: 2 } });
    const second = await readAccessToken(name, harness.servers);
    expect(second).not.toBe(first);
    expect(await accepted(second ?? '', harness.servers)).toBe(true);
  });
});

describe.each(Object.keys(CLIENTS))('a connection with the grant client_credentials: %s', (name) => {
  test('rotates without a refresh token, and publishes a token each time', async () => {
    const { authorization } = harness.servers;
    const first = await readAccessToken(name, harness.servers);
    expect(authorization.issuedValues()).toContain(first);
    expect(await force(name)).toMatchObject({ status: 200, body: { result: 'rotated' } });
    const second = await readAccessToken(name, harness.servers);
    expect(second).not.toBe(first);
    expect(authorization.issuedValues()).toContain(second);
    const own = authorization.tokenRequests.filter(({ clientId }) => clientId === name);
    expect(own.map(({ grantType }) => grantType)).toEqual(['client_credentials', 'client_credentials']);
    expect(await harness.readSecret('credential', `${name}-refresh-token`)).toBeUndefined();
  });
});

test('such a connection is removed and comes back through the same functions', async () => {
  const name = REMOVED;
  const removed = await harness.http('removeConnections', 'POST', `remove?name=${name}`);
  expect(removed).toMatchObject({ status: 200 });
  expect(await readAccessToken(name, harness.servers)).toBeUndefined();
  expect(await harness.http('connectionStatus', 'GET', `connections/${name}`, { name })).toMatchObject({
    body: { state: 'blocked', reason: 'connection_removed' },
  });
  const client = harness.servers.clients.find(({ clientId }) => clientId === name);
  await harness.setSecret(`${name}-client-secret`, client?.clientSecret ?? '');
  expect(await force(name)).toMatchObject({ status: 200, body: { result: 'rotated' } });
});

test('a client without a secret needs no secret in the vault', async () => {
  for (const name of ['basic-empty', 'public', 'key-es256', 'federated'])
    expect(await harness.readSecret('credential', `${name}-client-secret`)).toBeUndefined();
});

test('no assertion and no private key is in the output', () => {
  const shown = harness.output.join('\n');
  expect(shown).not.toMatch(/eyJ|PRIVATE KEY/);
  for (const { pem } of harness.servers.clientKeys.values())
    for (const line of pem.split('\n').filter((each) => each.length > 40 && !each.startsWith('-')))
      expect(shown).not.toContain(line);
});
