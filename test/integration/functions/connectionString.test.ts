import { parse } from '@tediousjs/connection-string';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { connectionsFile } from '../../../local/connections.ts';
import { accepted, readAccessToken } from '../../../local/requests.ts';
import { localConnection } from '../../support/localConnection.ts';
import { type Harness, startHarness } from './harness.ts';

const DRIVER = 'for-the-driver';
const HEADER = 'as-a-header';
const GATEWAY = 'with-refresh-token';
const PLAIN = 'without-string';
const SERVICE_URL = 'https://crm.example/api/data/v9.1/';

const connections = [
  localConnection(DRIVER),
  localConnection(HEADER),
  localConnection(GATEWAY, { rotation: 'none', clientAuthentication: 'client_secret_post' }),
  localConnection(PLAIN),
];
const asked: Readonly<Record<string, object>> = {
  [DRIVER]: { serviceUrl: SERVICE_URL, publish: { connectionString: 'accessToken' } },
  [HEADER]: {
    secrets: { connectionString: 'header-line' },
    publish: { connectionString: { syntax: 'raw', template: 'Authorization: Bearer {accessToken}' } },
  },
  [GATEWAY]: { serviceUrl: SERVICE_URL, publish: { connectionString: 'refreshToken' } },
};

let harness: Harness;

beforeAll(async () => {
  harness = await startHarness(connections, (env, { authorization }) => {
    const file = connectionsFile(connections, authorization.tokenEndpoint) as {
      connections: Record<string, object>;
    };
    const entries = Object.entries(file.connections).map(([name, entry]) => [
      name,
      { ...entry, ...asked[name] },
    ]);
    env.CONNECTIONS = JSON.stringify({ connections: Object.fromEntries(entries) });
  });
  await harness.tick();
});
afterAll(async () => harness.close());

const force = (name: string) =>
  harness.http('rotateConnection', 'POST', `connections/${name}/rotate?force=true`, { name });

describe('a rotation', () => {
  test.each([
    [DRIVER, { getSecret: 3, updateSecret: 2, setSecret: 3 }],
    [HEADER, { getSecret: 3, updateSecret: 2, setSecret: 3 }],
    [PLAIN, { getSecret: 2, updateSecret: 2, setSecret: 2 }],
    // The string has not changed: the rotator reads it and the secret that it replaces, and only sets its properties.
    [GATEWAY, { getSecret: 5, updateSecret: 3, setSecret: 1 }],
  ])(
    'of %s writes one more secret if the entry publishes a connection string, and makes no other request',
    async (name, expected) => {
      const { credentialVault, tokenVault } = harness.servers;
      for (const vault of [credentialVault, tokenVault]) vault.clearRequests();
      harness.takeStorageRequests();
      expect((await force(name)).status).toBe(200);
      const operations = [...credentialVault.requests, ...tokenVault.requests].map(
        ({ operation }) => operation,
      );
      const groups = Object.entries(Object.groupBy(operations, (operation) => operation));
      expect(Object.fromEntries(groups.map(([operation, all]) => [operation, all?.length]))).toEqual(
        expected,
      );
      expect(harness.takeStorageRequests()).toHaveLength(5);
    },
  );
});

test("the driver's string contains the access token that the rotator also publishes", async () => {
  const secret = await harness.readSecret('token', `${DRIVER}-connection-string`);
  const read = parse(secret?.value ?? '');
  expect(read.get('DRIVER')).toBe('DataDirect 8.0 Microsoft Dynamics 365');
  expect(read.get('ServiceURL')).toBe(SERVICE_URL);
  expect(read.get('AccessToken')).toBe(await readAccessToken(DRIVER, harness.servers));
  expect(await accepted(read.get('AccessToken') ?? '', harness.servers)).toBe(true);
  expect(secret).toMatchObject({ contentType: 'application/vnd.oauth.connection-string' });
  const accessToken = await harness.readSecret('token', `${DRIVER}-access-token`);
  expect(secret?.tags).toEqual(accessToken?.tags);
  const { nbf, exp } = accessToken?.attributes ?? {};
  expect([nbf, exp]).toEqual([expect.any(Number), expect.any(Number)]);
  expect(secret?.attributes).toMatchObject({ nbf, exp });
});

test('a template produces a header line that works unchanged', async () => {
  const secret = await harness.readSecret('token', 'header-line');
  const [, name, value] = /^(\w+): (.*)$/.exec(secret?.value ?? '') ?? [];
  expect(name).toBe('Authorization');
  expect(await accepted(value?.replace('Bearer ', '') ?? '', harness.servers)).toBe(true);
});

test('a string with the refresh token is in the credential vault only', async () => {
  const read = parse((await harness.readSecret('credential', `${GATEWAY}-connection-string`))?.value ?? '');
  const secretOf = async (name: string) =>
    (await harness.readSecret('credential', `${GATEWAY}-${name}`))?.value;
  expect(read.get('ClientID')).toBe(GATEWAY);
  expect(read.get('ClientSecret')).toBe(await secretOf('client-secret'));
  expect(read.get('RefreshToken')).toBe(await secretOf('refresh-token'));
  expect(read.get('TokenURI')).toBe(harness.servers.authorization.tokenEndpoint);
  const published = harness.servers.tokenVault.issuedValues().join('\n');
  expect(published).not.toContain(await secretOf('refresh-token'));
  expect(published).not.toContain(await secretOf('client-secret'));
  expect(await harness.readSecret('token', `${GATEWAY}-connection-string`)).toBeUndefined();
});

test('publishes no connection string for an entry without one', async () => {
  expect(await harness.readSecret('token', `${PLAIN}-access-token`)).toBeDefined();
  expect(await harness.readSecret('token', `${PLAIN}-connection-string`)).toBeUndefined();
});

test('no output or response contains a connection string, token or secret', () => {
  const { authorization, credentialVault, tokenVault } = harness.servers;
  const output = harness.output.join('\n');
  expect(output.length).toBeGreaterThan(1000);
  const names = connections.map(({ name }) => name);
  const secrets = [
    ...authorization.issuedValues(),
    ...tokenVault.issuedValues(),
    ...credentialVault.issuedValues(),
  ].filter((value) => value !== 'pending' && !names.includes(value));
  expect(secrets.length).toBeGreaterThan(20);
  expect(secrets.filter((secret) => output.includes(secret))).toEqual([]);
});
