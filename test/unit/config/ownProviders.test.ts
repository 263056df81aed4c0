import { describe, expect, test } from 'vitest';
import { inspectConnections, parseConnections } from '../../../lib/config/parseConnections.ts';
import type { Limits } from '../../../lib/config/settings.ts';
import type { Connection } from '../../../lib/rotation/core/connection.ts';
import { readResponse } from '../../providers/readResponse.ts';
import { CONTEXT, ENTRY } from './support.ts';

const ACME = {
  tokenUri: 'https://login.acme.example/{tenant}/token',
  revocationUri: '/revoke',
  clientAuthentication: 'client_secret_post',
  scope: 'api',
  parameters: { audience: 'acme' },
  refreshTokenGrace: 30,
  accessTokenLifetime: 600,
  refreshTokenIdleLifetime: 2_592_000,
  refreshTokenAbsoluteLifetime: 31_536_001,
  accessTokenEndsAtRefresh: true,
  earliestRenewal: 570,
  requestsPerDay: 200,
  errors: [{ error: 'E42', means: 'reauthorization_required' }],
};
const ENTRY_OF_ACME = { provider: 'acme', tenant: 'contoso' };

function fileWith(providers: unknown, connections: unknown): string {
  return JSON.stringify({ providers, connections });
}

function parse(providers: unknown, entry: object, limits: Limits = {}) {
  const text = fileWith(providers, { good: ENTRY, crm: entry });
  const { valid, invalid } = parseConnections(text, { ...CONTEXT, limits });
  // Whatever is wrong with a profile, the other connections continue.
  expect(valid.map(({ name }) => name)).toContain('good');
  return { connection: valid.find(({ name }) => name === 'crm'), problem: invalid[0]?.problem };
}

function connectionOf(providers: unknown, entry: object): Connection {
  const { connection, problem } = parse(providers, entry);
  if (!connection) throw new Error(problem?.message);
  return connection;
}

describe('a profile that the file defines', () => {
  test('gives its entries their defaults', () => {
    expect(connectionOf({ acme: ACME }, ENTRY_OF_ACME)).toMatchObject({
      provider: 'acme',
      tokenUri: 'https://login.acme.example/contoso/token',
      revocationUri: 'https://login.acme.example/contoso/revoke',
      clientAuthentication: 'client_secret_post',
      parameters: { scope: 'api', audience: 'acme' },
      behavior: {
        refreshTokenGraceMs: 30_000,
        defaultExpiresInMs: 600_000,
        refreshTokenIdleMs: 2_592_000_000,
        refreshTokenAbsoluteMs: 31_536_001_000,
        accessTokenEndsAtRefresh: true,
        earliestRenewalMs: 570_000,
        requestsPerDay: 200,
      },
    });
  });

  test('assumes single use and an hour, and has only what it says', () => {
    const { tokenUri, behavior, clientAuthentication } = connectionOf(
      { acme: {} },
      { ...ENTRY, provider: 'acme' },
    );
    expect(tokenUri).toBe(ENTRY.tokenUri);
    expect(clientAuthentication).toBe('client_secret_basic');
    expect(behavior).toEqual({ refreshTokenGraceMs: 0, defaultExpiresInMs: 3_600_000 });
  });

  test('is overridden by each member of an entry', () => {
    const entry = {
      ...ENTRY_OF_ACME,
      ...ENTRY,
      revocationUri: 'https://login.example.com/revoke',
      clientAuthentication: 'client_secret_basic',
      scope: 'mine',
      parameters: { audience: 'mine' },
      refreshTokenGrace: 0,
      accessTokenLifetime: 60,
      refreshTokenIdleLifetime: 1,
      refreshTokenAbsoluteLifetime: 2,
      accessTokenEndsAtRefresh: false,
      earliestRenewal: 3,
      requestsPerDay: 4,
    };
    expect(connectionOf({ acme: ACME }, entry)).toMatchObject({
      tokenUri: entry.tokenUri,
      revocationUri: entry.revocationUri,
      clientAuthentication: 'client_secret_basic',
      parameters: { scope: 'mine', audience: 'mine' },
      behavior: {
        refreshTokenGraceMs: 0,
        defaultExpiresInMs: 60_000,
        refreshTokenIdleMs: 1_000,
        refreshTokenAbsoluteMs: 2_000,
        earliestRenewalMs: 3_000,
        requestsPerDay: 4,
      },
    });
    expect(connectionOf({ acme: ACME }, entry).behavior).not.toHaveProperty('accessTokenEndsAtRefresh');
  });

  test('says what an error means, before the rotator does, and nothing of its text is a pattern', () => {
    const errors = [
      { error: 'invalid_grant', description: 'busy (.*)', means: 'retrying' },
      { status: 403, error: 'E42', means: 'client_rejected' },
    ];
    const connection = connectionOf({ acme: { ...ACME, errors } }, ENTRY_OF_ACME);
    const classOf = (status: number, error: string, description = '') =>
      readResponse(connection, { status, body: { error, error_description: description } }, 0).failure?.class;
    expect(classOf(400, 'invalid_grant', 'We are BUSY (.*), sorry')).toBe('retrying');
    expect(classOf(400, 'invalid_grant', 'busy with something')).toBe('reauthorization_required');
    expect(classOf(403, 'E42')).toBe('client_rejected');
    expect(classOf(400, 'E42')).toBe('misconfigured');
  });

  test('drops a dispute about a grace period if the entry decides it', () => {
    const disputed = connectionOf({}, { provider: 'atlassian' }).behavior;
    expect(disputed).toMatchObject({ refreshTokenGraceMs: 600_000, refreshTokenGraceIsDisputed: true });
    const decided = connectionOf({}, { provider: 'atlassian', refreshTokenGrace: 600 }).behavior;
    expect(decided).not.toHaveProperty('refreshTokenGraceIsDisputed');
  });
});

describe('the placeholders of a profile', () => {
  test('may appear twice', () => {
    const acme = {
      tokenUri: 'https://{tenant}.example/{tenant}/t',
      revocationUri: 'https://{tenant}.example/r',
    };
    expect(connectionOf({ acme }, ENTRY_OF_ACME)).toMatchObject({
      tokenUri: 'https://contoso.example/contoso/t',
      revocationUri: 'https://contoso.example/r',
    });
  });

  test('need the service URL for the scope, unless the entry has its own', () => {
    const acme = { scope: '{serviceOrigin}/.default' };
    const entry = { ...ENTRY, provider: 'acme' };
    expect(parse({ acme }, entry).problem?.message).toContain('connections.crm.serviceUrl is missing');
    expect(connectionOf({ acme }, { ...entry, scope: 'a' }).parameters).toEqual({ scope: 'a' });
    const { parameters } = connectionOf({ acme }, { ...entry, serviceUrl: 'https://api.example/v1' });
    expect(parameters).toEqual({ scope: 'https://api.example/.default' });
  });

  test('do not count in an entry', () => {
    const { problem } = parse({}, { tokenUri: 'https://a.example/{tenant}/t', tenant: 'contoso' });
    expect(problem?.message).toContain('tokenUri has a brace: only a profile in providers has placeholders');
  });
});

describe('what an entry states beside a profile', () => {
  test.each([
    [
      'its profile has too long an idle time',
      { refreshTokenIdleLifetime: 31_536_002 },
      'the profile, 31536001 s',
    ],
    ['its token ends before a renewal', { accessTokenLifetime: 570 }, 'the profile, 570 s'],
    ['a renewal comes after its end', { earliestRenewal: 600 }, 'the profile, 600 s'],
    ['it is always renewed', { renewBefore: 600 }, 'the profile, 600 s'],
  ])('must not contradict it: %s', (_, more, cause) => {
    const { problem } = parse({ acme: ACME }, { ...ENTRY_OF_ACME, ...more });
    expect(problem?.message).toContain(`connections.crm.${Object.keys(more)[0]} is`);
    expect(problem?.message).toContain(cause);
    expect(problem?.fix).toMatch(/^Correct connections\.crm\.\w+, or state \w+ beside it\.$/);
  });

  test.each([
    // The response names the lifetime.
    { renewBefore: 7200 },
    { earliestRenewal: 7200 },
    { accessTokenLifetime: 7200, earliestRenewal: 7100, renewBefore: 7100 },
    // The sign-ins of an account may end earlier than the provider allows.
    { provider: 'exact', tenant: 'nl', refreshTokenAbsoluteLifetime: 60 },
    { provider: 'github', renewBefore: 28_799 },
    { provider: 'github', renewBefore: 40_000, accessTokenEndsAtRefresh: false },
    { provider: 'xero', renewBefore: 3600 },
    { provider: 'exact', tenant: 'CO.UK', accessTokenLifetime: 60, earliestRenewal: 50 },
  ])('may differ from what is only assumed: %j', (more) => {
    expect(connectionOf({}, 'provider' in more ? more : { ...ENTRY, ...more })).toBeDefined();
  });

  test('a missing tenant is described as the text of its placeholder', () => {
    expect(parse({ acme: ACME }, { provider: 'acme' }).problem?.fix).toContain(
      'Set connections.crm.tenant to the text for {tenant} in providers.acme.tokenUri.',
    );
  });

  test('a path for the revocation replaces that of the token endpoint, on its host', () => {
    const own = (entry: object) => connectionOf({ acme: ACME }, entry).revocationUri;
    expect(own({ ...ENTRY, revocationUri: '/x' })).toBe('https://login.example.com/x');
    expect(own({ ...ENTRY_OF_ACME, revocationUri: '/x' })).toBe('https://login.acme.example/contoso/x');
    expect(own({ ...ENTRY, revocationUri: '//evil.example/x' })).toBe(
      'https://login.example.com//evil.example/x',
    );
    const text = fileWith({}, { crm: { ...ENTRY, revocationUri: '/x' } });
    expect(inspectConnections(text, CONTEXT).endpoints.map(({ address }) => address)).toEqual([
      ENTRY.tokenUri,
      'https://login.example.com/x',
    ]);
  });
});

describe('a profile that is not valid', () => {
  const cases: Record<string, [unknown, string]> = {
    'a text': ['x', 'providers.acme must be an object'],
    'an unknown member': [{ tokenUrl: 'https://a/t' }, 'providers.acme has an unknown key tokenUrl'],
    'a member that only entries have': [{ vaults: {} }, 'providers.acme has an unknown key vaults'],
    'secrets of another connection': [
      { secrets: { refreshToken: 'x' } },
      'providers.acme has an unknown key secrets',
    ],
    'a private network': [{ allowPrivateNetwork: true }, 'unknown key allowPrivateNetwork'],
    'a placeholder that no entry fills': [{ tokenUri: 'https://{host}/token' }, 'a word in braces'],
    'a scope with a placeholder that no entry fills': [
      { scope: '{tenant}' },
      'the placeholder is {serviceOrigin}',
    ],
    'a placeholder that is not closed': [{ tokenUri: 'https://a.example/{tenant' }, 'has a brace'],
    'a placeholder of a shell': [
      { tokenUri: `https://a.example/$${'{tenant}'}` },
      'the placeholder is {tenant}',
    ],
    'a placeholder with a hyphen': [{ tokenUri: 'https://a.example/{tenant-id}' }, 'has a brace'],
    'another placeholder for the revocation': [
      { tokenUri: 'https://a.example/{tenant}/t', revocationUri: 'https://a.example/{realm}/r' },
      'providers.acme.revocationUri has a brace or a word in braces that is not a placeholder; the placeholder is {tenant}',
    ],
    'a tenant in the path of the revocation': [
      { tokenUri: 'https://a.example/{tenant}/t', revocationUri: '/{tenant}/r' },
      'there is none here',
    ],
    'a tenant for the revocation alone': [
      { tokenUri: 'https://a.example/t', revocationUri: 'https://a.example/{tenant}/r' },
      'there is none here',
    ],
    'a renewal after the end of the token': [
      { earliestRenewal: 601, accessTokenLifetime: 600 },
      'earliestRenewal is not less than accessTokenLifetime',
    ],
    'the scope twice': [
      { scope: 'a', parameters: { scope: 'b' } },
      'providers.acme.scope conflicts with parameters.scope',
    ],
    'a type of token that needs a key': [
      { response: { bearerTypes: ['DPoP'] } },
      'providers.acme.response.bearerTypes[0] is a type that needs a key',
    ],
    'two error rules for one response': [
      {
        errors: [
          { error: 'x', means: 'retrying' },
          { error: 'x', means: 'retrying' },
        ],
      },
      'providers.acme.errors[1] is never used: errors[0] is for the same response',
    ],
    'a lifetime of eleven years': [{ refreshTokenIdleLifetime: 346_896_001 }, 'longer than ten years'],
    'a limit of half a request': [{ requestsPerDay: 0.5 }, 'must be a whole number'],
    'an error rule that matches everything': [
      { errors: [{ means: 'retrying' }] },
      'needs error or description',
    ],
    'an error rule for a status that leaves the outcome unknown': [
      { errors: [{ status: 503, error: 'x', means: 'retrying' }] },
      'must be 200 to 499',
    ],
    'an error rule with a misspelled member': [
      { errors: [{ eror: 'x', error: 'x', means: 'retrying' }] },
      'providers.acme.errors[0] has an unknown key eror',
    ],
  };
  test.each(Object.entries(cases))('%s: only the entries that name it are invalid', (_, [acme, cause]) => {
    const { connection, problem } = parse({ acme }, ENTRY_OF_ACME);
    expect(connection).toBeUndefined();
    expect(problem?.message).toContain('connections.crm.provider names a profile that is not valid: ');
    expect(problem?.message).toContain(cause);
    expect(problem?.fix).toMatch(/^(Set|Add|Rename|Remove|Correct|Move|Keep) /);
  });

  test.each([
    ['the name of a profile of the rotator', 'okta'],
    ['that name in other case', 'Okta'],
    ['a name with a space', 'my provider'],
  ])('%s cannot be defined', (_, name) => {
    const { problems } = inspectConnections(fileWith({ [name]: {} }, { good: ENTRY }), CONTEXT);
    expect(problems[0]?.problem.message).toMatch(/^providers\./);
    expect(problems[0]?.problem.fix).toMatch(/^Rename providers\./);
  });

  test.each(['acne', 'amce', 'ACME'])(
    'an entry with a name that is nearly that of a profile is told which one: %s',
    (provider) => {
      const { problem } = parse({ acme: ACME }, { provider });
      expect(problem?.message).toContain('connections.crm.provider must be one of generic');
      expect(problem?.fix).toContain('Set connections.crm.provider to acme');
    },
  );

  test('is shown at its own place, also if no entry names it', () => {
    const text = '{"providers":{"acme":{"tokenUri":7,"scope":"a","scope":"b"}},"connections":{}}';
    const { problems } = inspectConnections(text, CONTEXT);
    expect(problems.map(({ problem, path }) => [path.join('.'), problem.message])).toEqual([
      ['providers.acme.scope', 'providers.acme.scope appears twice.'],
      ['providers.acme.tokenUri', 'providers.acme.tokenUri must be text.'],
    ]);
  });

  test.each([
    ['tokenUri', 'http://a.example/{tenant}', 'must use https'],
    ['tokenUri', 'https://u:p@a.example/t', 'must not contain a user name or password'],
    ['tokenUri', 'https://a.example/'.padEnd(2001, 'x'), 'is longer than 2000 characters'],
    ['revocationUri', 'http://a.example/r', 'must use https'],
    ['revocationUri', 'revoke', 'is not an absolute address'],
  ])('a wrong address in %s is shown at its own place: %s', (key, address, cause) => {
    const { problems } = inspectConnections(fileWith({ acme: { [key]: address } }, { good: ENTRY }), CONTEXT);
    expect(problems).toMatchObject([
      {
        path: ['providers', 'acme', key],
        problem: {
          message: `providers.acme.${key} ${cause}.`,
          fix: expect.stringContaining(`Set providers.acme.${key} to the https address`),
        },
      },
    ]);
  });

  test('a key that appears twice in an error rule is shown in the form of all paths', () => {
    const text =
      '{"providers":{"acme":{"errors":[{"error":"a","error":"b","means":"retrying"}]}},"connections":{}}';
    const { problems } = inspectConnections(text, CONTEXT);
    expect(problems.map(({ problem }) => problem.message)).toEqual([
      'providers.acme.errors[0].error appears twice.',
    ]);
  });

  test.each(['providers', 'connections'])('%s that is a list makes the file invalid', (key) => {
    const text = JSON.stringify({ providers: {}, connections: {}, [key]: [] });
    expect(() => parseConnections(text, CONTEXT)).toThrow(`${key} must be an object`);
  });
});

describe('a profile reaches nothing that an entry could not reach', () => {
  const reaching = (acme: object, limits: Limits = {}) =>
    parse({ acme: { tokenUri: 'https://login.acme.example/token', ...acme } }, { provider: 'acme' }, limits)
      .problem?.message;

  test.each([
    ['plain http', { tokenUri: 'http://login.acme.example/token' }, 'tokenUri must use https'],
    ['this machine', { tokenUri: 'http://127.0.0.1/token' }, 'ALLOW_LOOPBACK_HTTP=true'],
    ['a user name', { tokenUri: 'https://a:b@login.acme.example/token' }, 'must not contain a user name'],
    [
      'plain http for the revocation',
      { revocationUri: 'http://login.acme.example/revoke' },
      'revocationUri must use https',
    ],
    ['a file', { revocationUri: 'file:///etc/passwd' }, 'revocationUri must use https'],
  ])('not %s', (_, acme, cause) => expect(reaching(acme)).toContain(cause));

  test('not a host that ALLOWED_TOKEN_HOSTS does not allow, as a token endpoint or for a revocation', () => {
    const limits = { tokenHosts: ['login.acme.example', 'login.example.com'] };
    expect(reaching({}, limits)).toBeUndefined();
    expect(reaching({ tokenUri: 'https://evil.example/token' }, limits)).toContain('ALLOWED_TOKEN_HOSTS');
    expect(reaching({ revocationUri: 'https://evil.example/revoke' }, limits)).toContain(
      'ALLOWED_TOKEN_HOSTS',
    );
  });

  test('not another host by the tenant of an entry', () => {
    const acme = { tokenUri: 'https://{tenant}.acme.example/token' };
    for (const tenant of ['evil.example/', 'evil.example#', 'a@b', 'a:443'])
      expect(parse({ acme }, { provider: 'acme', tenant }).problem?.message).toContain('tenant');
  });

  test("not the protocol's own parameters", () => {
    expect(reaching({ parameters: { client_secret: 'x' } })).toContain('parameters');
  });
});
