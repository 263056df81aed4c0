import { spawnSync } from 'node:child_process';
import { globSync, readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { connectionEntry } from '../../../lib/config/connectionSchema.ts';
import { contradictions } from '../../../lib/config/contradictions.ts';
import {
  endpointsBeside,
  type ProviderProfile,
  parametersOf,
  profileNamed,
  providerOf,
  providers,
  revocationUriOf,
  tokenUriOf,
} from '../../../lib/oauth/providers/index.ts';
import { MEMBERS } from '../../providers/classes.ts';

const { dynamics365, entra, generic, google, netsuite, okta, salesforce, xero } = providers;
const all: readonly (readonly [string, ProviderProfile])[] = Object.entries(providers);

describe('provider profiles', () => {
  test.each(all)(
    '%s has its id as its key, and a source for each fact',
    (id, { id: own, source, sources }) => {
      expect<string>(own).toBe(id);
      expect(source).toMatch(/^https:\/\//);
      for (const { confidence, page, date } of Object.values(sources)) {
        expect(date).toMatch(/^20\d\d-\d\d-\d\d$/);
        expect(page === undefined).toBe(confidence === 'unverified');
        expect(page ?? 'https://').toMatch(/^https:\/\//);
      }
    },
  );

  test.each(all)(
    '%s says what happens to a used refresh token, and the time fits',
    (_, { reuse, behavior, sources }) => {
      const { refreshTokenGraceMs: ms, refreshTokenGraceIsDisputed: isDisputed = false } = behavior;
      const kind = ms === 0 ? 'none' : Number.isFinite(ms) ? 'some' : 'unlimited';
      const kinds = {
        single_use: 'none',
        unknown: 'none',
        setting: 'none',
        grace: 'some',
        disputed: 'some',
        reusable: 'unlimited',
      };
      expect(kind).toBe(kinds[reuse]);
      expect(isDisputed).toBe(reuse === 'disputed');
      // A wrong one costs the token family.
      expect(sources.reuse.confidence).not.toBe('unverified');
    },
  );

  test.each(all)('%s does not contradict itself', (_, { behavior }) => {
    const seconds = (ms: number | undefined) => (ms === undefined ? undefined : ms / 1000);
    const stated = {
      accessTokenLifetime: seconds(behavior.defaultExpiresInMs),
      earliestRenewal: seconds(behavior.earliestRenewalMs),
      refreshTokenIdleLifetime: seconds(behavior.refreshTokenIdleMs),
      refreshTokenAbsoluteLifetime: seconds(behavior.refreshTokenAbsoluteMs),
    };
    expect(contradictions(stated, behavior)).toEqual([]);
  });

  test.each(all)(
    '%s has a source for the lifetime of refresh tokens if it names one',
    (_, { behavior, sources }) => {
      const { refreshTokenIdleMs, refreshTokenAbsoluteMs } = behavior;
      const isNamed = refreshTokenIdleMs !== undefined || refreshTokenAbsoluteMs !== undefined;
      if (isNamed) expect(sources.refreshToken?.page).toBeDefined();
    },
  );

  test('each but the generic one has a page in the documentation, and there is no other', () => {
    const pages = readdirSync('docs/providers').map((name) => name.replace('.md', ''));
    expect(pages.toSorted()).toEqual(all.flatMap(([id]) => (id === 'generic' ? [] : id)).toSorted());
  });

  test.each(all)('%s is data only', (_, profile) => {
    const functions: unknown[] = [];
    JSON.stringify(profile, (_key, value) => {
      if (typeof value === 'function') functions.push(value);
      return value;
    });
    expect(functions).toEqual([]);
  });

  test.each(all)('%s has addresses with https, and only placeholders that an entry fills', (_, profile) => {
    const {
      tokenUri = 'https://host.example/token',
      tokenPath = '/token',
      revocationUri = '/revoke',
      signIn,
    } = profile;
    const { authorizationUri = '/authorize', deviceUri = '/device' } = signIn;
    expect(tokenUri).toMatch(/^https:\/\//);
    expect(tokenPath).toMatch(/^\//);
    for (const address of [revocationUri, authorizationUri, deviceUri])
      expect(address).toMatch(/^(https:\/)?\//);
    const used = [tokenUri, revocationUri, authorizationUri, deviceUri].join().match(/\{\w*\}/g) ?? [];
    expect(used.filter((each) => each !== '{tenant}')).toEqual([]);
    expect(used.length > 0).toBe(profile.tenant !== undefined);
    const filled = tokenUriOf(profile, { tenant: 'contoso' });
    if (filled !== undefined) expect(URL.canParse(filled)).toBe(true);
  });

  test('Entra: the token endpoint contains the tenant, escaped', () => {
    expect(tokenUriOf(entra, { tenant: 'contoso.com' })).toBe(
      'https://login.microsoftonline.com/contoso.com/oauth2/v2.0/token',
    );
    expect(tokenUriOf(entra, {})).toContain('/organizations/');
    expect(tokenUriOf(entra, { tenant: '../evil?' })).toContain('/..%2Fevil%3F/');
  });

  test('Entra: the scope always has offline_access, because a new refresh token requires it', () => {
    expect(parametersOf(entra, { scope: 'User.Read' })).toEqual({ scope: 'User.Read offline_access' });
    expect(parametersOf(entra, { scope: 'offline_access  User.Read' })).toEqual({
      scope: 'offline_access User.Read',
    });
    expect(parametersOf(entra, {})).toEqual({});
  });

  test('Dynamics 365: the scope follows from the origin of the service', () => {
    expect(
      parametersOf(dynamics365, { serviceUrl: 'https://contoso.crm4.dynamics.com/api/data/v9.2/?a=b' }),
    ).toEqual({
      scope: 'https://contoso.crm4.dynamics.com/.default offline_access',
    });
    expect(parametersOf(dynamics365, { serviceUrl: 'https://a.example', scope: 'b' })).toEqual({
      scope: 'b offline_access',
    });
    expect(parametersOf(dynamics365, {})).toEqual({});
    expect(dynamics365.needs).toEqual(['serviceUrl']);
  });

  test('no used refresh token is assumed to work unless a source says so', () => {
    const times = all.flatMap(([id, { behavior }]) =>
      behavior.refreshTokenGraceMs === 0 ? [] : [[id, behavior.refreshTokenGraceMs / 1000]],
    );
    expect(Object.fromEntries(times)).toEqual({
      amazon: Number.POSITIVE_INFINITY,
      atlassian: 600,
      dynamics365: Number.POSITIVE_INFINITY,
      ebay: Number.POSITIVE_INFINITY,
      entra: Number.POSITIVE_INFINITY,
      google: Number.POSITIVE_INFINITY,
      intuit: 86_400,
      linkedin: Number.POSITIVE_INFINITY,
      netsuite: Number.POSITIVE_INFINITY,
      okta: 30,
      servicenow: Number.POSITIVE_INFINITY,
      shopify: 2_592_000,
      square: Number.POSITIVE_INFINITY,
      xero: 1_800,
      zoho: Number.POSITIVE_INFINITY,
    });
  });

  test('those whose refresh ends the access token, and those that limit refreshes, are known', () => {
    const named = (fact: keyof ProviderProfile['behavior']) =>
      all.flatMap(([id, { behavior }]) => (behavior[fact] === undefined ? [] : id));
    expect(named('accessTokenEndsAtRefresh')).toEqual(['github', 'gitlab', 'snowflake', 'zendesk']);
    expect(named('earliestRenewalMs')).toEqual(['exact']);
    expect(named('requestsPerDay')).toEqual(['exact']);
  });

  test.each(all)('%s names only members that an entry may publish as well', (_, { behavior, sources }) => {
    const { tags = [] } = behavior.response ?? {};
    expect(connectionEntry.shape.response.safeParse({ tags }).error).toBeUndefined();
    if (tags.length > 0) expect(sources.others?.page).toBeDefined();
  });

  test('others send only the scope of the entry', () => {
    expect(parametersOf(generic, { scope: 'a' })).toEqual({ scope: 'a' });
    expect(parametersOf(okta, { scope: '' })).toEqual({});
  });
});

describe('the six months of a profile', () => {
  test('say which name is wrong', () => {
    const { status, stderr } = spawnSync(process.execPath, ['test/providers/run.ts', 'okta', 'nosuch'], {
      encoding: 'utf8',
    });
    expect([status, stderr.trim()]).toEqual([1, 'There is no profile named nosuch.']);
  });

  test('have a behavior class for each', () => {
    expect(Object.keys(MEMBERS).toSorted()).toEqual(Object.keys(providers).toSorted());
  });
});

describe('a sign-in', () => {
  const CLOUDS = [
    'login.microsoftonline.com',
    'login.microsoftonline.us',
    'login.partner.microsoftonline.cn',
  ];

  test.each(CLOUDS)(
    'Entra at %s: the authorization and device endpoints follow from the token endpoint',
    (cloud) => {
      const base = `https://${cloud}/contoso.com/oauth2/v2.0`;
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
    expect(endpointsBeside(tokenUri)).toEqual({});
  });

  test('the endpoints of the profile of a connection follow from its token endpoint on any host', () => {
    const tokenUri = 'https://contoso--test.sandbox.my.salesforce.com/services/oauth2/token';
    expect(endpointsBeside(tokenUri)).toEqual({});
    expect(endpointsBeside(tokenUri, salesforce)).toEqual({
      authorizationEndpoint: 'https://contoso--test.sandbox.my.salesforce.com/services/oauth2/authorize',
    });
    expect(revocationUriOf(salesforce, tokenUri)).toBe(
      'https://contoso--test.sandbox.my.salesforce.com/services/oauth2/revoke',
    );
    expect(revocationUriOf(salesforce, 'https://proxy.example/token')).toBeUndefined();
  });

  test('an address on another host belongs only to the token endpoint of the profile', () => {
    expect(
      endpointsBeside('https://12.suitetalk.api.netsuite.com/services/rest/auth/oauth2/v1/token', netsuite),
    ).toEqual({
      authorizationEndpoint: 'https://12.app.netsuite.com/app/login/oauth2/authorize.nl',
    });
    expect(endpointsBeside('https://evil.example/services/rest/auth/oauth2/v1/token', netsuite)).toEqual({});
    expect(revocationUriOf(google, 'https://oauth2.googleapis.com/token')).toBe(
      'https://oauth2.googleapis.com/revoke',
    );
    expect(revocationUriOf(google, 'https://lab.example/token')).toBeUndefined();
    expect(revocationUriOf(xero, 'https://lab.example/connect/token')).toBeUndefined();
  });

  test('Entra accepts any port of localhost and needs no prompt; all others follow RFC 8252 and OpenID Connect', () => {
    const rules = all.map(([id, { signIn }]) => [id, `${signIn.redirectUri} ${signIn.promptsForConsent}`]);
    const { entra, dynamics365, ...others } = Object.fromEntries(rules);
    expect([entra, dynamics365]).toEqual(['http://localhost/ false', 'http://localhost/ false']);
    expect(new Set(Object.values(others))).toEqual(new Set(['http://127.0.0.1/callback true']));
  });

  test.each(all)(
    '%s has a source if a sign-in cannot return to this machine, and its page says so',
    (id, profile) => {
      const { noLoopback } = profile.signIn;
      expect(profile.sources.redirect !== undefined).toBe(noLoopback !== undefined);
      const page = id === 'generic' ? '' : readFileSync(`docs/providers/${id}.md`, 'utf8');
      expect(page.includes('`rotator connect` cannot sign in there')).toBe(noLoopback !== undefined);
      if (noLoopback === undefined) return;
      expect(page).toContain(`${noLoopback} So `);
      expect(page).toContain('npx rotator import my-connection token.json');
      expect(page).not.toMatch(/npx rotator connect|127\.0\.0\.1/);
    },
  );

  test('the scope comes from the metadata only if the profile knows no sign-in endpoint', () => {
    const taking = all.filter(([, { signIn }]) => signIn.takesScopeFromMetadata);
    expect(taking.map(([id]) => id)).toEqual(['generic', 'keycloak', 'okta', 'ping']);
    expect(taking.filter(([, { signIn }]) => signIn.authorizationUri !== undefined)).toEqual([]);
  });
});

describe('the provider of an entry', () => {
  const ENTRA = 'https://login.microsoftonline.com/common/oauth2/token';

  test.each([
    [ENTRA, undefined, 'entra'],
    [ENTRA, 'https://contoso.crm.dynamics.com/', 'dynamics365'],
    ['https://login.example/token', 'https://contoso.crm.dynamics.com/', undefined],
    ['https://login.microsoftonline.example', undefined, undefined],
    ['https://contoso.zendesk.com/oauth/tokens', undefined, 'zendesk'],
    ['https://contoso.zendesk.com/oauth/tokens', 'https://contoso.zendesk.com/', 'zendesk'],
    ['https://adfs.example/adfs/oauth2/token', undefined, undefined],
    ['http://oauth2.googleapis.com/token', undefined, undefined],
  ] as const)('that names none, with %s and the service %s, is %s', (tokenUri, serviceUrl, id) => {
    expect(providerOf(tokenUri, serviceUrl)?.id).toBe(id);
  });

  test('is the generic one if the name is missing or unknown', () => {
    expect(profileNamed('okta')).toBe(okta);
    expect(profileNamed(undefined)).toBe(generic);
    expect(profileNamed('constructor')).toBe(generic);
  });

  /** Ids that are words of the language, or hosts of documentation: only their longer titles are looked for. */
  const WORDS = ['box', 'concur', 'exact', 'generic', 'github', 'ping', 'sage', 'square'];
  const names = all
    .flatMap(([id, { title, tokenUri = '' }]) => [
      id.replace('365', ''),
      ...title.split(/ and | \(/),
      ...(tokenUri.split('/')[2] ?? '').split('.').slice(-2, -1),
    ])
    .filter((name) => /^[\w ]{4,}$/.test(name) && !WORDS.includes(name.toLowerCase()) && !/OAuth/.test(name));
  const pattern = new RegExp(`\\b(?:${names.join('|')})\\b|AADSTS`, 'gi');

  /** What the rotator itself runs on, and the drivers that it writes connection strings for, share names with providers. */
  const OTHERS: readonly (readonly [files: RegExp, names: RegExp])[] = [
    // The rotator's own sign-in to Azure, and that of the callers of its functions.
    [/^lib\/azure\//, /^(entra|microsoft entra id|microsoftonline|aadsts)$/i],
    [/^lib\/(errors|config\/(settings|environment|environmentReader))\.ts$/, /^(entra)$/i],
    // A driver has the name of the service that it connects to.
    [/^lib\/connectionString\//, /^(dynamics|microsoft dynamics 365)$/i],
  ];
  const files = globSync(['cli/**/*.ts', 'lib/**/*.ts'], {
    exclude: ['lib/oauth/providers/*.ts'],
  });
  test.each(files)('does not appear by name in %s', (file) => {
    const [, allowed] = OTHERS.find(([others]) => others.test(file)) ?? [];
    const found = readFileSync(file, 'utf8').match(pattern) ?? [];
    expect(found.filter((name) => !allowed?.test(name))).toEqual([]);
  });

  test('is looked for by its names', () => {
    for (const text of [
      'Salesforce',
      'login.zendesk.com',
      'Exact Online',
      'AADSTS50196',
      'the dynamics365 profile',
    ])
      expect(text.replace('365', '').match(pattern), text).not.toBeNull();
  });
});
