import { globSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { endpointsBeside, profileNamed, providerOf, providers } from '../../../lib/oauth/providers/index.ts';

const { dynamics365, entra, generic, okta } = providers;

describe('provider profiles', () => {
  test('each has its id as its key and cites a page', () => {
    for (const [id, profile] of Object.entries(providers)) {
      expect<string>(profile.id).toBe(id);
      expect(profile.source).toMatch(/^https:\/\//);
    }
  });

  test('each either has a token endpoint or requires the entry to name it', () => {
    for (const { tokenUri, needs } of Object.values(providers)) {
      expect(needs.includes('tokenUri')).toBe(tokenUri === undefined);
    }
  });

  test('Entra: the token endpoint contains the tenant, escaped', () => {
    expect(entra.tokenUri?.({ tenant: 'contoso.com' })).toBe(
      'https://login.microsoftonline.com/contoso.com/oauth2/v2.0/token',
    );
    expect(entra.tokenUri?.({})).toContain('/organizations/');
    expect(entra.tokenUri?.({ tenant: '../evil?' })).toContain('/..%2Fevil%3F/');
  });

  test('Entra: the scope always has offline_access, because a new refresh token requires it', () => {
    expect(entra.parameters({ scope: 'User.Read' })).toEqual({ scope: 'User.Read offline_access' });
    expect(entra.parameters({ scope: 'offline_access  User.Read' })).toEqual({
      scope: 'offline_access User.Read',
    });
    expect(entra.parameters({})).toEqual({});
  });

  test('Dynamics 365: the scope follows from the origin of the service', () => {
    expect(
      dynamics365.parameters({ serviceUrl: 'https://contoso.crm4.dynamics.com/api/data/v9.2/?a=b' }),
    ).toEqual({
      scope: 'https://contoso.crm4.dynamics.com/.default offline_access',
    });
    expect(dynamics365.parameters({ serviceUrl: 'https://a.example', scope: 'b' })).toEqual({
      scope: 'b offline_access',
    });
    expect(dynamics365.parameters({})).toEqual({});
    expect(dynamics365.needs).toEqual(['serviceUrl']);
  });

  test('each has the documented grace period of a used refresh token', () => {
    const graces = Object.values(providers).map((profile) => [
      profile.id,
      profile.behavior.refreshTokenGraceMs,
    ]);
    expect(Object.fromEntries(graces)).toEqual({
      generic: 0,
      entra: Number.POSITIVE_INFINITY,
      dynamics365: Number.POSITIVE_INFINITY,
      atlassian: 0,
      auth0: 0,
      docusign: 0,
      google: Number.POSITIVE_INFINITY,
      hubspot: 0,
      intuit: 0,
      okta: 30_000,
      salesforce: 0,
      xero: 1_800_000,
      zoho: Number.POSITIVE_INFINITY,
    });
  });

  test('those with one token endpoint for all tenants have it', () => {
    const fixed = Object.values(providers).filter(({ id }) => !['entra', 'dynamics365'].includes(id));
    const endpoints = fixed.flatMap(({ id, tokenUri }) => (tokenUri ? [[id, tokenUri({})]] : []));
    expect(Object.fromEntries(endpoints)).toEqual({
      atlassian: 'https://auth.atlassian.com/oauth/token',
      docusign: 'https://account.docusign.com/oauth/token',
      google: 'https://oauth2.googleapis.com/token',
      hubspot: 'https://api.hubapi.com/oauth/2026-03/token',
      intuit: 'https://oauth.platform.intuit.com/oauth2/v1/tokens/bearer',
      salesforce: 'https://login.salesforce.com/services/oauth2/token',
      xero: 'https://identity.xero.com/connect/token',
    });
  });

  test('each has the client authentication that the provider documents', () => {
    const posts = Object.values(providers).filter(
      ({ clientAuthentication }) => clientAuthentication === 'client_secret_post',
    );
    expect(posts.map(({ id }) => id)).toEqual([
      'entra',
      'dynamics365',
      'atlassian',
      'auth0',
      'google',
      'hubspot',
      'salesforce',
      'zoho',
    ]);
  });

  test('the default lifetime is an hour, or half an hour if the provider documents it', () => {
    const halves = Object.values(providers).filter(
      ({ behavior }) => behavior.defaultExpiresInMs === 1_800_000,
    );
    expect(halves.map(({ id }) => id)).toEqual(['hubspot', 'xero']);
  });

  test('others send only the scope of the entry', () => {
    expect(generic.parameters({ scope: 'a' })).toEqual({ scope: 'a' });
    expect(okta.parameters({ scope: '' })).toEqual({});
  });
});

describe('a sign-in', () => {
  const CLOUDS = ['com', 'us', 'partner.microsoftonline.cn'];

  test.each(CLOUDS)(
    'Entra of .%s: the authorization and device endpoints follow from the token endpoint',
    (cloud) => {
      const base = `https://login.microsoftonline.${cloud}/contoso.com/oauth2/v2.0`;
      expect(endpointsBeside(`${base}/token`)).toEqual({
        authorizationEndpoint: `${base}/authorize`,
        deviceEndpoint: `${base}/devicecode`,
      });
    },
  );

  test.each([
    'https://login.microsoftonline.com/contoso.com/oauth2/token',
    'https://login.microsoftonline.com/a/b/oauth2/v2.0/token',
    'https://login.microsoftonline.com/contoso.com/oauth2/v2.0/token?x=1',
    'https://evil.example/login.microsoftonline.com/oauth2/v2.0/token',
    'https://login.example/oauth2/v2.0/token',
  ])('nothing follows from %s', (tokenUri) => {
    expect(endpointsBeside(tokenUri)).toBeUndefined();
  });

  test('Entra accepts any port of localhost and needs no prompt; all others follow RFC 8252 and OpenID Connect', () => {
    const rules = Object.values(providers).map(({ id, signIn }) => [
      id,
      `${signIn.redirectUri} ${signIn.promptsForConsent}`,
    ]);
    const { entra, dynamics365, ...others } = Object.fromEntries(rules);
    expect([entra, dynamics365]).toEqual(['http://localhost/ false', 'http://localhost/ false']);
    expect(new Set(Object.values(others))).toEqual(new Set(['http://127.0.0.1/callback true']));
  });

  test('the scope comes from the metadata only for an unknown provider and for Okta', () => {
    const taking = Object.values(providers).filter(({ signIn }) => signIn.takesScopeFromMetadata);
    expect(taking.map(({ id }) => id)).toEqual(['generic', 'okta']);
  });
});

describe('the provider of an entry', () => {
  const ENTRA = 'https://login.microsoftonline.com/common/oauth2/token';

  test.each([
    [ENTRA, undefined, 'entra'],
    [ENTRA, 'https://contoso.crm.dynamics.com/', 'dynamics365'],
    ['https://login.example/token', 'https://contoso.crm.dynamics.com/', undefined],
    ['https://login.microsoftonline.example', undefined, undefined],
  ] as const)('that names none, with %s and the service %s, is %s', (tokenUri, serviceUrl, id) => {
    expect(providerOf(tokenUri, serviceUrl)?.id).toBe(id);
  });

  test('is the generic one if the name is missing or unknown', () => {
    expect(profileNamed('okta')).toBe(okta);
    expect(profileNamed(undefined)).toBe(generic);
    expect(profileNamed('constructor')).toBe(generic);
  });

  const names = Object.keys(providers).filter((id) => id !== 'generic');
  const files = globSync(['cli/**/*.ts', 'lib/{authorization,doctor,oauth,rotation}/**/*.ts'], {
    exclude: ['lib/oauth/providers/*.ts'],
  });
  test.each(files)('does not appear by name in %s', (file) => {
    const found = readFileSync(file, 'utf8').match(new RegExp(names.join('|').replace('365', ''), 'gi'));
    expect(found ?? []).toEqual([]);
  });
});
