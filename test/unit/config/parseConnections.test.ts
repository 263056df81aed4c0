import { describe, expect, it } from 'vitest';
import { parseConnections } from '../../../lib/config/parseConnections.ts';
import { parametersOf, providers, tokenUriOf } from '../../../lib/oauth/providers/index.ts';
import type { Connection } from '../../../lib/rotation/core/connection.ts';
import { CONTEXT, ENTRY, fileOf } from './support.ts';

describe('defaults', () => {
  it('fill the smallest entry to a whole connection', () => {
    expect(only(ENTRY)).toEqual({
      name: 'one',
      provider: 'generic',
      enabled: true,
      tokenUri: 'https://login.example.com/token',
      clientId: undefined,
      clientAuthentication: providers.generic.clientAuthentication,
      parameters: {},
      secrets: {
        clientId: 'one-client-id',
        clientSecrets: ['one-client-secret'],
        refreshToken: 'one-refresh-token',
        accessToken: 'one-access-token',
      },
      vaults: { credential: 'https://credentials.vault.azure.net', token: 'https://tokens.vault.azure.net' },
      behavior: providers.generic.behavior,
      renewBeforeMs: undefined,
      allowPrivateNetwork: false,
      overwrite: false,
      fingerprint: expect.stringMatching(/^[0-9a-f]{16}$/),
    });
  });

  it.each(['entra', 'dynamics365', 'okta'] as const)('come from the provider %s', (provider) => {
    const serviceUrl = 'https://org.crm.dynamics.com';
    const profile = providers[provider];
    const { tokenUri } = ENTRY;
    expect(only({ provider, serviceUrl, tokenUri })).toMatchObject({
      provider,
      clientAuthentication: profile.clientAuthentication,
      behavior: profile.behavior,
      parameters: parametersOf(profile, { serviceUrl }),
    });
  });

  it("include the provider's address for a tenant", () => {
    const tenant = 'contoso.onmicrosoft.com';
    expect(only({ provider: 'entra', tenant }).tokenUri).toBe(tokenUriOf(providers.entra, { tenant }));
  });
});

describe('a value in an entry is used', () => {
  it.each<[string, object, object]>([
    [
      'a leading POST, as the driver writes it',
      { tokenUri: 'POST https://a.example/t' },
      { tokenUri: 'https://a.example/t' },
    ],
    [
      'an address with a query',
      { tokenUri: 'https://a.example/t?p=1' },
      { tokenUri: 'https://a.example/t?p=1' },
    ],
    ['an address of 2,000 characters', { tokenUri: longUri(2000) }, { tokenUri: longUri(2000) }],
    ['an address together with a provider', { provider: 'entra' }, { tokenUri: ENTRY.tokenUri }],
    ['a client id', { clientId: ' id ' }, { clientId: 'id' }],
    [
      'client authentication',
      { clientAuthentication: 'client_secret_post' },
      { clientAuthentication: 'client_secret_post' },
    ],
    [
      'a client with a key, in the default secret',
      { clientAuthentication: 'private_key_jwt' },
      { clientKeys: [{ kind: 'secret', name: 'one-client-key' }], secrets: { clientSecrets: [] } },
    ],
    [
      'several keys in order',
      {
        clientAuthentication: 'private_key_jwt',
        clientKey: [{ certificate: 'b', algorithm: 'PS256' }, { key: 'a', keyId: '7' }, { secret: 'c' }],
      },
      {
        clientKeys: [
          { kind: 'certificate', name: 'b', algorithm: 'PS256' },
          { kind: 'key', name: 'a', keyId: '7' },
          { kind: 'secret', name: 'c' },
        ],
      },
    ],
    [
      'the audience of an assertion',
      {
        provider: 'entra',
        tokenUri: undefined,
        clientAuthentication: 'managed_identity_federation',
        clientAssertionAudience: 'api://AzureADTokenExchangeChina',
      },
      { assertionAudience: 'api://AzureADTokenExchangeChina', secrets: { clientSecrets: [] } },
    ],
    [
      'a client that acts for itself: its requests can be repeated, and no scope asks for a refresh token',
      { grant: 'client_credentials', scope: 'api offline_access' },
      {
        grant: 'client_credentials',
        parameters: { scope: 'api' },
        behavior: { refreshTokenGraceMs: Number.POSITIVE_INFINITY },
      },
    ],
    [
      'a client that acts for itself in Dynamics 365',
      {
        provider: 'dynamics365',
        grant: 'client_credentials',
        tokenUri: undefined,
        tenant: 'contoso.example',
        serviceUrl: 'https://contoso.crm.dynamics.com/api/data',
        clientAuthentication: 'managed_identity_federation',
      },
      {
        tokenUri: 'https://login.microsoftonline.com/contoso.example/oauth2/v2.0/token',
        parameters: { scope: 'https://contoso.crm.dynamics.com/.default' },
      },
    ],
    ['a public client', { clientAuthentication: 'none' }, { secrets: { clientSecrets: [] } }],
    ['an empty client secret', { emptyClientSecret: true }, { secrets: { clientSecrets: [] } }],
    ['scope and resource', { scope: 'a b', resource: 'r' }, { parameters: { resource: 'r', scope: 'a b' } }],
    [
      'parameters',
      { scope: 's', parameters: { audience: 'x' } },
      { parameters: { audience: 'x', scope: 's' } },
    ],
    [
      'parameters, with precedence over those of the profile',
      { parameters: { scope: 'mine' }, provider: 'entra' },
      { parameters: { scope: 'mine' } },
    ],
    ['one client secret', { secrets: { clientSecret: 'a' } }, { secrets: { clientSecrets: ['a'] } }],
    [
      'several client secrets in order',
      { secrets: { clientSecret: ['b', 'a'] } },
      { secrets: { clientSecrets: ['b', 'a'] } },
    ],
    [
      'names of secrets',
      { secrets: { clientId: 'i', refreshToken: 'r', accessToken: 'a' } },
      { secrets: { clientId: 'i', refreshToken: 'r', accessToken: 'a' } },
    ],
    [
      'vaults',
      { vaults: { credential: 'https://c.vault.azure.net/', token: 'https://t.vault.azure.net' } },
      { vaults: { credential: 'https://c.vault.azure.net', token: 'https://t.vault.azure.net' } },
    ],
    ['seconds before expiry', { renewBefore: 0.5 }, { renewBeforeMs: 500 }],
    ['a grace', { refreshTokenGrace: 30 }, { behavior: { refreshTokenGraceMs: 30_000 } }],
    [
      'a grace of 0, with precedence over that of the provider',
      { provider: 'okta', refreshTokenGrace: 0 },
      { behavior: { refreshTokenGraceMs: 0 } },
    ],
    [
      'an unlimited grace',
      { refreshTokenGrace: 'unlimited' },
      { behavior: { refreshTokenGraceMs: Number.POSITIVE_INFINITY } },
    ],
    ['the format of the request', { requestFormat: 'json' }, { behavior: { requestFormat: 'json' } }],
    [
      'the shape of the response',
      {
        response: {
          tokensIn: 'data.0',
          bearerTypes: ['bot'],
          expiresIn: 'ttl',
          expiresInUnit: 'milliseconds',
          tags: ['instance_url'],
        },
      },
      {
        behavior: {
          response: {
            tokensIn: 'data.0',
            bearerTypes: ['bot'],
            expiresIn: 'ttl',
            expiresInUnit: 'ms',
            tags: ['instance_url'],
          },
        },
      },
    ],
    [
      'other tags than those of the provider, or none',
      { provider: 'salesforce', response: { tags: [] } },
      { behavior: { response: { tags: [] } } },
    ],
    ['a lifetime', { accessTokenLifetime: 1800 }, { behavior: { defaultExpiresInMs: 1_800_000 } }],
    ['overwrite', { overwrite: true }, { overwrite: true }],
    ['allowPrivateNetwork', { allowPrivateNetwork: true }, { allowPrivateNetwork: true }],
    ['a pause', { enabled: false }, { enabled: false }],
  ])('%s', (_, entry, expected) => {
    expect(only({ ...ENTRY, ...entry })).toMatchObject(expected);
  });

  it('accepts http to this machine if it is allowed', () => {
    const context = { ...CONTEXT, allowLoopbackHttp: true };
    const tokenUri = 'http://127.0.0.1:9000/token';
    expect(parseConnections(fileOf({ one: { tokenUri } }), context).valid).toMatchObject([{ tokenUri }]);
  });

  it('accepts the longest name, a byte order mark and $schema', () => {
    const text = JSON.stringify({
      $schema: './connections.schema.json',
      connections: { ['n'.repeat(113)]: ENTRY },
    });
    const { valid } = parseConnections(`\uFEFF${text}`, CONTEXT);
    expect(valid[0]?.secrets.refreshToken).toHaveLength(127);
  });

  it('accepts an empty file', () => {
    expect(parseConnections(fileOf({}), CONTEXT)).toEqual({ valid: [], invalid: [] });
  });
});

describe('the fingerprint', () => {
  const before = only(ENTRY).fingerprint;

  it('is the same for the same entry in any order', () => {
    const one = only({ ...ENTRY, parameters: { a: '1', b: '2' } });
    const other = only({ parameters: { b: '2', a: '1' }, ...ENTRY });
    expect(other.fingerprint).toBe(one.fingerprint);
    expect(only({ ...ENTRY, provider: 'generic', overwrite: false }).fingerprint).toBe(before);
  });

  it.each<[string, object]>([
    ['address', { tokenUri: 'https://other.example/t' }],
    ['client id', { clientId: 'x' }],
    ['client authentication', { clientAuthentication: 'client_secret_post' }],
    ['scope', { scope: 'x' }],
    ['parameters', { parameters: { a: 'x' } }],
    ['names of secrets', { secrets: { clientSecret: 'x' } }],
    ['vaults', { vaults: { credential: 'https://x.vault.azure.net' } }],
    ['allowPrivateNetwork', { allowPrivateNetwork: true }],
  ])('changes with the %s', (_, change) => {
    expect(only({ ...ENTRY, ...change }).fingerprint).not.toBe(before);
  });

  it.each<[string, object]>([
    ['grace', { refreshTokenGrace: 'unlimited' }],
    ['times', { renewBefore: 60, accessTokenLifetime: 600 }],
    ['right to overwrite', { overwrite: true }],
    ['pause', { enabled: false }],
  ])('does not change with the %s, which clears no block', (_, change) => {
    expect(only({ ...ENTRY, ...change }).fingerprint).toBe(before);
  });

  it('differs between connections with the same entry', () => {
    const secrets = (name: string) => ({
      clientId: 'i',
      clientSecret: 's',
      refreshToken: `r${name}`,
      accessToken: `a${name}`,
    });
    const { valid } = parseConnections(
      fileOf({ a: { ...ENTRY, secrets: secrets('1') }, b: { ...ENTRY, secrets: secrets('2') } }),
      CONTEXT,
    );
    expect(new Set(valid.map(({ fingerprint }) => fingerprint)).size).toBe(2);
  });
});

/** The connection of the entry, under the name `one`. */
function only(entry: object): Connection {
  const { valid, invalid } = parseConnections(fileOf({ one: entry }), CONTEXT);
  expect(invalid).toEqual([]);
  const [connection] = valid;
  if (!connection) throw new Error('no connection');
  return connection;
}

function longUri(length: number): string {
  return 'https://a.example/'.padEnd(length, 'x');
}
