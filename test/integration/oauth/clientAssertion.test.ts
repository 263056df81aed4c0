import { sign as signText } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { createClientAssertions } from '../../../lib/oauth/clientAssertion.ts';
import { createTokenEndpoint } from '../../../lib/oauth/tokenEndpoint.ts';
import type { ClientKey } from '../../../lib/rotation/core/connection.ts';
import type { LocalClient } from '../../../local/authorizationServer/server.ts';
import { type LocalClientKey, newClientKey } from '../../../local/clientKeys.ts';
import { startManagedIdentity } from '../../../local/keyVault/managedIdentity.ts';
import { localClient, startForTest } from '../../local/authorizationServer/support.ts';
import { connectionNamed } from '../../unit/rotation/world/connection.ts';

const CLIENT_ID = 'app';
const KEY = await newClientKey({ type: 'RSA', withCertificate: true });
const OTHER = await newClientKey({ type: 'RSA', withCertificate: true });
const ELLIPTIC = await newClientKey({ type: 'EC', withCertificate: true });
const MINUTE = 60;

/** An authorization server that verifies assertions, and one that is right. */
async function start(changes: Partial<LocalClient> = {}) {
  const client = localClient({
    clientId: CLIENT_ID,
    clientAuthentication: 'private_key_jwt',
    keys: [KEY.jwk],
    thumbprints: [KEY.thumbprint ?? ''],
    rotation: 'none',
    ...changes,
  });
  const server = await startForTest({ clients: [client] });
  const refreshToken = await server.seedRefreshToken(CLIENT_ID);
  const { clientAuthentication } = client;
  const connection = connectionNamed('crm', { tokenUri: server.tokenEndpoint, clientAuthentication });
  let ids = 0;
  const assertions = createClientAssertions({
    keys: () => {
      throw new Error('The vault is not asked.');
    },
    federatedToken: async () => '',
    newId: () => `id-${++ids}`,
  });
  const endpoint = createTokenEndpoint({ allowLoopbackHttp: true, now: Date.now });
  const send = (clientAssertion: string) =>
    endpoint.send(
      { connection, clientId: CLIENT_ID, clientSecret: '', clientAssertion, refreshToken },
      { mayStillSend: () => true, waitMs: 10_000 },
    );
  const assert = (key: LocalClientKey = KEY, algorithm?: ClientKey['algorithm']) => {
    const secret = { value: key.pem, version: 'v', createdAt: 0, tags: {}, properties: {} };
    const clientKey = { kind: 'secret', name: 'crm-client-key', ...(algorithm && { algorithm }) } as const;
    return assertions.sign(connection, CLIENT_ID, { key: clientKey, secret }, Date.now());
  };
  return { server, send, assert };
}

type Part = Readonly<Record<string, unknown>>;

/** The assertion with other members, signed again. */
function altered(
  assertion: string,
  { header = {}, claims = {}, key = KEY }: { header?: Part; claims?: Part; key?: LocalClientKey },
): string {
  const [first, second] = assertion
    .split('.')
    .slice(0, 2)
    .map((part) => JSON.parse(Buffer.from(part, 'base64url').toString()) as Part);
  const input = [
    { ...first, ...header },
    { ...second, ...claims },
  ]
    .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
    .join('.');
  return `${input}.${signText('sha256', Buffer.from(input), key.privateKey).toString('base64url')}`;
}

describe('an authorization server that verifies assertions', () => {
  test.each([
    ['RS256', KEY],
    ['PS256', KEY],
    ['ES256', ELLIPTIC],
  ] as const)('accepts an assertion with %s, and a new one each time', async (algorithm, key) => {
    const { send, assert } = await start({ keys: [key.jwk], thumbprints: [key.thumbprint ?? ''] });
    for (const _ of ['first', 'second'])
      expect(await send(await assert(key, algorithm))).toHaveProperty('accessToken');
  });

  test('accepts an assertion that was only signed again', async () => {
    const { send, assert } = await start();
    expect(await send(altered(await assert(), {}))).toHaveProperty('accessToken');
  });

  const now = Math.floor(Date.now() / 1000);
  const wrong: Readonly<Record<string, Parameters<typeof altered>[1]>> = {
    'another issuer': { claims: { iss: 'another' } },
    'no issuer': { claims: { iss: undefined } },
    'another audience': { claims: { aud: 'https://another.example/token' } },
    'no audience': { claims: { aud: undefined } },
    'an end in the past': { claims: { exp: now - MINUTE } },
    'no end': { claims: { exp: undefined } },
    'an end that is far away': { claims: { exp: now + 60 * MINUTE } },
    'a beginning in the future': { claims: { nbf: now + 10 * MINUTE } },
    'a time of issue in the future': { claims: { iat: now + 10 * MINUTE } },
    'no id': { claims: { jti: undefined } },
    'another algorithm in the header': { header: { alg: 'PS256' } },
    'no signature': { header: { alg: 'none' } },
    'the signature of another key': { key: OTHER },
    'the certificate of another key': { header: { 'x5t#S256': OTHER.thumbprint } },
    'no certificate': { header: { 'x5t#S256': undefined } },
  };
  test.each(Object.entries(wrong))('refuses the client for one wrong part: %s', async (_, changes) => {
    const { send, assert } = await start();
    const { failure } = await send(altered(await assert(), changes));
    expect(failure).toMatchObject({ class: 'client_rejected', code: 'client_rejected' });
    expect(failure?.message).not.toContain('eyJ');
  });

  test.each([
    ['another subject', { sub: 'another' }],
    ['no subject', { sub: undefined }],
  ])('refuses an assertion with %s', async (_, claims) => {
    const { send, assert } = await start();
    expect((await send(altered(await assert(), { claims }))).failure?.class).toMatch(
      /^(client_rejected|misconfigured)$/,
    );
  });

  test('refuses an assertion that was used before', async () => {
    const { send, assert } = await start();
    const assertion = await assert();
    expect(await send(assertion)).toHaveProperty('accessToken');
    expect((await send(assertion)).failure).toMatchObject({ class: 'client_rejected' });
  });

  test('may repeat an assertion in its error: nothing of it is shown', async () => {
    const { server, send, assert } = await start();
    const assertion = await assert();
    const [, claims = '', signature = ''] = assertion.split('.');
    const repeated = [assertion, claims, signature, signature.slice(20, 40), encodeURIComponent(signature)];
    for (const text of repeated) {
      const body = { error: 'invalid_client', error_description: `Refused: ${text}` };
      server.intercept(() => ({ action: 'answer', answer: { status: 401, body } }));
      const { failure } = await send(assertion);
      expect(failure).toMatchObject({ class: 'client_rejected' });
      expect(failure?.message).toMatch(/says: "(Refused: )?\[redacted\]"/);
    }
  });

  test('refuses a client secret in the place of an assertion', async () => {
    const { server } = await start();
    const connection = connectionNamed('crm', {
      tokenUri: server.tokenEndpoint,
      clientAuthentication: 'client_secret_post',
    });
    const endpoint = createTokenEndpoint({ allowLoopbackHttp: true, now: Date.now });
    const request = { connection, clientId: CLIENT_ID, clientSecret: 'a secret', refreshToken: 'unknown' };
    const { failure } = await endpoint.send(request, { mayStillSend: () => true, waitMs: 10_000 });
    expect(failure).toMatchObject({ class: 'client_rejected' });
  });
});

describe('an authorization server that trusts a managed identity', () => {
  const AUDIENCE = 'api://AzureADTokenExchange';
  const IDENTITY = '00000000-0000-4000-8000-000000000001';

  async function tokenOf(url: string, header: string, audience: string, identity = IDENTITY) {
    const query = new URLSearchParams({
      'api-version': '2019-08-01',
      resource: audience,
      client_id: identity,
    });
    const response = await fetch(`${url}?${query}`, { headers: { 'x-identity-header': header } });
    return ((await response.json()) as { access_token: string }).access_token;
  }

  test('accepts its token for the right audience, and refuses any other', async () => {
    const [identity, stranger] = [
      await startManagedIdentity({ header: 'h' }),
      await startManagedIdentity({ header: 'h' }),
    ];
    const federation = { ...identity.federation(IDENTITY), audience: AUDIENCE };
    const { send } = await start({ clientAuthentication: 'managed_identity_federation', federation });
    const right = await tokenOf(identity.url, 'h', AUDIENCE);
    expect(await send(right)).toHaveProperty('accessToken');
    const refused = [
      await tokenOf(identity.url, 'h', 'https://vault.azure.net'),
      await tokenOf(identity.url, 'h', AUDIENCE, '00000000-0000-4000-8000-000000000002'),
      await tokenOf(stranger.url, 'h', AUDIENCE),
      `${right.slice(0, -4)}AAAA`,
      'not.a.token',
      '',
    ];
    for (const token of refused)
      expect((await send(token)).failure, token.slice(0, 8)).toMatchObject({ class: 'client_rejected' });
    await Promise.all([identity.close(), stranger.close()]);
  });
});
