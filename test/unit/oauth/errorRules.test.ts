import { describe, expect, test } from 'vitest';
import { parseConnections } from '../../../lib/config/parseConnections.ts';
import { classifyFailure } from '../../../lib/oauth/classifyFailure.ts';
import { ENDED, errorRules } from '../../../lib/oauth/errorRules.ts';
import { fixes, fixFor } from '../../../lib/oauth/fixes.ts';
import { type ProviderId, providers } from '../../../lib/oauth/providers/index.ts';
import { readTokenResponse } from '../../../lib/oauth/readTokenResponse.ts';
import { sanitizer } from '../../../lib/oauth/sanitize.ts';
import type { ErrorPattern, ErrorRule } from '../../../lib/rotation/core/tokenRequest.ts';
import { CONTEXT, fileOf } from '../config/support.ts';
import { connectionNamed } from '../rotation/world/connection.ts';
import { bytesOf } from './support.ts';

/** What the response means for a connection whose profile has these rules. */
function failureOf(status: number, body: unknown, errors: readonly ErrorRule[] = [], retryAfter?: string) {
  const connection = connectionNamed('crm', { behavior: { errors } });
  const bytes = bytesOf(body);
  const received = { status, contentType: undefined, contentEncoding: undefined, retryAfter };
  const result = { kind: 'response', ...received, body: bytes } as const;
  const response = readTokenResponse(bytes, connection.behavior);
  return classifyFailure(result, response, { connection, now: 0, sanitize: sanitizer([]) });
}

const profiles = Object.values(providers).map(({ id, behavior }) => ({ id, rules: behavior.errors ?? [] }));
const tables = [{ id: 'all', rules: errorRules }, ...profiles];
const all = tables.flatMap(({ id, rules }) => rules.map((rule) => ({ id, rule, rules })));
/** What a provider may say, by what a rule takes it for. */
const SAYINGS: Readonly<Record<string, string>> = {
  'there were too many requests': 'Too many requests',
  'the refresh token is not valid': 'Invalid refresh token',
  'the user must sign in': 'Multi-factor authentication is required',
  'the account cannot be used': 'The user is suspended',
  'the account owner revoked the access': 'The user revoked the access',
  "the client's credentials are wrong": 'The client secret is wrong',
  'the token or the session is not valid': 'The token has been revoked',
  'access is denied': 'access_denied',
  'the provider failed': 'Unexpected error',
  'the access token is still valid': 'The token has not expired yet',
  'the IP address or the time is not allowed': 'The IP address is blocked',
  'the refusal passes': 'Try later',
  'the same request may be sent again': 'Try again',
};
const PASSING: ErrorRule = {
  when: {},
  means: {
    class: 'retrying',
    code: 'provider_throttled',
    cause: 'the provider is busy',
    fix: 'Wait for {connection}.',
  },
};
const passingIf = (when: ErrorPattern): ErrorRule[] => [{ ...PASSING, when }];

describe('every rule in the tables', () => {
  test.each(all)('decides the response that it describes: $id, $rule.when', ({ rule, rules }) => {
    const { status = 400, error, number, description, says, members, hasRetryAfter } = rule.when;
    const saying = says && SAYINGS[says.meaning];
    const body = {
      // Only next to an error, the numbers and the description count.
      error: error === true || (number !== undefined && !error) ? (saying ?? 'unheard_of') : error,
      message: saying,
      error_description: description?.source.split('|')[0] ?? saying,
      error_codes: number === undefined ? undefined : [number],
      ...members,
    };
    const retryAfter = hasRetryAfter ? '60' : undefined;
    const failure = failureOf(typeof status === 'number' ? status : status[0], body, rules, retryAfter);
    expect(failure).toMatchObject({ class: rule.means.class, code: rule.means.code });
    expect(failure.message).toContain(`: ${rule.means.cause}.`);
  });

  test.each(all)('has a fix that names what to do: $id, $rule.means.fix', ({ rule }) => {
    expect(fixFor(rule.means.fix, connectionNamed())).toMatch(/^[A-Z][^{}]+\.$/);
  });

  const patterns = all.flatMap(({ rule: { when } }) => [
    ...(when.description ? [when.description] : []),
    ...(when.says?.any ?? []),
    ...(when.says?.none ?? []),
  ]);
  test.each([...patterns, ...Object.values(ENDED)])(
    'reads a text of any length in a short time: %s',
    (pattern) => {
      expect(pattern.source).not.toMatch(/[*+{]/);
      expect(pattern.flags).toMatch(/^i?$/);
    },
  );
});

describe("a rule of the connection's profile", () => {
  test('is tried before the general ones, in its order', () => {
    const [first] = passingIf({ error: 'invalid_grant' });
    const second: ErrorRule = { when: { error: 'invalid_grant' }, means: { ...PASSING.means, cause: 'no' } };
    const rules = [first ?? PASSING, second];
    expect(failureOf(400, { error: 'invalid_grant' }, rules)).toMatchObject({
      class: 'retrying',
      message: 'login.example returned HTTP 400, invalid_grant: the provider is busy.',
      fix: 'Wait for crm.',
    });
    expect(failureOf(400, { error: 'invalid_client' }, rules).class).toBe('client_rejected');
  });

  test('matches only a response that has everything it names', () => {
    const rules = passingIf({
      status: [400, 403],
      error: 'invalid_grant',
      description: /try again/i,
      number: 7,
      members: { reason: 'busy', ok: false, count: 0 },
    });
    const body = {
      error: 'invalid_grant',
      error_description: 'Try again.',
      error_codes: [1, 7],
      reason: 'busy',
      ok: false,
      count: 0,
    };
    expect(failureOf(403, body, rules).class).toBe('retrying');
    const changes = [
      { error: 'invalid_token' },
      { error_description: undefined },
      { error_codes: 7 },
      { reason: ['busy'] },
      { ok: 0 },
      { count: '0' },
    ];
    const others = changes.map((change) => failureOf(403, { ...body, ...change }, rules).class);
    expect(others).not.toContain('retrying');
    expect(failureOf(404, body, rules).class).toBe('reauthorization_required');
  });

  test.each([500, 503, 302, 429])('without a status does not match HTTP %i', (status) => {
    const body = { error: 'invalid_grant' };
    const ours = passingIf({ error: 'invalid_grant' });
    expect(failureOf(status, body, ours)).toEqual(failureOf(status, body));
    expect(failureOf(status, body, passingIf({ status, error: 'invalid_grant' })).fix).toBe('Wait for crm.');
  });

  test('can match a response without the member error, but not what it inherits', () => {
    const busy = passingIf({ members: { code: 'BUSY' } });
    expect(failureOf(400, { code: 'BUSY' }, busy).class).toBe('retrying');
    expect(failureOf(200, { code: 'BUSY' }, busy).class).toBe('retrying');
    expect(failureOf(400, '{"__proto__":{"code":"BUSY"}}', busy).class).toBe('misconfigured');
    expect(failureOf(400, '<html>BUSY</html>', busy).class).toBe('misconfigured');
  });
});

describe('the rules of a profile', () => {
  const entries: Readonly<Record<string, object>> = {
    salesforce: { provider: 'salesforce' },
    generic: { tokenUri: 'https://login.example/token' },
  };
  const [salesforce, generic] = ['salesforce', 'generic'].map(
    (name) => parseConnections(fileOf({ one: entries[name] }), CONTEXT).valid[0]?.behavior.errors,
  );
  const BUSY = { error: 'invalid_grant', error_description: 'token request is already being processed' };

  test('reach the connections of its entries', () => {
    expect(salesforce).toBe(providers.salesforce.behavior.errors);
    expect(failureOf(400, BUSY, salesforce).class).toBe('retrying');
  });

  test('do not count for others', () => {
    expect(failureOf(400, BUSY, generic).class).toBe('outcome_unknown');
  });

  test.each<[ProviderId, unknown]>([
    ['entra', { error: 'invalid_grant', error_codes: [50057] }],
    ['hubspot', { status: 'BAD_REFRESH_TOKEN', message: 'missing or invalid refresh token' }],
    ['zoho', { error: 'Access Denied', error_description: 'You have made too many requests continuously.' }],
    ['zoho', { error: 'invalid_code' }],
  ])('count for others if nothing else can be meant: %s, %j', (id, body) => {
    const own = failureOf(400, body, providers[id].behavior.errors);
    expect(own.class).not.toBe('misconfigured');
    expect(failureOf(400, body, generic)).toEqual(own);
  });
});

test('the message names the number that decides', () => {
  const body = { error: 'invalid_grant', error_codes: [1, 50057] };
  expect(failureOf(400, body).message).toContain('invalid_grant (AADSTS50057): the account');
});

describe('a fix', () => {
  const { secrets } = connectionNamed();
  const connection = connectionNamed('crm', { secrets: { ...secrets, clientSecrets: ['one', 'two'] } });

  test('names the connection and its secrets', () => {
    expect(fixFor('{connection} {refreshToken} {clientSecret} {clientSecrets}', connection)).toBe(
      'crm crm-refresh-token one or two one, two',
    );
    expect(fixFor(fixes.privateNetwork, connection)).toContain('for crm if');
  });

  test('keeps what is not a placeholder', () => {
    expect(fixFor('{constructor} {unknown} {}', connection)).toBe('{constructor} {unknown} {}');
  });
});
