import { describe, expect, test } from 'vitest';
import type { ErrorCode } from '../../../lib/errors.ts';
import { classifyFailure } from '../../../lib/oauth/classifyFailure.ts';
import { entraErrors } from '../../../lib/oauth/providers/entraErrors.ts';
import { readTokenResponse } from '../../../lib/oauth/readTokenResponse.ts';
import { sanitizer } from '../../../lib/oauth/sanitize.ts';
import { CAREFUL_BEHAVIOR } from '../../../lib/rotation/core/connection.ts';
import type { FailureClass, Refusal } from '../../../lib/rotation/core/tokenRequest.ts';
import { connectionNamed } from '../rotation/world/connection.ts';
import { bytesOf } from './support.ts';

const { secrets } = connectionNamed();
const connection = connectionNamed('crm', {
  tokenUri: 'https://login.example.com/oauth/token?tenant=hidden',
  secrets: { ...secrets, clientSecrets: ['crm-client-secret', 'crm-client-secret-2'] },
});
const context = { connection, now: Date.UTC(2026, 0, 1), sanitize: sanitizer(['canary-secret']) };

function failureOf(status: number, body: unknown, retryAfter?: string) {
  const bytes = bytesOf(body);
  const received = { status, contentType: undefined, contentEncoding: undefined, retryAfter, body: bytes };
  return classifyFailure(
    { kind: 'response', ...received },
    readTokenResponse(bytes, CAREFUL_BEHAVIOR),
    context,
  );
}

const entra = (error: string, ...error_codes: unknown[]) => ({
  error,
  error_codes,
  error_description: 'AADSTS',
});

describe('the meaning of a response for the refresh token', () => {
  const html = '<html>not here</html>';
  const cases: Record<string, [number, unknown, FailureClass, ErrorCode]> = {
    '400 invalid_grant: the user must sign in': [
      400,
      { error: 'invalid_grant' },
      'reauthorization_required',
      'reauthorization_required',
    ],
    '401 invalid_grant is invalid_grant': [
      401,
      { error: 'invalid_grant' },
      'reauthorization_required',
      'reauthorization_required',
    ],
    '200 invalid_grant is invalid_grant': [
      200,
      { error: 'invalid_grant' },
      'reauthorization_required',
      'reauthorization_required',
    ],
    '200 with tokens and an error is a failure': [
      200,
      { access_token: 'a', error: 'invalid_grant' },
      'reauthorization_required',
      'reauthorization_required',
    ],
    'Zoho: invalid_code with 200': [
      200,
      { error: 'invalid_code' },
      'reauthorization_required',
      'reauthorization_required',
    ],
    'GitHub: bad_refresh_token with 200': [
      200,
      'error=bad_refresh_token',
      'reauthorization_required',
      'reauthorization_required',
    ],
    'Slack: invalid_refresh_token with 200': [
      200,
      { ok: false, error: 'invalid_refresh_token' },
      'reauthorization_required',
      'reauthorization_required',
    ],
    interaction_required: [
      400,
      { error: 'interaction_required' },
      'reauthorization_required',
      'reauthorization_required',
    ],
    '401 invalid_client: the client is rejected': [
      401,
      { error: 'invalid_client' },
      'client_rejected',
      'client_rejected',
    ],
    '400 invalid_client: the same': [400, { error: 'invalid_client' }, 'client_rejected', 'client_rejected'],
    unauthorized_client: [400, { error: 'unauthorized_client' }, 'misconfigured', 'misconfigured'],
    invalid_scope: [400, { error: 'invalid_scope' }, 'misconfigured', 'misconfigured'],
    unsupported_grant_type: [400, { error: 'unsupported_grant_type' }, 'misconfigured', 'misconfigured'],
    invalid_request: [400, { error: 'invalid_request' }, 'misconfigured', 'misconfigured'],
    invalid_target: [400, { error: 'invalid_target' }, 'misconfigured', 'misconfigured'],
    'an unknown error': [400, { error: 'quota' }, 'misconfigured', 'misconfigured'],
    'an error is matched as a whole': [400, { error: 'invalid_grant_x' }, 'misconfigured', 'misconfigured'],
    'an error is matched with its case': [400, { error: 'INVALID_GRANT' }, 'misconfigured', 'misconfigured'],
    'the description does not count as an error': [
      400,
      { error: 'invalid_request', error_description: 'invalid_grant' },
      'misconfigured',
      'misconfigured',
    ],
    '401 without an OAuth error proves nothing about the client': [
      401,
      html,
      'misconfigured',
      'misconfigured',
    ],
    '404 with a page: a wrong address': [404, html, 'misconfigured', 'misconfigured'],
    '405 with nothing: a wrong address': [405, '', 'misconfigured', 'misconfigured'],
    '400 with JSON of another kind': [400, { message: 'no' }, 'misconfigured', 'misconfigured'],
    '400 with an error that is an object': [
      400,
      { error: { code: 'invalid_grant' } },
      'reauthorization_required',
      'reauthorization_required',
    ],
    '429: not processed': [429, html, 'retrying', 'provider_throttled'],
    '429 takes precedence over the error next to it': [
      429,
      { error: 'invalid_grant' },
      'retrying',
      'provider_throttled',
    ],
    temporarily_unavailable: [400, { error: 'temporarily_unavailable' }, 'retrying', 'provider_throttled'],
    slow_down: [400, { error: 'slow_down' }, 'retrying', 'provider_throttled'],
    'Zoho: too many requests with 200': [
      200,
      { error: 'Access Denied', error_description: 'You have made too many requests continuously.' },
      'retrying',
      'provider_throttled',
    ],
    'Access Denied for another reason': [400, { error: 'Access Denied' }, 'misconfigured', 'misconfigured'],
    'server_error with 400': [400, { error: 'server_error' }, 'outcome_unknown', 'provider_unavailable'],
    '500': [500, html, 'outcome_unknown', 'provider_unavailable'],
    '502 with invalid_grant is still 502': [
      502,
      { error: 'invalid_grant' },
      'outcome_unknown',
      'provider_unavailable',
    ],
    '503 with temporarily_unavailable is still 503': [
      503,
      { error: 'temporarily_unavailable' },
      'outcome_unknown',
      'provider_unavailable',
    ],
    '500 with an access token': [500, { access_token: 'a' }, 'outcome_unknown', 'provider_unavailable'],
    '408': [408, '', 'outcome_unknown', 'provider_unavailable'],
    '425': [425, '', 'outcome_unknown', 'provider_unavailable'],
    '301': [301, '', 'outcome_unknown', 'provider_unavailable'],
    '302 with an error': [302, { error: 'invalid_grant' }, 'outcome_unknown', 'provider_unavailable'],
    '307': [307, html, 'outcome_unknown', 'provider_unavailable'],
    '204': [204, '', 'outcome_unknown', 'response_unusable'],
    '200 with a page': [200, html, 'outcome_unknown', 'response_unusable'],
    '200 with an array': [200, [], 'outcome_unknown', 'response_unusable'],
    '200 without an access token': [200, { refresh_token: 'r' }, 'outcome_unknown', 'response_unusable'],
    '200 with a token of another type': [
      200,
      { access_token: 'a', token_type: 'mac' },
      'outcome_unknown',
      'response_unusable',
    ],
    '200 with an error that is not a string': [
      200,
      { access_token: 'a', error: 7 },
      'outcome_unknown',
      'response_unusable',
    ],
    'Entra: 50196 is a throttle, although the error is invalid_grant': [
      400,
      entra('invalid_grant', 50196),
      'retrying',
      'provider_throttled',
    ],
    'Entra: 7000215 rejects the client': [
      401,
      entra('invalid_client', 7000215),
      'client_rejected',
      'client_rejected',
    ],
    'Entra: 7000215 does not reject the client if the error is not invalid_client': [
      400,
      entra('invalid_request', 7000215),
      'misconfigured',
      'misconfigured',
    ],
    'Entra: 700016 is a mistake in the configuration': [
      400,
      entra('unauthorized_client', 700016),
      'misconfigured',
      'misconfigured',
    ],
    'Entra: 90002 is a mistake in the configuration': [
      400,
      entra('invalid_request', 90002),
      'misconfigured',
      'misconfigured',
    ],
    'Entra: 53003 requires a new sign-in': [
      400,
      entra('interaction_required', 53003),
      'reauthorization_required',
      'reauthorization_required',
    ],
    'Entra: the first known number decides': [
      400,
      entra('invalid_grant', 1, 50196),
      'retrying',
      'provider_throttled',
    ],
    'Entra: for an unknown number, the error decides': [
      400,
      entra('invalid_grant', 99),
      'reauthorization_required',
      'reauthorization_required',
    ],
    'Entra: a number in a string does not count': [
      400,
      entra('invalid_grant', '50196'),
      'reauthorization_required',
      'reauthorization_required',
    ],
    'Entra: a number in the description does not count': [
      400,
      { error: 'invalid_grant', error_description: 'AADSTS50196' },
      'reauthorization_required',
      'reauthorization_required',
    ],
  };
  test.each(Object.entries(cases))('%s', (_, [status, body, failureClass, code]) => {
    expect(failureOf(status, body)).toMatchObject({ class: failureClass, code });
  });
});

describe('every number of Entra in the table', () => {
  const numbers = [
    700082, 50173, 700084, 7000215, 7000222, 700016, 90002, 65001, 50076, 50079, 53003, 50196, 70043, 70044,
    700027, 700024, 70021, 70025, 700211, 700212, 700213, 7002131, 7002137, 700223, 700238, 7000112, 500011,
  ];
  test.each(numbers)('AADSTS%i has its own cause and fix', (number) => {
    const error = [7000215, 7000222, 700027, 700024].includes(number) ? 'invalid_client' : 'invalid_grant';
    const failure = failureOf(400, entra(error, number));
    expect(failure.message).toContain(
      `${error} (AADSTS${number}): ${entraErrors.find(({ when }) => when.number === number)?.means.cause}.`,
    );
    expect(failure.message).not.toBe(failureOf(400, { error }).message);
    expect(failure.fix).toMatch(/\.$/);
  });
});

describe('the fix for an error of Entra', () => {
  test.each<[number, string, RegExp]>([
    [500011, 'invalid_resource', /^Correct serviceUrl, scope or resource of crm/],
    [700213, 'invalid_request', /issuer, subject and audience .* clientAssertionAudience of crm/],
    [700213, 'invalid_client', /issuer, subject and audience/],
    [7000112, 'unauthorized_client', /^Enable it/],
    [700027, 'invalid_client', /^Upload the certificate of clientKey of crm/],
    [700024, 'invalid_client', /clock/],
  ])('AADSTS%i with %s names what to change', (number, error, fix) => {
    expect(failureOf(400, entra(error, number)).fix).toMatch(fix);
  });
});

describe('a refused refresh token', () => {
  test.each<[string | undefined, Refusal | undefined]>([
    ['Token has been expired or revoked.', 'final'],
    ['The refresh token is invalid, expired or revoked.', undefined],
    ['The refresh token has expired, or it was issued to another client.', undefined],
    ['The token may have been revoked.', undefined],
    ['Invalid/expired refresh token', undefined],
    ['AADSTS: The token was Revoked', 'final'],
    ['The refresh token is invalid.', undefined],
    ['unexpiredness', undefined],
    [undefined, undefined],
  ])('with the description %j is %s', (error_description, expected) => {
    expect(failureOf(400, { error: 'invalid_grant', error_description }).refusal).toBe(expected);
  });

  test.each<[number, Refusal | undefined]>([
    [50173, 'final'],
    [700082, 'final'],
    [50057, 'transient'],
    [50053, 'transient'],
    [50105, 'transient'],
    [53003, 'transient'],
    [65001, 'transient'],
    [50076, undefined],
  ])('with AADSTS%i is %s, whatever its description says', (number, expected) => {
    expect(failureOf(400, entra('invalid_grant', number)).refusal).toBe(expected);
  });

  test('is the only failure that says so', () => {
    const error_description = 'The client secret has expired.';
    expect(failureOf(401, { error: 'invalid_client', error_description })).not.toHaveProperty('refusal');
  });
});

describe('the texts', () => {
  test('name the host, the status, the error and its description, but not the path or the query', () => {
    expect(
      failureOf(400, { error: 'invalid_grant', error_description: 'Token has been "revoked".' }),
    ).toEqual({
      class: 'reauthorization_required',
      code: 'reauthorization_required',
      message:
        'login.example.com returned HTTP 400, invalid_grant: the refresh token is expired, revoked, already used or issued to another client. It says: "Token has been \'revoked\'."',
      fix: 'Run rotator connect crm to sign in again, or set crm-refresh-token to a new refresh token.',
      refusal: 'final',
    });
  });

  test('name every client secret that may be wrong', () => {
    expect(failureOf(401, { error: 'invalid_client' }).fix).toContain(
      'crm-client-secret, crm-client-secret-2',
    );
  });

  test('are safe for any error that the provider sends', () => {
    const { message } = failureOf(400, {
      error: `\u001b[31m\r\n${'x'.repeat(500)}`,
      error_description: 'canary-secret',
    });
    expect(message).toMatch(/^[ -~]{1,300}$/);
    expect(message).not.toContain('canary');
    expect(failureOf(400, { error: '\u0000' }).message).toContain('an error that cannot be shown');
  });
});

describe('Retry-After', () => {
  test('counts for failures that are retried', () => {
    expect(failureOf(429, '', '7').retryAfterMs).toBe(7_000);
    expect(failureOf(503, '', 'Thu, 01 Jan 2026 00:00:09 GMT').retryAfterMs).toBe(9_000);
    expect(failureOf(400, entra('invalid_grant', 50196), '60').retryAfterMs).toBe(60_000);
  });

  test('is ignored if an operator must act, or if it is not valid', () => {
    expect(failureOf(400, { error: 'invalid_grant' }, '7')).not.toHaveProperty('retryAfterMs');
    expect(failureOf(429, '', 'soon')).not.toHaveProperty('retryAfterMs');
  });
});

describe('without a response', () => {
  test('the class is retrying if nothing was sent', () => {
    expect(
      classifyFailure({ kind: 'not_sent', refused: false, why: 'ENOTFOUND' }, undefined, context),
    ).toMatchObject({
      class: 'retrying',
      code: 'provider_unavailable',
      message: 'Nothing was sent to login.example.com: the connection failed (ENOTFOUND).',
    });
    expect(
      classifyFailure({ kind: 'not_sent', refused: true, why: 'REFUSED' }, undefined, context).message,
    ).toContain('too short');
  });

  test('the class is outcome_unknown if something was sent', () => {
    expect(classifyFailure({ kind: 'no_response', why: 'ECONNRESET' }, undefined, context)).toMatchObject({
      class: 'outcome_unknown',
      code: 'provider_unavailable',
      message: 'The request was sent to login.example.com, but there was no usable response (ECONNRESET).',
    });
  });
});

describe('a refused request of a client that acts for itself', () => {
  const own = connectionNamed('crm', { grant: 'client_credentials' });
  const refusedWith = (body: object) => {
    const bytes = bytesOf(body);
    const received = {
      status: 400,
      contentType: undefined,
      contentEncoding: undefined,
      retryAfter: undefined,
    };
    return classifyFailure(
      { kind: 'response', ...received, body: bytes },
      readTokenResponse(bytes, CAREFUL_BEHAVIOR),
      { ...context, connection: own },
    );
  };

  test.each([{ error: 'invalid_grant' }, entra('invalid_grant', 65001), { error: 'consent_required' }])(
    'never asks the user to sign in again: %j',
    (body) => {
      const { fix, message, ...meaning } = refusedWith(body);
      expect(meaning).toEqual({ class: 'misconfigured', code: 'misconfigured' });
      expect(`${message} ${fix}`).not.toMatch(/refresh token|sign in|rotator connect/i);
      expect(fix).toContain('Allow the client credentials grant');
    },
  );

  test.each(['unauthorized_client', 'unsupported_grant_type'])('%s names the grant', (error) => {
    const { fix, message } = refusedWith({ error });
    expect(fix).toContain('Allow the client credentials grant');
    expect(message).not.toContain('refresh token');
  });

  test('invalid_client says what to check', () => {
    expect(refusedWith({ error: 'invalid_client' })).toMatchObject({
      class: 'client_rejected',
      fix: expect.stringContaining('crm-client-secret'),
    });
  });
});

test.each([
  [{ clientAuthentication: 'private_key_jwt', clientKeys: [{ kind: 'key', name: 'a-key' }] }, 'a-key'],
  [{ clientAuthentication: 'managed_identity_federation' }, 'the federated credential of the application'],
  [{ clientAuthentication: 'none' }, 'type (public or confidential)'],
] as const)('the fix for a refused client names what it proves its identity with: %j', (changes, named) => {
  const client = connectionNamed('crm', { ...changes, secrets: { ...secrets, clientSecrets: [] } });
  const bytes = bytesOf({ error: 'invalid_client' });
  const received = { status: 401, contentType: undefined, contentEncoding: undefined, retryAfter: undefined };
  const { fix } = classifyFailure(
    { kind: 'response', ...received, body: bytes },
    readTokenResponse(bytes, CAREFUL_BEHAVIOR),
    { ...context, connection: client },
  );
  expect(fix).toContain(named);
});
