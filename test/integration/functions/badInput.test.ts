import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { localConnection } from '../../support/localConnection.ts';
import type { Shown } from '../../support/shown.ts';
import { type Harness, startHarness } from './harness.ts';

const NAMES = [
  'missing',
  'empty',
  'deleted',
  'forbidden',
  'nonsense',
  'replaced',
  'revoked',
  'wrong-client',
  'foreign',
  'healthy',
] as const;
type Name = (typeof NAMES)[number];

let harness: Harness;

beforeAll(async () => {
  const connections = NAMES.map((name) => localConnection(name));
  harness = await startHarness(connections, (env, { authorization }) => {
    env.CONNECTIONS = JSON.stringify({ connections: entries(authorization.tokenEndpoint) });
  });
  await breakThings();
  await harness.tick();
});
afterAll(async () => harness.close());
beforeEach(() => harness.servers.authorization.intercept(undefined));

function entries(tokenUri: string): Record<string, object> {
  const good = Object.fromEntries(NAMES.map((name) => [name, { tokenUri }]));
  return {
    ...good,
    'no spaces allowed': { tokenUri },
    typo: { tokenUrl: tokenUri },
    sleeping: { tokenUri, enabled: false },
  };
}

/** Makes the mistakes that an operator or a provider can make. */
async function breakThings(): Promise<void> {
  await harness.deleteSecret('credential', 'missing-refresh-token');
  await harness.setSecret('empty-refresh-token', '  ');
  await harness.setTokenSecret('deleted-access-token', 'of an earlier rotator');
  await harness.deleteSecret('token', 'deleted-access-token');
  await harness.setSecret('revoked-refresh-token', 'a refresh token that was never issued');
  await harness.setSecret('wrong-client-client-secret', 'not the right one');
  await harness.setTokenSecret('foreign-access-token', 'of another process');
  harness.servers.credentialVault.intercept(({ secretName }) =>
    secretName?.startsWith('forbidden-') ? { kind: 'answerInstead', answer: FORBIDDEN } : undefined,
  );
  harness.servers.authorization.intercept(({ clientId }) =>
    clientId === 'nonsense'
      ? { action: 'answer', answer: { status: 200, body: '<html>Welcome</html>', contentType: 'text/html' } }
      : undefined,
  );
}

const FORBIDDEN = {
  status: 403,
  body: {
    error: {
      code: 'Forbidden',
      message: 'Caller is not authorized.',
      innererror: { code: 'ForbiddenByRbac' },
    },
  },
};

const rotate = (name: string) =>
  harness.http('rotateConnection', 'POST', `connections/${name}/rotate`, { name });
const status = (name: string) => harness.http('connectionStatus', 'GET', `connections/${name}`, { name });
const refreshRequests = (name: Name) =>
  harness.servers.authorization.tokenRequests.filter(
    ({ clientId, grantType }) => clientId === name && grantType === 'refresh_token',
  ).length;

describe('a fault in one connection', () => {
  test.each([
    ['a missing secret', 'missing', 'secret_missing', 'blocked', 409, 0],
    ['an empty secret', 'empty', 'secret_empty', 'blocked', 409, 0],
    ['a soft-deleted published name', 'deleted', 'secret_soft_deleted', 'retrying', 409, 0],
    ['a vault that returns 403', 'forbidden', 'vault_forbidden', 'retrying', 503, 0],
    ['a token endpoint that returns HTML', 'nonsense', 'outcome_unknown', 'outcome_unknown', 409, 1],
    ['a refresh token that the provider refuses', 'revoked', 'reauthorization_required', 'blocked', 409, 1],
    ['a wrong client secret', 'wrong-client', 'client_rejected', 'blocked', 409, 1],
    [
      'a published name that the rotator does not manage',
      'foreign',
      'secret_not_managed',
      'retrying',
      409,
      0,
    ],
  ] as const)(
    '%s: status, response and log have the cause and the fix',
    async (_, name, code, state, httpStatus, sent) => {
      const { body } = await status(name);
      expect(body).toMatchObject({ name, state, reason: code });
      const failure = body as { message: string; fix: string };
      expect([failure.message.length, failure.fix.length].every((length) => length > 10)).toBe(true);
      const response = await rotate(name);
      expect(response.status).toBe(httpStatus);
      expect(response.headers.get('content-type')).toBe('application/problem+json');
      expect(response.body).toMatchObject({
        code,
        detail: failure.message,
        fix: failure.fix,
        connection: name,
      });
      expect(
        harness.output.some(
          (line) => line.includes(`"code":"${code}"`) && line.includes(`"connection":"${name}"`),
        ),
      ).toBe(true);
      expect(refreshRequests(name)).toBe(sent);
    },
  );

  test('leaves a healthy connection alone', async () => {
    expect((await status('healthy')).body).toMatchObject({ state: 'fresh', generation: 1 });
  });

  test('does not overwrite a secret that the rotator does not manage', async () => {
    expect((await harness.readSecret('token', 'foreign-access-token'))?.value).toBe('of another process');
  });

  test('uses a manually replaced refresh token at the next rotation, without any error', async () => {
    const fresh = await harness.servers.authorization.seedRefreshToken('replaced');
    await harness.setSecret('replaced-refresh-token', fresh);
    const response = await harness.http(
      'rotateConnection',
      'POST',
      'connections/replaced/rotate?force=true',
      {
        name: 'replaced',
      },
    );
    expect(response).toMatchObject({ status: 200, body: { result: 'rotated' } });
    expect((await status('replaced')).body).toMatchObject({ state: 'fresh' });
  });

  test('a forced rotation uses a fixed client secret immediately', async () => {
    const right =
      harness.servers.clients.find(({ clientId }) => clientId === 'wrong-client')?.clientSecret ?? '';
    await harness.setSecret('wrong-client-client-secret', right);
    const response = await harness.http(
      'rotateConnection',
      'POST',
      'connections/wrong-client/rotate?force=true',
      { name: 'wrong-client' },
    );
    expect(response).toMatchObject({ status: 200, body: { result: 'rotated' } });
  });
});

describe('a fault in the configuration', () => {
  test('an unknown connection is 404', async () => {
    expect(await rotate('unknown')).toMatchObject({ status: 404, body: { code: 'connection_unknown' } });
    expect((await status('unknown')).status).toBe(404);
  });

  test('a wrong entry is invalid, and its rotation is refused', async () => {
    expect((await status('typo')).body).toMatchObject({
      state: 'invalid',
      reason: 'connection_invalid',
    });
    expect(await rotate('typo')).toMatchObject({ status: 409, body: { code: 'connection_invalid' } });
  });

  test('the list includes an entry with a name that Key Vault would refuse', async () => {
    const { body } = await harness.http('connectionStatus', 'GET', 'connections');
    const invalid = (body.connections as readonly Shown[]).filter(({ state }) => state === 'invalid');
    expect(invalid.map(({ message }) => message)).toContainEqual(expect.stringContaining('name'));
  });

  test('a paused connection is shown as paused and never rotated', async () => {
    expect((await status('sleeping')).body).toMatchObject({ state: 'paused' });
    expect(await rotate('sleeping')).toMatchObject({ status: 409, body: { code: 'connection_paused' } });
  });
});
