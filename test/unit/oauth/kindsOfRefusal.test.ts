import { describe, expect, test } from 'vitest';
import { classifyFailure } from '../../../lib/oauth/classifyFailure.ts';
import { type ProviderId, providers } from '../../../lib/oauth/providers/index.ts';
import { readTokenResponse } from '../../../lib/oauth/readTokenResponse.ts';
import { sanitizer } from '../../../lib/oauth/sanitize.ts';
import type { FailureClass } from '../../../lib/rotation/core/tokenRequest.ts';
import { connectionNamed } from '../rotation/world/connection.ts';
import { bytesOf } from './support.ts';

interface Answer {
  readonly status?: number;
  readonly provider?: ProviderId;
  readonly retryAfter?: string;
}

function failureOf(body: unknown, { status = 400, provider = 'generic', retryAfter }: Answer = {}) {
  const connection = connectionNamed('crm', { behavior: providers[provider].behavior });
  const bytes = bytesOf(body);
  const received = { status, contentType: undefined, contentEncoding: undefined, retryAfter };
  const response = readTokenResponse(bytes, connection.behavior, { refused: status >= 400 });
  const context = { connection, now: 0, sanitize: sanitizer([]) };
  return classifyFailure({ kind: 'response', ...received, body: bytes }, response, context);
}

const meaningOf = (body: unknown, answer?: Answer) => {
  const { class: failureClass, refusal } = failureOf(body, answer);
  return refusal ? `${failureClass}, ${refusal}` : failureClass;
};
const grant = (error_description: string) => ({ error: 'invalid_grant', error_description });
const RENEW = 'reauthorization_required';

describe('invalid_grant', () => {
  test.each([
    ['token not expired', 'retrying'],
    ['access_token not expired', 'retrying'],
    ['Previous access token has not expired yet, try again later', 'retrying'],
    ['The access token has not yet expired.', 'retrying'],
    ["The access token hasn't expired", 'retrying'],
    ['The previous access token is still valid', 'retrying'],
    ['Cannot refresh a not expired token', 'retrying'],
    ['login rate exceeded', 'retrying'],
    ['Too many token requests', 'retrying'],
    ['Rate limit exceeded for this refresh token', 'retrying'],
    ['Concurrent refresh in progress, please retry', 'outcome_unknown'],
    ['The token request is already being processed', 'outcome_unknown'],
    ['The service is temporarily unavailable', 'outcome_unknown'],
    ['The token is being processed by another request', 'outcome_unknown'],
    ['Please try again in 5 minutes', 'outcome_unknown'],
    ['IP restricted', `${RENEW}, transient`],
    ['ip restricted or invalid login hours', `${RENEW}, transient`],
    ['The IP address 192.0.2.7 is not allowed', `${RENEW}, transient`],
    // What must not change
    ['token expired', `${RENEW}, final`],
    ['The refresh token has been revoked', `${RENEW}, final`],
    ['expired access/refresh token', `${RENEW}, final`],
    ['The refresh token has not expired but was already used', RENEW],
    ['The access token has not expired, and the refresh token was reused', RENEW],
    ['The token is not expired or was revoked', RENEW],
    ['The token has not been revoked', RENEW],
    ['The refresh token is invalid: the signature is wrong, it has not expired', RENEW],
    ['Token is not active', RENEW],
    ['The refresh token could not be found', RENEW],
    ['The refresh token has expired. Please try again later.', `${RENEW}, final`],
    ['The session is invalid, retry later', RENEW],
    ['Please sign in and try again', RENEW],
    ['The account is locked, try again later', RENEW],
    ['Too many requests: the tokens were revoked', `${RENEW}, final`],
    ['Token family invalidated because of too many requests', RENEW],
    ['The session has expired, or the maximum number of requests was exceeded', RENEW],
    ['Refresh token replay detected. Concurrent use of the token', RENEW],
    ['Refresh token already used in a concurrent request', RENEW],
    ['Concurrent refresh detected, token family revoked', `${RENEW}, final`],
    ['The access token has not expired, replay detected', RENEW],
    ['Your trial has expired', RENEW],
    ['Password expired', RENEW],
    ['The consent has been revoked', `${RENEW}, final`],
    ['Too many concurrent sessions', RENEW],
    ['The client secret has expired', RENEW],
  ])('with the description %j means %s', (description, expected) => {
    expect(meaningOf(grant(description))).toBe(expected);
  });

  test('with an IP address that Salesforce does not allow names its setting', () => {
    const { fix, refusal } = failureOf(grant('ip restricted'), { provider: 'salesforce' });
    expect([refusal, fix]).toEqual([
      'transient',
      expect.stringContaining('IP restrictions of the connected app'),
    ]);
  });
});

describe('a refusal because of the rate', () => {
  const named = ['error', 'code', 'message'];
  test.each([
    'HOURLY_APIINVOCATION_LIMIT_EXCEEDED',
    'User usage reached',
    'reach max api daily quota limit',
    'Exceeded QPS limit',
    'OVER_QUERY_LIMIT',
    'over_limit',
    'Daily request count exceeded',
    'API calls exceeded',
    'App Call Limited',
    'Reached the daily quota',
    'The number of requests was exceeded',
    'Request limit per second reached',
  ])('is recognized in any member: %s', (text) => {
    expect(named.map((name) => meaningOf({ [name]: text }, { status: 403 }))).toEqual(
      named.map(() => 'retrying'),
    );
  });

  test.each([
    ['Refresh token has reached its usage limit', RENEW],
    ['Refresh token usage limit exceeded', RENEW],
    ['The refresh token has exceeded the maximum number of uses', RENEW],
    ['User account is locked after too many attempts', RENEW],
    ['Session limit exceeded', 'misconfigured'],
    ['Refresh token limit reached', 'misconfigured'],
    ['Use of this API is limited to partners', 'misconfigured'],
    ['The quota of the application is not set', 'misconfigured'],
    ['The maximum length of a parameter is exceeded', 'misconfigured'],
    ['usage: grant_type=refresh_token', 'misconfigured'],
  ])('is not %j', (description, expected) => {
    expect(meaningOf({ error: 'access_denied', error_description: description })).toBe(expected);
  });
});

describe('Retry-After', () => {
  test.each<[string, number, unknown, FailureClass]>([
    ['beside a page', 403, '<h1>Developer Over Qps</h1>', 'retrying'],
    ['beside plain text', 403, '403 Forbidden (Rate Limit Exceeded)', 'retrying'],
    ['beside JSON without an error', 403, { message: 'No.' }, 'retrying'],
    ['beside an unknown error', 403, { error: 'forbidden' }, 'retrying'],
    ['beside nothing', 400, '', 'retrying'],
    ['but not beside invalid_grant', 400, { error: 'invalid_grant' }, RENEW],
    ['but not beside invalid_client', 401, { error: 'invalid_client' }, 'client_rejected'],
    ['but not beside invalid_request', 400, { error: 'invalid_request' }, 'misconfigured'],
    ['but not beside a refused token', 401, { message: 'The token is invalid' }, RENEW],
    ['but not with a request that was cut off', 408, '', 'outcome_unknown'],
    ['but not with HTTP 200', 200, { message: 'No.' }, 'outcome_unknown'],
    ['but not with HTTP 503', 503, '', 'outcome_unknown'],
  ])('says that the request was not processed %s', (_, status, body, expected) => {
    expect(meaningOf(body, { status, retryAfter: '60' })).toBe(expected);
  });

  test.each([undefined, 'soon', '-1'])('%j says nothing', (retryAfter) => {
    const answer = { status: 403, ...(retryAfter !== undefined && { retryAfter }) };
    expect(meaningOf('<h1>No.</h1>', answer)).toBe('misconfigured');
  });
});

describe('an error in members of other names', () => {
  test.each<[unknown, number, FailureClass, string]>([
    [
      { err: 'Client not found', ECODE: 'OAUTH_010' },
      400,
      'client_rejected',
      'OAUTH_010: the client credentials are wrong. It says: "Client not found"',
    ],
    [{ err: 'Token invalid', ECODE: 'OAUTH_025' }, 401, RENEW, 'It says: "Token invalid"'],
    [
      { error_response: { error_msg: 'refresh token expired', error_code: 10_019 } },
      200,
      RENEW,
      'refresh token expired',
    ],
    [
      { ErrorInformation: { error: 1, message: 'Invalid refresh token', code: 2_000_310 } },
      403,
      RENEW,
      'Invalid refresh token',
    ],
    [{ errors: [{ id: 'invalid_grant', message: 'It is over' }] }, 400, RENEW, 'It is over'],
    [{ errorReason: 'invalid refresh token' }, 400, RENEW, 'invalid refresh token'],
    [{ exception: 'RefreshTokenExpiredException' }, 400, RENEW, 'RefreshTokenExpiredException'],
    [{ answer: 'Nope', why: ['No luck'] }, 400, 'misconfigured', 'It says: "answer: Nope, why: No luck"'],
    // What does not describe an error
    [{ id: 'b5f3e6', answer: 'Nope' }, 400, 'misconfigured', 'HTTP 400: the response has no OAuth error'],
    [{ access_key_token: 'canary' }, 400, 'misconfigured', 'endpoint.'],
    [{ answer: 'canary' }, 200, 'outcome_unknown', 'no access token.'],
    [{ default_scope: 'token expired, sorry' }, 400, 'misconfigured', 'default_scope: token expired'],
    [{}, 400, 'misconfigured', 'endpoint.'],
  ])('%j', (body, status, expected, shown) => {
    const { class: failureClass, message } = failureOf(body, { status });
    expect(failureClass).toBe(expected);
    expect(message).toContain(shown);
    expect(message).not.toContain('canary');
  });

  test('does not hide tokens that arrived', () => {
    const body = { access_token: 'a', error_count: 'none', errorText: 'x', token_type: 'bearer' };
    expect(readTokenResponse(bytesOf(body), providers.generic.behavior)?.accessToken).toMatchObject({
      value: 'a',
    });
  });
});

describe('words about the token without an error', () => {
  test.each([
    { message: 'Token has been revoked' },
    { status: 401, message: 'Session expired' },
    { message: 'Token is expired' },
    { message: 'Tokens have been revoked' },
    {
      hint: 'Token has been revoked',
      title: '\u041d\u0435\u043a\u043e\u0440\u0440\u0435\u043a\u0442\u043d\u044b\u0439',
      status: 401,
      detail: '\u0412',
    },
    { error: 'invalid_request', error_description: 'Bad request.', hint: 'Token is not linked to client' },
  ])('refuse the refresh token with HTTP 401: %j', (body) => {
    expect(failureOf(body, { status: 401 }).class).toBe(RENEW);
  });

  test.each<[number, object, FailureClass]>([
    [200, { message: 'Token is expired' }, 'outcome_unknown'],
    [401, { message: 'The access token is expired' }, 'misconfigured'],
    [401, { message: 'Token is missing' }, 'misconfigured'],
    [401, { message: 'Unauthorized' }, 'misconfigured'],
    [400, { message: 'Invalid token type' }, 'misconfigured'],
    [500, { message: 'Token is expired' }, 'outcome_unknown'],
  ])('say nothing with HTTP %i and %j', (status, body, expected) => {
    expect(failureOf(body, { status }).class).toBe(expected);
  });

  test('are quoted in any script', () => {
    const detail = '\u0422\u043e\u043a\u0435\u043d ung\u00fcltig';
    expect(failureOf({ hint: 'Token has been revoked', detail }).message).toContain(
      `It says: "Token has been revoked; ${detail}"`,
    );
  });
});

describe('a client that is refused', () => {
  test.each<[number, object]>([
    [401, { error: 'deleted_client', error_description: 'The OAuth client was deleted.' }],
    [401, { error: 'disabled_client', error_description: 'The OAuth client was disabled.' }],
    [400, { error: 'unauthorized_client', error_description: 'Client secret not provided in request' }],
    [401, { message: 'Not Authorized', type: 'service.not_authorized' }],
    [400, { error: 'application_cannot_be_found' }],
    [401, { code: 2, message: 'Authentication failed.' }],
    [
      401,
      {
        error: [
          {
            code: 'UNAUTHORIZED.GMP_GATEWAY_API',
            info: 'Unauthorized token or incorrect authorization header.',
          },
        ],
      },
    ],
    [401, { error: 'E7', error_description: 'Access denied' }],
    [400, { error: 'E7', error_description: 'invalid appsecret' }],
    [400, { error: 'E7', error_description: 'Error validating client secret.' }],
    [401, { error: 'E7', error_description: 'Application invalid' }],
    [401, { error: 'unauthorized_client', error_description: 'Missing valid authorization header' }],
    [400, { error: 'E7', error_description: 'Unable to verify your credentials' }],
    [
      403,
      {
        errors: [
          {
            code: 'E7',
            message: 'We could not authorize your credentials. Please check them and try again.',
          },
        ],
      },
    ],
  ])('HTTP %i, %j', (status, body) => {
    expect(meaningOf(body, { status })).toBe('client_rejected');
  });

  test.each<[number, object, FailureClass]>([
    [401, { error: 'unauthorized_client' }, 'misconfigured'],
    [401, { error: 'E7', error_description: 'The user is not authorized' }, 'misconfigured'],
    [401, { error: 'E7', error_description: 'Not authorized for the grant type' }, 'misconfigured'],
    [401, { error: 'E7', error_description: 'Unauthorized token' }, 'misconfigured'],
    [403, { error: 'E7', error_description: 'Access denied' }, 'misconfigured'],
    [400, { error: 'E7', error_description: 'Error validating access token' }, 'misconfigured'],
    [400, { error: 'E7', error_description: 'Missing header: Content-Type' }, 'misconfigured'],
    [400, { error: 'E7', error_description: 'Application name invalid' }, 'misconfigured'],
    [400, { error: 'E7', error_description: 'The application was not verified' }, 'misconfigured'],
    [401, { error: 'E7', error_description: 'Invalid JWT refresh token' }, RENEW],
    [
      400,
      { error: 'unauthorized_client', error_description: 'refresh_token grant is disabled for this client' },
      'misconfigured',
    ],
    [
      400,
      { error: 'invalid_request', error_description: 'The refresh token was not provided' },
      'misconfigured',
    ],
    [403, { error: 'access_denied', error_description: 'IP address not allowed' }, 'misconfigured'],
  ])('is not HTTP %i, %j', (status, body, expected) => {
    expect(meaningOf(body, { status })).toBe(expected);
  });
});

describe('words that ask to try again', () => {
  test.each([
    ['Missing or duplicate parameters. Please modify your request and try again.', 'misconfigured'],
    ['Check your scopes, then try again.', 'misconfigured'],
    ['The scope is not supported. Set it and retry.', 'misconfigured'],
    ['Please try again.', 'outcome_unknown'],
    ['A transient error has occurred. Please try again.', 'outcome_unknown'],
    ['Wait a minute and try again.', 'outcome_unknown'],
    ['Please check your parameters. The service is temporarily unavailable.', 'outcome_unknown'],
  ])('%j', (error_description, expected) => {
    expect(meaningOf({ error: 'invalid_request', error_description })).toBe(expected);
  });
});

test.each([
  ['two_factor_setup_required', RENEW],
  ['team_added_to_org', 'retrying'],
  ['team_access_not_granted', 'misconfigured'],
])('Slack: %s means %s', (error, expected) => {
  expect(meaningOf({ ok: false, error }, { status: 200, provider: 'slack' })).toBe(expected);
});
