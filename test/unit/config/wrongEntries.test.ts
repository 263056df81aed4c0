import { describe, expect, it } from 'vitest';
import { parseConnections } from '../../../lib/config/parseConnections.ts';
import type { Problem } from '../../../lib/errors.ts';
import { CONTEXT, ENTRY, fileOf, shown } from './support.ts';

const CANARY = 'canary 5b_a0';

describe('the problem of an invalid entry names path, cause and fix, and affects no other entry', () => {
  it.each<[string, unknown, string, string?]>([
    ['a text', CANARY, 'connections.bad must be an object'],
    ['null', null, 'connections.bad must be an object'],
    ['a list', [], 'connections.bad must be an object'],
    [
      'no address',
      {},
      'connections.bad.tokenUri is missing',
      'Set connections.bad.tokenUri to the https address',
    ],
    ['no address for okta', { provider: 'okta' }, 'the provider okta needs it'],
    [
      'no service for dynamics365',
      { provider: 'dynamics365', tenant: 't' },
      'connections.bad.serviceUrl is missing',
    ],
    ['an unknown provider', { ...ENTRY, provider: CANARY }, 'provider must be one of generic, entra'],
    ['an object property as provider', { ...ENTRY, provider: 'toString' }, 'provider must be one of'],
    ['an address that is a number', { tokenUri: 7 }, 'connections.bad.tokenUri must be text'],
    ['an empty address', { tokenUri: ' ' }, 'connections.bad.tokenUri is empty'],
    ['an address over http', { tokenUri: `http://a/${CANARY.replace(' ', '')}` }, 'tokenUri must use https'],
    ['http to this machine', { tokenUri: 'http://localhost/t' }, 'ALLOW_LOOPBACK_HTTP=true'],
    ['a decimal form of this machine', { tokenUri: 'http://2130706433/t' }, 'ALLOW_LOOPBACK_HTTP=true'],
    ['a file', { tokenUri: 'file:///etc/passwd' }, 'tokenUri must use https'],
    ['user info', { tokenUri: `https://u:${CANARY}@a/t`.replace(' ', '') }, 'must not contain a user name'],
    ['user info with a backslash', { tokenUri: 'https:\\\\u@a/t' }, 'must not contain a user name'],
    ['a fragment', { tokenUri: 'https://a/t#x' }, 'must not have a fragment'],
    ['an empty fragment', { tokenUri: 'https://a/t#' }, 'must not have a fragment'],
    ['2,001 characters', { tokenUri: 'https://a.example/'.padEnd(2001, 'x') }, 'longer than 2000 characters'],
    ['a line end in an address', { tokenUri: 'https://a\r\n.example/t' }, 'not printable ASCII'],
    ['white space in an address', { tokenUri: `https://a/${CANARY}` }, 'tokenUri contains white space'],
    ['no address at all', { tokenUri: 'POST ' }, 'tokenUri'],
    ['another method', { tokenUri: 'GET https://a/t' }, 'tokenUri'],
    [
      'a tenant with a slash',
      { provider: 'entra', tenant: '../x' },
      'connections.bad.tenant is not a valid tenant',
      'Set connections.bad.tenant to the part of the addresses that names the customer',
    ],
    [
      'a service that is not an address',
      { ...ENTRY, serviceUrl: 'org' },
      'serviceUrl is not an absolute address',
    ],
    ['an empty client id', { ...ENTRY, clientId: '' }, 'clientId is empty'],
    ['a NUL in a client id', { ...ENTRY, clientId: 'a\u0000' }, 'clientId contains characters'],
    [
      'a client id and its secret',
      { ...ENTRY, clientId: 'x', secrets: { clientId: 'y' } },
      'conflicts with clientId; set only one',
    ],
    [
      'unknown authentication',
      { ...ENTRY, clientAuthentication: CANARY },
      'must be one of client_secret_basic',
    ],
    [
      'a key for a client with a secret',
      { ...ENTRY, clientKey: { key: 'a' } },
      'clientKey has no effect with the client authentication client_secret_basic',
      'Remove connections.bad.clientKey.',
    ],
    [
      'a key in two places',
      { ...ENTRY, clientAuthentication: 'private_key_jwt', clientKey: { key: 'a', secret: 'b' } },
      'clientKey names not exactly one of secret, key and certificate',
    ],
    [
      'a key in no place',
      {
        ...ENTRY,
        clientAuthentication: 'private_key_jwt',
        clientKey: [{ key: 'a' }, { algorithm: 'RS256' }],
      },
      'clientKey names not exactly one of secret, key and certificate',
    ],
    [
      'a key as text',
      { ...ENTRY, clientAuthentication: 'private_key_jwt', clientKey: CANARY },
      'clientKey must be an object with certificate, key or secret',
    ],
    [
      'no keys',
      { ...ENTRY, clientAuthentication: 'private_key_jwt', clientKey: [] },
      'connections.bad.clientKey is an empty list',
    ],
    [
      'an unknown algorithm',
      { ...ENTRY, clientAuthentication: 'private_key_jwt', clientKey: { key: 'a', algorithm: 'HS256' } },
      'connections.bad.clientKey.algorithm must be one of RS256, PS256, ES256',
      'Set connections.bad.clientKey.algorithm to one of RS256, PS256, ES256.',
    ],
    [
      'a key with its id only',
      { ...ENTRY, clientAuthentication: 'private_key_jwt', clientKey: { keyId: 'k1' } },
      'clientKey names not exactly one of secret, key and certificate',
      'Add "certificate", "key" or "secret" to clientKey, and only one of them.',
    ],
    [
      'the name of a key with a slash',
      { ...ENTRY, clientAuthentication: 'private_key_jwt', clientKey: { key: CANARY } },
      'clientKey.key is not a valid secret name',
    ],
    [
      'a client secret for a client without one',
      { ...ENTRY, clientAuthentication: 'none', secrets: { clientSecret: 'a' } },
      'secrets.clientSecret has no effect with the client authentication none',
    ],
    [
      'an empty client secret for a client without one',
      { ...ENTRY, clientAuthentication: 'managed_identity_federation', emptyClientSecret: true },
      'emptyClientSecret has no effect',
    ],
    [
      'an empty client secret and the name of one',
      { ...ENTRY, emptyClientSecret: true, secrets: { clientSecret: 'a' } },
      'conflicts with emptyClientSecret; set only one',
    ],
    [
      'a token of the identity for a vault',
      {
        provider: 'entra',
        clientAuthentication: 'managed_identity_federation',
        clientAssertionAudience: 'https://vault.azure.net',
      },
      'clientAssertionAudience is not that of a token exchange',
    ],
    [
      'a token of the identity for a host that only the file names',
      { provider: 'entra', ...ENTRY, clientAuthentication: 'managed_identity_federation' },
      'tokenUri needs its host in the app setting ALLOWED_TOKEN_HOSTS',
      'Add its host to ALLOWED_TOKEN_HOSTS, or remove tokenUri.',
    ],
    [
      'a tenant that would make another host',
      { provider: 'exact', tenant: 'evil.example' },
      'connections.bad.tenant must be one of nl, be, de, fr, es, co.uk, com for the provider exact',
      'Set connections.bad.tenant to the top-level domain of your country',
    ],
    [
      'no shop',
      { provider: 'shopify' },
      'connections.bad.tenant is missing',
      'Set connections.bad.tenant to the name of the shop.',
    ],
    ...[
      ['shopify', 'Contoso.myshopify.com', '.myshopify.com'],
      ['netsuite', '12.app.netsuite.com', '.netsuite.com'],
    ].map(([provider, tenant, domain]): [string, unknown, string, string] => [
      `the host of ${provider} as tenant`,
      { provider, tenant },
      `connections.bad.tenant ends with ${domain}, which the address of the provider already has`,
      'Set connections.bad.tenant to the ',
    ]),
    [
      'a tenant of a provider without tenants',
      { provider: 'salesforce', tenant: 'contoso' },
      'connections.bad.tenant has no effect: the provider salesforce has no tenants',
      'Remove connections.bad.tenant.',
    ],
    [
      'no client key for TikTok',
      { provider: 'tiktok' },
      'connections.bad.parameters.client_key is missing; the provider tiktok needs it',
      'Set connections.bad.parameters.client_key to the value that docs/providers/tiktok.md describes.',
    ],
    ...[
      ['authorization', 'zoho', 'https://accounts.zoho.eu/oauth/v2/auth'],
      ['revocation', 'zoho', 'https://accounts.zoho.eu/oauth/v2/token/revoke?x=1'],
      ['authorization', 'ebay', 'https://auth.ebay.com/oauth2/authorize'],
      ['device', 'entra', 'https://login.microsoftonline.us/contoso/oauth2/v2.0/devicecode'],
      ['authorization', 'netsuite', 'https://12.app.netsuite.com/app/login/oauth2/authorize.nl'],
    ].map(([kind, provider, tokenUri]): [string, unknown, string, string] => [
      `the ${kind} endpoint of ${provider} as token endpoint`,
      { provider, tokenUri },
      `connections.bad.tokenUri is the ${kind} endpoint of the provider ${provider}, not the token endpoint`,
      'Set connections.bad.tokenUri to the https address of the token endpoint',
    ]),
    ...[
      ['a path', { revocationUri: 'revoke' }, 'revocationUri is not an absolute address'],
      [
        'a path of another token endpoint',
        { provider: 'zoho', revocationUri: '/revoke' },
        'revocationUri is a path, and tokenUri does not have the path of the profile',
      ],
      [
        'a path beside a query',
        { tokenUri: 'https://a.example/t?x=1', revocationUri: '/revoke' },
        'revocationUri is a path, and tokenUri does not have the path of the profile',
      ],
      ['a path with a placeholder', { revocationUri: '/{tenant}' }, 'revocationUri has a brace'],
    ].map(([kind, more, cause]): [string, unknown, string] => [
      `${kind} that is not an address for the revocation`,
      { ...ENTRY, ...(more as object) },
      cause as string,
    ]),
    ...(
      [
        [
          'a lifetime in which Exact allows no renewal',
          { provider: 'exact', tenant: 'nl', accessTokenLifetime: 570 },
          'accessTokenLifetime is not above the earliestRenewal of the profile, 570 s',
        ],
        [
          'a renewal after the lifetime of the profile',
          { provider: 'exact', tenant: 'nl', earliestRenewal: 600 },
          'earliestRenewal is not less than the accessTokenLifetime of the profile, 600 s',
        ],
        [
          'a renewal that always ends the token before it',
          { provider: 'github', renewBefore: 28_800 },
          'renewBefore is not less than the accessTokenLifetime of the profile, 28800 s',
        ],
        [
          'an idle time beyond the whole of the profile',
          { provider: 'atlassian', refreshTokenIdleLifetime: 34_560_000 },
          'refreshTokenIdleLifetime is longer than the refreshTokenAbsoluteLifetime of the profile, 31536000 s',
        ],
      ] as const
    ).map(([kind, entry, cause]): [string, unknown, string] => [kind, entry, cause]),
    ...(['entra', 'dynamics365'] as const).flatMap((provider) =>
      [
        ['no scope', {}, 'scope'],
        ['a delegated scope', { scope: 'https://graph.microsoft.com/User.Read' }, 'scope'],
        ['two scopes', { scope: 'https://a.example/.default https://b.example/.default' }, 'scope'],
        ['a parameter scope', { parameters: { scope: 'User.Read' } }, 'parameters.scope'],
      ]
        .filter(([kind]) => provider === 'entra' || kind !== 'no scope')
        .map(([kind, more, key]): [string, unknown, string, string] => [
          `${kind} for a client of ${provider} that acts for itself`,
          {
            provider,
            tenant: 'contoso',
            serviceUrl: 'https://a.example',
            grant: 'client_credentials',
            ...(more as object),
          },
          `connections.bad.${key} must be one scope that ends with /.default for the provider ${provider}`,
          `Set connections.bad.${key} to the identifier of the API and /.default`,
        ]),
    ),
    ...['DPoP', 'mac', 'PoP'].map((type): [string, unknown, string, string] => [
      `the type ${type} of tokens with a key`,
      { ...ENTRY, response: { bearerTypes: ['company', type] } },
      'connections.bad.response.bearerTypes[1] is a type that needs a key',
      'Correct connections.bad.response.bearerTypes[1], or remove it.',
    ]),
    ...['slack', 'google', 'xero'].map((provider): [string, unknown, string, string] => [
      `a token of the identity for ${provider}, which does not take it`,
      { provider, clientAuthentication: 'managed_identity_federation' },
      'tokenUri needs its host in the app setting ALLOWED_TOKEN_HOSTS',
      'or set clientAuthentication to another method',
    ]),
    ...(['managed_identity_federation', 'private_key_jwt'] as const).map(
      (clientAuthentication): [string, unknown, string, string] => [
        `an assertion for another host, to revoke with ${clientAuthentication}`,
        { provider: 'entra', clientAuthentication, revocationUri: 'https://evil.example/revoke' },
        'revocationUri must have the host of tokenUri',
        'Remove revocationUri',
      ],
    ),
    [
      'an audience without an assertion',
      { ...ENTRY, clientAssertionAudience: 'https://a.example' },
      'clientAssertionAudience has no effect',
    ],
    [
      'a connection string with a client secret that does not exist',
      {
        ...ENTRY,
        clientAuthentication: 'none',
        refreshTokenGrace: 'unlimited',
        publish: { connectionString: 'refreshToken' },
      },
      'publish.connectionString contains a client secret, and the client has none',
    ],
    [
      'an unknown grant',
      { ...ENTRY, grant: 'password' },
      'grant must be one of refresh_token, client_credentials',
    ],
    [
      'a public client that acts for itself',
      { ...ENTRY, grant: 'client_credentials', clientAuthentication: 'none' },
      'clientAuthentication proves no identity, and the grant client_credentials needs a proof',
      'Set clientAuthentication to client_secret_basic, client_secret_post, private_key_jwt',
    ],
    ...(
      [
        ['refreshTokenGrace', 60],
        ['refreshTokenIdleLifetime', 60],
        ['refreshTokenAbsoluteLifetime', 60],
        ['revocationUri', 'https://a.example/revoke'],
        ['secrets', { refreshToken: 'a' }],
      ] as const
    ).map(([key, value]): [string, unknown, string] => [
      `${key} without a refresh token`,
      { ...ENTRY, grant: 'client_credentials', [key]: value },
      'has no effect with the grant client_credentials',
    ]),
    [
      'a connection string with a refresh token that does not exist',
      { ...ENTRY, grant: 'client_credentials', publish: { connectionString: 'refreshToken' } },
      'publish.connectionString contains a refresh token, and the grant client_credentials has none',
    ],
    [
      'a client of Entra that acts for itself in no directory',
      { provider: 'entra', grant: 'client_credentials' },
      'tenant is missing; the provider entra needs it',
    ],
    ['a scope that is a list', { ...ENTRY, scope: ['a'] }, 'scope must be text'],
    [
      'scope twice',
      { ...ENTRY, scope: 'a', parameters: { scope: 'b' } },
      'conflicts with parameters.scope; set only one',
      'Remove connections.bad.scope.',
    ],
    [
      'resource twice',
      { ...ENTRY, resource: 'a', parameters: { resource: 'a' } },
      'conflicts with parameters.resource',
    ],
    ['parameters in a list', { ...ENTRY, parameters: [] }, 'parameters must be an object'],
    [
      'a parameter that is a number',
      { ...ENTRY, parameters: { a: 1 } },
      'connections.bad.parameters.a must be text',
    ],
    ['a parameter without a name', { ...ENTRY, parameters: { '': 'x' } }, 'parameters.(empty)', 'Remove'],
    ...[
      'grant_type',
      'refresh_token',
      'client_id',
      'client_secret',
      'client_assertion',
      'client_assertion_type',
      'Grant_Type',
    ].map((name): [string, unknown, string, string] => [
      `the protocol's own parameter ${name}`,
      { ...ENTRY, parameters: { [name]: CANARY } },
      `connections.bad.parameters.${name} is not a valid parameter name, or the protocol itself sends this parameter`,
      `Remove connections.bad.parameters.${name}.`,
    ]),
    [
      'a secret name with a dot',
      { ...ENTRY, secrets: { refreshToken: CANARY } },
      'secrets.refreshToken is not a valid secret name',
    ],
    [
      'a secret name of 128',
      { ...ENTRY, secrets: { accessToken: 'x'.repeat(128) } },
      'secrets.accessToken is not a valid secret name',
    ],
    [
      'dots as a secret name',
      { ...ENTRY, secrets: { clientId: '..' } },
      'secrets.clientId is not a valid secret name',
    ],
    [
      'no client secret',
      { ...ENTRY, secrets: { clientSecret: [] } },
      'connections.bad.secrets.clientSecret is an empty list',
    ],
    [
      'a wrong client secret in a list',
      { ...ENTRY, secrets: { clientSecret: ['a', CANARY] } },
      'secrets.clientSecret[1]',
    ],
    [
      'an unknown key in secrets',
      { ...ENTRY, secrets: { refresh_token: 'x' } },
      'connections.bad.secrets has an unknown key refresh_token',
      'Rename refresh_token to refreshToken.',
    ],
    [
      'a vault with a path',
      { ...ENTRY, vaults: { token: 'https://a/b' } },
      'connections.bad.vaults.token must not have a path',
      'Set connections.bad.vaults.token to the https address of the vault with the access token.',
    ],
    [
      'a vault over http',
      { ...ENTRY, vaults: { credential: 'http://a' } },
      'vaults.credential must use https',
    ],
    ['renewal at expiry', { ...ENTRY, renewBefore: 0 }, 'renewBefore must be above 0'],
    ['renewal in words', { ...ENTRY, renewBefore: '60' }, 'renewBefore must be a number of seconds'],
    ['renewal in milliseconds', { ...ENTRY, renewBefore: 60_000_000 }, 'renewBefore is longer than a year'],
    [
      'renewal before the token is issued',
      { ...ENTRY, renewBefore: 60, accessTokenLifetime: 60 },
      'not less than accessTokenLifetime',
    ],
    ['a negative grace', { ...ENTRY, refreshTokenGrace: -1 }, 'refreshTokenGrace must be 0 or more seconds'],
    ['a grace in unknown words', { ...ENTRY, refreshTokenGrace: 'forever' }, 'or "unlimited"'],
    ['a format of the request', { ...ENTRY, requestFormat: 'xml' }, 'requestFormat must be "form" or "json"'],
    [
      'a place in the response',
      { ...ENTRY, response: { tokensIn: 'data..0' } },
      'response.tokensIn is not the place',
    ],
    ['no types', { ...ENTRY, response: { bearerTypes: [] } }, 'response.bearerTypes is an empty list'],
    ...['access_token', 'IdToken', 'clientSecret', 'api_key', 'a b', '', '__proto__'].map(
      (tag): [string, unknown, string] => [
        `a tag ${tag}`,
        { ...ENTRY, response: { tags: [tag] } },
        'response.tags[0] is not the name',
      ],
    ),
    ...['connection', 'Managed_By', 'scope', 'expires_in', 'expiration', 'intent-store'].map(
      (tag): [string, unknown, string] => [
        `a tag ${tag} of the rotator`,
        { ...ENTRY, response: { tags: [tag] } },
        'response.tags[0] is the name of a tag that the rotator keeps',
      ],
    ),
    ['many tags', { ...ENTRY, response: { tags: [...'abcdef'] } }, 'response.tags has more than 5 names'],
    ['a unit', { ...ENTRY, response: { expiresInUnit: 'ms' } }, 'response.expiresInUnit must be'],
    ['another fact', { ...ENTRY, response: { tokens: 'data' } }, 'response'],
    [
      'the list of types as text',
      { ...ENTRY, response: { bearerTypes: 'x' } },
      'response.bearerTypes must be a list',
      'Set connections.bad.response.bearerTypes to the values of `token_type` that mean Bearer',
    ],
    [
      'an unknown key in the response',
      { ...ENTRY, response: { xyzzy: 'x' } },
      'connections.bad.response has an unknown key xyzzy',
      'the known keys are tokensIn, bearerTypes, expiresIn, expiresInUnit',
    ],
    [
      'an unknown meaning',
      { ...ENTRY, errors: [{ error: 'x', means: 'x' }] },
      'errors[0].means must be one of',
      'Set connections.bad.errors[0].means to one of reauthorization_required, client_rejected, retrying, misconfigured.',
    ],
    [
      'a rule without an error',
      { ...ENTRY, errors: [{ means: 'retrying' }] },
      'errors[0] needs error or description',
      'Add error or description to connections.bad.errors[0].',
    ],
    [
      'two rules for one response',
      {
        ...ENTRY,
        errors: [
          { error: 'x', means: 'retrying' },
          { error: 'y', description: 'GONE', means: 'retrying' },
          { description: 'gone', means: 'client_rejected', error: 'y' },
        ],
      },
      'connections.bad.errors[2] is never used: errors[1] is for the same response',
      'Remove connections.bad.errors[2].',
    ],
    [
      'a renewal after the end of the token',
      { ...ENTRY, earliestRenewal: 600, accessTokenLifetime: 600 },
      'earliestRenewal is not less than accessTokenLifetime',
    ],
    [
      'an idle time that is longer than the whole',
      { ...ENTRY, refreshTokenIdleLifetime: 61, refreshTokenAbsoluteLifetime: 60 },
      'refreshTokenIdleLifetime is longer than refreshTokenAbsoluteLifetime',
    ],
    ['a lifetime of 0', { ...ENTRY, accessTokenLifetime: 0 }, 'accessTokenLifetime must be above 0'],
    ['overwrite in words', { ...ENTRY, overwrite: 'yes' }, 'overwrite must be true or false'],
    ['enabled in words', { ...ENTRY, enabled: 'false' }, 'enabled must be true or false'],
    [
      'the spelling of the driver',
      { TokenURI: CANARY },
      'unknown key TokenURI',
      'Rename TokenURI to tokenUri.',
    ],
    [
      'the client id in another spelling, which is not the name of a secret',
      { ...ENTRY, client_id: CANARY },
      'unknown key client_id',
      'Rename client_id to clientId.',
    ],
    [
      'a misspelled key',
      { ...ENTRY, renwBefore: 1 },
      'unknown key renwBefore',
      'Rename renwBefore to renewBefore.',
    ],
    [
      'a key that resembles no other',
      { ...ENTRY, xyzzy: 1 },
      'unknown key xyzzy',
      'Remove xyzzy from connections.bad; the known keys are provider, tokenUri',
    ],
    ['a key that looks like a value', { ...ENTRY, [CANARY]: 1 }, 'has an unknown key.'],
    [
      'a secret in the file',
      { ...ENTRY, clientSecret: CANARY },
      'unknown key clientSecret',
      'Keep secrets out of the configuration: store clientSecret in Key Vault',
    ],
    [
      'a secret in the file, as OAuth spells it',
      { ...ENTRY, refresh_token: CANARY },
      'refresh_token',
      'connections.bad.secrets.refreshToken may name it',
    ],
    [
      'a vault at the wrong place',
      { ...ENTRY, credential: CANARY },
      'unknown key credential',
      'Move credential to vaults.credential.',
    ],
    [
      'two equal names in one entry',
      { ...ENTRY, secrets: { refreshToken: 'X', clientSecret: 'x' } },
      'secrets.refreshToken names the same secret as connections.bad.secrets.clientSecret',
    ],
    [
      'a client secret twice',
      { ...ENTRY, secrets: { clientSecret: ['x', 'x'] } },
      'secrets.clientSecret names the same secret',
    ],
    [
      'refresh and access token in one secret of one vault',
      {
        ...ENTRY,
        secrets: { refreshToken: 'x', accessToken: 'x' },
        vaults: { token: CONTEXT.credentialVaultUrl },
      },
      'secrets.accessToken names the same secret',
    ],
  ])('%s', (_, entry, expected, fix = '') => {
    const problem = problemIn(fileOf({ good: { tokenUri: 'https://a.example/t' }, bad: entry }));
    expect(problem.message).toContain(expected);
    expect(problem.message).toMatch(/^connections\.bad/);
    expect(problem.fix).toContain(fix);
    expect(problem.fix).toMatch(/^[A-Z].*[.?]$/);
    for (const part of [CANARY, CANARY.replace(' ', '')]) expect(shown(problem)).not.toContain(part);
  });

  it('reports all problems of one entry together', () => {
    const { message, fix } = problemIn(fileOf({ good: ENTRY, bad: { tokenUri: 7, scope: 7, nonsense: 7 } }));
    expect(message).toBe(
      'connections.bad.tokenUri must be text; connections.bad.scope must be text; connections.bad has an unknown key nonsense.',
    );
    expect(fix).toContain('Set connections.bad.scope to the scopes to request');
  });

  it.each<[string, unknown, string]>([
    [
      'beside a wrong key, also what only a look at several keys can find',
      { tokenUri: 'http://a.example/t', scope: 'a', parameters: { scope: 'b' }, enabled: 'yes' },
      'connections.bad.enabled must be true or false; connections.bad.scope conflicts with parameters.scope; set only one; connections.bad.tokenUri must use https.',
    ],
    [
      'but not that a key is missing that was only misspelled',
      { tokenUrl: 'https://a.example/t', scpe: 'a' },
      'connections.bad has an unknown key tokenUrl; connections.bad has an unknown key scpe.',
    ],
    [
      'but not what an unknown provider needs',
      { provider: 'azure', renewBefore: 60, accessTokenLifetime: 60 },
      'connections.bad.provider must be one of',
    ],
    [
      'a missing key beside a wrong one',
      { scope: 7 },
      'connections.bad.scope must be text; connections.bad.tokenUri is missing; the provider generic needs it.',
    ],
  ])('reports %s', (_, entry, expected) => {
    const { message } = problemIn(fileOf({ good: ENTRY, bad: entry }));
    expect(message.startsWith(expected)).toBe(true);
    expect(message.includes('is missing')).toBe(expected.includes('is missing'));
  });

  it('names the unknown key in each suggestion', () => {
    const { fix } = problemIn(fileOf({ good: ENTRY, bad: { tokenUrl: 'https://a/t', scpe: 'a', xyzzy: 1 } }));
    expect(fix).toMatch(
      /^Rename tokenUrl to tokenUri\. Rename scpe to scope\. Remove xyzzy from connections\.bad;/,
    );
  });

  it.each([
    ['token_endpoint', 'Rename token_endpoint to tokenUri.'],
    ['accessTokenUrl', 'Rename accessTokenUrl to tokenUri.'],
    ['scopes', 'Rename scopes to scope.'],
    ['tenantId', 'Rename tenantId to tenant.'],
    ['renewBeforeSeconds', 'Rename renewBeforeSeconds to renewBefore, in seconds.'],
    ['refresh_token_grace_ms', 'Rename refresh_token_grace_ms to refreshTokenGrace, in seconds.'],
    [
      'accessTokenLifetimeInSeconds',
      'Rename accessTokenLifetimeInSeconds to accessTokenLifetime, in seconds.',
    ],
    ['token_endpoint_auth_method', 'Rename token_endpoint_auth_method to clientAuthentication.'],
    ['vault', 'Move vault to vaults.credential.'],
    ['tokenVault', 'Move tokenVault to vaults.token.'],
    ['audience', 'Move audience to parameters.audience.'],
    ['secret', 'Keep secrets out of the configuration: store secret in Key Vault'],
    ['revocation_endpoint', 'Rename revocation_endpoint to revocationUri.'],
    ...['refreshTokenSecret', 'accessTokenSecret', 'clientSecretName', 'client_id_secret_name'].map((key) => {
      const meant = key
        .replace(/_(.)/g, (_, letter) => letter.toUpperCase())
        .replace(/(Secret)?(Name)?$/, '');
      const secret = meant === 'client' ? 'clientSecret' : meant;
      const fix = `Move ${key} to secrets.${secret}, which holds the name of the secret, not the secret.`;
      return [key, fix];
    }),
  ])('knows what %s means', (key, expected) => {
    expect(problemIn(fileOf({ good: ENTRY, bad: { [key]: 'x' } })).fix).toContain(expected);
  });

  it('counts a hundred problems instead of listing all', () => {
    const many = Object.fromEntries(Array.from({ length: 100 }, (_, index) => [`key${index}`, 1]));
    expect(problemIn(fileOf({ good: ENTRY, bad: many })).message).toMatch(/; and 89 more\.$/);
  });

  it('reports a repeated key in an entry', () => {
    const text =
      '{"connections":{"good":{"tokenUri":"https://a/t"},"bad":{"tokenUri":"https://a/1","tokenUri":"https://a/2"}}}';
    expect(problemIn(text).message).toBe('connections.bad.tokenUri appears twice.');
  });

  it('reports a repeated connection', () => {
    const entry = '{"tokenUri":"https://a/t"}';
    const text = `{"connections":{"good":${entry},"bad":${entry},"bad":${entry}}}`;
    expect(problemIn(text).message).toBe('connections.bad appears twice.');
  });
});

describe('names of connections', () => {
  it.each([
    ['dots', '..', '..'],
    ['a slash', 'a/b', 'a/b'],
    ['a line end', 'a\r\nb', 'a??b'],
    ['an escape sequence', '\u001b[31m', '?[31m'],
    ['an underscore', 'a_b', 'a_b'],
    ['nothing', '', '(empty)'],
    ['an object property', '__proto__', '__proto__'],
    ['114 characters, which leave no room for a suffix', 'n'.repeat(114), 'n'.repeat(114)],
    ['128 characters', 'n'.repeat(128), `${'n'.repeat(127)}...`],
  ])('%s', (_, name, printed) => {
    const text = `{"connections":{${JSON.stringify(name)}:{"tokenUri":"https://a/t"},"good":{"tokenUri":"https://a/t"}}}`;
    const { valid, invalid } = parseConnections(text, CONTEXT);
    expect(valid.map((connection) => connection.name)).toEqual(['good']);
    expect(invalid).toMatchObject([{ name: printed, problem: { code: 'connection_invalid' } }]);
    expect(invalid[0]?.problem.message).toContain(`connections.${printed} is not a valid connection name`);
  });

  it('are both invalid if they differ only in case', () => {
    const { valid, invalid } = parseConnections(fileOf({ Prod: ENTRY, prod: ENTRY, other: ENTRY }), CONTEXT);
    expect(valid.map(({ name }) => name)).toEqual(['other']);
    expect(invalid.map(({ problem }) => problem.message)).toEqual([
      'connections.Prod differs from connections.prod only in case, and Key Vault treats both names as the same.',
      'connections.prod differs from connections.Prod only in case, and Key Vault treats both names as the same.',
    ]);
  });
});

describe('of connections that would overwrite secrets of each other, those are invalid that do not own the secret', () => {
  const sameVault = {
    vaults: { credential: 'https://x.vault.azure.net', token: 'https://x.vault.azure.net' },
  };
  it.each<[string, object, object, string[]]>([
    [
      'the same refresh token',
      { secrets: { refreshToken: 'x' } },
      { secrets: { refreshToken: 'X' } },
      ['a', 'b'],
    ],
    [
      'the same access token',
      { secrets: { accessToken: 'x' } },
      { secrets: { accessToken: 'x' } },
      ['a', 'b'],
    ],
    ['the default name of the other', { secrets: { accessToken: 'b-access-token' } }, {}, ['a']],
    [
      "an access token on the other's refresh token",
      { ...sameVault, secrets: { accessToken: 'b-refresh-token' } },
      sameVault,
      ['a'],
    ],
    [
      "a refresh token on the other's client secret",
      { secrets: { refreshToken: 'b-client-secret' } },
      {},
      ['a'],
    ],
    [
      'the same refresh token as a paused one',
      { secrets: { refreshToken: 'x' }, enabled: false },
      { secrets: { refreshToken: 'x' } },
      ['a', 'b'],
    ],
    [
      'not with a shared client secret',
      { secrets: { clientSecret: 'x' } },
      { secrets: { clientSecret: 'x' } },
      [],
    ],
    ['not with a shared client id', { secrets: { clientId: 'x' } }, { secrets: { clientId: 'x' } }, []],
    [
      'not with the same name in other vaults',
      { secrets: { refreshToken: 'x' }, vaults: { credential: 'https://y.vault.azure.net' } },
      { secrets: { refreshToken: 'x' } },
      [],
    ],
    [
      'the default name of an entry that is invalid anyway',
      { secrets: { refreshToken: 'b-refresh-token' } },
      { overwrite: 7 },
      ['a', 'b'],
    ],
    [
      "not a shared client secret that a third connection's rotations would overwrite, except the third",
      { secrets: { refreshToken: 'c-client-secret' } },
      { secrets: { clientSecret: 'c-client-secret' } },
      ['a'],
    ],
    [
      'not with the name of an entry that is invalid anyway',
      { secrets: { refreshToken: 'x' }, overwrite: 7 },
      { secrets: { refreshToken: 'x' } },
      ['a'],
    ],
  ])('%s', (_, a, b, expected) => {
    const { valid, invalid } = parseConnections(
      fileOf({ a: { ...ENTRY, ...a }, b: { ...ENTRY, ...b }, c: ENTRY }),
      CONTEXT,
    );
    expect(invalid.map(({ name }) => name)).toEqual(expected);
    expect(valid.map(({ name }) => name)).toEqual(['a', 'b', 'c'].filter((name) => !expected.includes(name)));
  });

  it('name both paths and no secret in the message', () => {
    const secrets = { refreshToken: 'pasted-by-mistake' };
    const { invalid } = parseConnections(
      fileOf({ a: { ...ENTRY, secrets }, b: { ...ENTRY, secrets } }),
      CONTEXT,
    );
    expect(invalid[0]?.problem.message).toBe(
      'connections.a.secrets.refreshToken names the same secret as connections.b.secrets.refreshToken.',
    );
    expect(JSON.stringify(invalid)).not.toContain('pasted');
  });
});

/** The problem of the connection `bad`. Expects `good` to be valid. */
function problemIn(text: string): Problem {
  const { valid, invalid } = parseConnections(text, CONTEXT);
  expect(valid.map(({ name }) => name)).toEqual(['good']);
  expect(invalid).toMatchObject([{ name: 'bad', problem: { code: 'connection_invalid' } }]);
  const [first] = invalid;
  if (!first) throw new Error('nothing is invalid');
  return first.problem;
}
