import { describe, expect, test } from 'vitest';
import { classifyFailure } from '../../../lib/oauth/classifyFailure.ts';
import { readTokenResponse } from '../../../lib/oauth/readTokenResponse.ts';
import { sanitizer } from '../../../lib/oauth/sanitize.ts';
import { CAREFUL_BEHAVIOR } from '../../../lib/rotation/core/connection.ts';
import type { FailureClass } from '../../../lib/rotation/core/tokenRequest.ts';
import { connectionNamed } from '../rotation/world/connection.ts';
import { bytesOf } from './support.ts';

const context = { connection: connectionNamed('crm'), now: 0, sanitize: sanitizer(['canary-4X9zPq77']) };

function failureOf(status: number, body: unknown) {
  const bytes = bytesOf(body);
  const received = { status, contentType: undefined, contentEncoding: undefined, retryAfter: undefined };
  const response = readTokenResponse(bytes, CAREFUL_BEHAVIOR);
  return classifyFailure({ kind: 'response', ...received, body: bytes }, response, context);
}

type Case = readonly [status: number, body: unknown];
const said = (error: string, error_description?: string) => ({
  error,
  ...(error_description && { error_description }),
});

/** Responses as providers send them. A name in brackets is the public report or page that quotes one; the others vary it. */
const MEANINGS: Readonly<Record<FailureClass, Readonly<Record<string, Case>>>> = {
  reauthorization_required: {
    'an old refresh token [Exact Online]': [400, said('unauthorized_client', 'Old refresh token used.')],
    'a token that cannot be read [Spring Security]': [
      401,
      said('invalid_token', 'Cannot convert access token to JSON'),
    ],
    'the token of the request': [
      400,
      said('invalid_request', 'The token used in the request has been revoked by the user'),
    ],
    'a failed validation': [400, said('invalid_request', 'Failed to validate refresh token')],
    'a status instead of an error [supaglue#1935]': [
      400,
      { status: 'BAD_REFRESH_TOKEN', message: 'missing or invalid refresh token', correlationId: '0000' },
    ],
    'a list of errors that name the field [dreeve#1449]': [
      400,
      {
        message: 'Bad Request',
        errors: [{ resource: 'RefreshToken', field: 'refresh_token', code: 'invalid' }],
      },
    ],
    'a message and the status [pytwitchapi#37]': [400, { message: 'Invalid refresh token', status: 400 }],
    'unauthorized_client that names the token [raycast/extensions#11836]': [
      403,
      said('unauthorized_client', 'refresh_token is invalid'),
    ],
    'invalid_token [spring-cloud-app-broker#341]': [
      401,
      said('invalid_token', 'Invalid refresh token expired at Wed Nov 25 10:00:00 UTC 2026'),
    ],
    'invalid_token alone': [401, said('invalid_token')],
    'invalid_request that names the token [databricks/cli#667]': [
      400,
      said('invalid_request', 'Refresh token is invalid'),
    ],
    'invalid_request that names only a token [X API]': [
      400,
      said('invalid_request', 'Value passed for the token was invalid.'),
    ],
    'a reason beside invalid_request [Zoom]': [401, { reason: 'Invalid Token!', error: 'invalid_request' }],
    'mfa_required [Auth0.Android#562]': [
      403,
      { ...said('mfa_required', 'Multifactor authentication required'), mfa_token: 'Fe26.2*x' },
    ],
    'bad_refresh_token with HTTP 200 [GitHub]': [
      200,
      said('bad_refresh_token', 'The refresh token passed is incorrect or expired.'),
    ],
    'invalid_refresh_token with HTTP 200 [Slack]': [200, { ok: false, error: 'invalid_refresh_token' }],
    token_expired: [200, { ok: false, error: 'token_expired' }],
    token_revoked: [200, { ok: false, error: 'token_revoked' }],
    expired_token: [400, said('expired_token')],
    'an error object': [400, { error: { code: 'invalid_grant', message: 'Grant not found' } }],
    'an error object with a type': [
      401,
      { error: { type: 'RefreshTokenExpired', message: 'The refresh token has expired', status: 401 } },
    ],
    'a nested error': [
      400,
      { data: { error_code: 10_010, description: 'refresh_token expired' }, message: 'error' },
    ],
    'a code and a message with HTTP 200': [
      200,
      { code: 40_105, message: 'Refresh token is incorrect or has been revoked.', data: {} },
    ],
    'an error that is a sentence [Withings]': [
      200,
      { status: 503, body: {}, error: 'Invalid Params: invalid refresh_token' },
    ],
    'a title and a detail (RFC 9457)': [
      400,
      {
        type: 'https://errors.example/1',
        title: 'Bad Request',
        status: 400,
        detail: 'Unknown refresh token.',
      },
    ],
    'texts by field': [422, { errors: { refresh_token: ['The refresh token is invalid.'] } }],
    'a word by field': [422, { errors: { refresh_token: 'invalid' } }],
    'a list of texts': [400, { errors: ['The refresh token does not exist'] }],
    'a message that is a list': [
      401,
      { statusCode: 401, message: ['Invalid refresh token'], error: 'Unauthorized' },
    ],
    'a list of objects': [400, [{ message: 'expired refresh token', errorCode: 'INVALID_REFRESH' }]],
    'a text alone': [400, JSON.stringify('Invalid refresh token')],
    'other spellings': [400, { ErrorCode: 'REFRESH_TOKEN_EXPIRED', ErrorDescription: 'x' }],
    'a form': [400, 'error=invalid_request&error_description=refresh+token+not+found'],
    'already used': [400, said('invalid_request', 'This refresh token has already been used.')],
    reuse: [400, said('invalid_request', 'Refresh token reuse detected')],
    'not valid any longer': [400, said('access_denied', 'The refresh token is no longer valid')],
    'issued to another client': [400, said('invalid_request', 'Refresh token was not issued to this client')],
    "isn't valid": [400, said('invalid_request', "The refresh token isn't valid")],
    'a client that is not the one of the token': [
      400,
      said('unauthorized_client', 'The refresh token is invalid, or the client id does not match.'),
    ],
    login_required: [400, said('login_required')],
    'a sign-in that is required': [
      400,
      { message: 'User must re-authenticate', code: 'reauthentication_required' },
    ],
    'an account that is disabled': [400, said('access_denied', 'The user account is disabled.')],
    'access that the user revoked': [
      403,
      said('access_denied', 'The user has revoked access to the application'),
    ],
    'a session that has ended': [400, said('session_expired', 'Session not active')],
    'the name of an exception': [400, { name: 'InvalidRefreshTokenError', message: 'nope' }],
    'a fault [Apigee]': [
      400,
      {
        fault: {
          faultstring: 'Invalid refresh token',
          detail: { errorcode: 'keymanagement.service.invalid' },
        },
      },
    ],
    'a metadata object': [
      400,
      { meta: { code: 400, error_message: 'The refresh token provided is invalid.' } },
    ],
    authorization_revoked: [400, said('authorization_revoked')],
  },
  client_rejected: {
    'unauthorized_client that names the credentials [keycloak#16923]': [
      401,
      said('unauthorized_client', 'Invalid client or Invalid client credentials'),
    ],
    'access_denied with HTTP 401 [express-openid-connect#363]': [401, said('access_denied', 'Unauthorized')],
    'access_denied with HTTP 401 alone': [401, said('access_denied')],
    'incorrect_client_credentials with HTTP 200 [golang/oauth2#441]': [
      200,
      said('incorrect_client_credentials', 'The client_id and/or client_secret passed are incorrect.'),
    ],
    'bad_client_secret with HTTP 200 [Slack]': [200, { ok: false, error: 'bad_client_secret' }],
    'invalid_client_id [Salesforce]': [400, said('invalid_client_id', 'client identifier invalid')],
    'invalid_request that names the secret [TikTok]': [
      200,
      said('invalid_request', 'Client key or secret is incorrect.'),
    ],
    'an assertion': [401, said('invalid_token', 'Client assertion token is invalid')],
    'a fault': [401, { fault: { faultstring: 'Invalid client id', detail: { errorcode: 'x' } } }],
    'an application id': [400, said('invalid_app_id')],
    'bad credentials': [401, said('unauthorized', 'Bad credentials')],
    'an error object': [401, { error: { code: 'invalid_client', message: 'x' } }],
    'a code instead of an error': [401, { code: 'INVALID_CLIENT_SECRET', message: 'nope' }],
    'a message alone': [400, { message: 'Client authentication failed' }],
    'an unknown application': [400, said('invalid_request', 'Application not found')],
    'texts by field': [422, { errors: { client_secret: ['is invalid'] } }],
    'an expired secret': [400, said('unauthorized_client', 'The client secret has expired')],
    'a secret for a refresh token': [
      400,
      said('unauthorized_client', 'The client secret is wrong for this refresh token'),
    ],
    'Unauthorized beside the status': [
      401,
      { timestamp: 1, status: 401, error: 'Unauthorized', path: '/token' },
    ],
  },
  retrying: {
    'a rate': [400, said('invalid_request', 'Request rate exceeded')],
    'refresh attempts': [400, said('invalid_grant_x', 'Too many refresh attempts')],
    'a quota of calls': [403, { message: 'Out of call volume quota' }],
    'access_denied because of the rate [laravel-exact-online#31]': [
      400,
      said('access_denied', 'Rate limit exceeded: access_token not expired'),
    ],
    'ratelimited with HTTP 200': [200, { ok: false, error: 'ratelimited' }],
    'a code of a kind': [400, { error: { code: 'TOO_MANY_REQUESTS', message: 'slow down' } }],
    'a message alone': [403, { message: 'API rate limit exceeded' }],
    'a sentence as an error': [200, { status: 601, error: 'Too Many Requests' }],
    'a quota': [403, { error: { code: 403, message: 'Quota exceeded' } }],
    temporarily_unavailable: [400, said('temporarily_unavailable')],
    throttling: [400, { errorCode: 'ThrottlingException', errorMessage: 'Throttled' }],
  },
  outcome_unknown: {
    'internal_error with HTTP 200 [Slack]': [200, { ok: false, error: 'internal_error' }],
    'fatal_error with HTTP 200 [Slack]': [200, { ok: false, error: 'fatal_error' }],
    'service_unavailable with HTTP 200': [200, { ok: false, error: 'service_unavailable' }],
    'request_timeout with HTTP 200': [200, { ok: false, error: 'request_timeout' }],
    'a system error in a code': [200, { code: 50_000, message: 'System error' }],
    'an unexpected error': [
      400,
      said('invalid_request', 'An unexpected error occurred. Please try again later.'),
    ],
    'a failure while it works on the token': [
      400,
      { message: 'Internal error while checking the refresh token' },
    ],
    'a system that is busy': [200, { ret: -1, msg: 'System busy' }],
    'another request': [400, said('concurrent_request', 'Another request for this token is in progress')],
    'a request that is still in progress': [
      409,
      said('conflict', 'The token request is already being processed'),
    ],
    server_error: [400, said('server_error')],
    'words of a gateway': [502, said('invalid_grant', 'Invalid refresh token')],
  },
  misconfigured: {
    'a wrong content type': [
      400,
      said(
        'invalid_request',
        'Missing or invalid refresh_token parameter: Content-Type must be application/x-www-form-urlencoded',
      ),
    ],
    'an unknown parameter': [400, said('invalid_request', 'refresh_token: unknown parameter')],
    'server_error that denies access [content-docs#1301]': [401, said('server_error', 'access_denied')],
    'unauthorized_client alone': [400, said('unauthorized_client')],
    'a grant type that is not allowed': [
      400,
      said('unauthorized_client', 'The client is not authorized to use the refresh_token grant type'),
    ],
    'a grant type that is not valid': [400, said('invalid_request', 'Invalid grant_type: refresh_token')],
    'a grant type that is disabled': [
      400,
      said('unauthorized_client', 'refresh_token grant is disabled for this client'),
    ],
    'a refresh token that is missing': [400, said('invalid_request', 'refresh_token is required')],
    'a missing parameter': [400, { errors: { refresh_token: ['is required'] } }],
    'a token type': [400, said('invalid_request', 'invalid token type')],
    'a scope': [400, said('invalid_scope', 'The scope refresh_token is invalid')],
    'access_denied with HTTP 400': [400, said('access_denied')],
    'a page that names a refresh token': [400, '<html><title>Invalid refresh token</title></html>'],
    XML: [400, '<error><code>invalid_grant</code><message>Invalid refresh token</message></error>'],
    'plain text': [400, 'Invalid refresh token'],
    'a page that names a secret': [401, '<p>Invalid client secret</p>'],
    'Unauthorized from a gateway': [401, { message: 'Unauthorized' }],
    'a wrong address': [404, { type: 'about:blank', title: 'Not Found', status: 404 }],
    'an unknown code': [400, { code: 'E1234', message: 'No.' }],
  },
};

for (const [failureClass, cases] of Object.entries(MEANINGS) as [FailureClass, Record<string, Case>][])
  describe(`${failureClass} is the meaning of`, () => {
    test.each(Object.entries(cases))('%s', (_, [status, body]) => {
      expect(failureOf(status, body).class).toBe(failureClass);
    });
  });

describe('the words of the provider are shown', () => {
  const shown: Readonly<Record<string, readonly [status: number, body: unknown, says: string]>> = {
    'a status and a message': [
      400,
      { status: 'BAD_REFRESH_TOKEN', message: 'missing or invalid refresh token', correlationId: '0000' },
      'HTTP 400, BAD_REFRESH_TOKEN: the refresh token is wrong or revoked. It says: "missing or invalid refresh token"',
    ],
    'a list of errors': [
      400,
      {
        message: 'Bad Request',
        errors: [{ resource: 'RefreshToken', field: 'refresh_token', code: 'invalid' }],
      },
      'It says: "Bad Request; RefreshToken refresh_token invalid"',
    ],
    'a message beside the status': [
      400,
      { message: 'Invalid refresh token', status: 400 },
      'HTTP 400: the refresh token is wrong, expired, revoked or already used. It says: "Invalid refresh token"',
    ],
    'a number': [
      200,
      { code: 40_105, message: 'No.' },
      'HTTP 200, 40105: the provider refuses the request. It says: "No."',
    ],
    'an error object': [
      400,
      { error: { type: 'OAuthException', code: 190, message: 'Error validating', fbtrace_id: 'AbCd' } },
      'HTTP 400, OAuthException: the provider refuses the request. It says: "OAuthException Error validating"',
    ],
    'nested words': [
      400,
      { data: { description: 'It is over' }, message: 'error' },
      'It says: "error; It is over"',
    ],
    'texts by field': [422, { errors: { scope: ['is odd'] } }, 'It says: "scope is odd"'],
    'a title of a page': [
      502,
      '<html><head><title>502 Bad Gateway</title></head>',
      'It says: "502 Bad Gateway"',
    ],
    'a page without a title': [503, '<p>Back\n <b>soon</b></p>', 'It says: "Back soon"'],
    XML: [400, '<error><code>E1</code><message>No.</message></error>', 'It says: "E1 No."'],
    'a plain text': [403, 'Go away', 'It says: "Go away"'],
    'a response without a token': [200, { message: 'Come back' }, 'It says: "Come back"'],
  };
  test.each(Object.entries(shown))('%s', (_, [status, body, says]) => {
    expect(failureOf(status, body).message).toContain(says);
  });

  test('but not what nothing can be said of', () => {
    for (const body of ['', '<br>', Buffer.from([0xff, 0xfe, 0x00, 0xd8, 0x81]).toString('latin1'), {}, []])
      expect(failureOf(400, body).message).not.toMatch(/says: "[^"]{0,1}"/);
  });

  const unread: Readonly<Record<string, string>> = {
    'JSON that is cut off': '{"error":x,"refresh_token":"canary',
    'JSON in HTML': '<pre>{&quot;access_token&quot;:&quot;canary&quot;</pre>',
    'a PHP array': 'Array ( [refresh_token] => canary )',
    'a PHP array in code': "array('client_secret' => 'canary',",
    'what PHP dumps': 'array(1) { ["id_token"]=> string(6) "canary"',
    YAML: '---\nrefresh_token: canary\nexpires_in: 60',
    XML: '<?xml version="1.0"?><OAuth><access_token>canary</access_token></OAuth>',
    'XML with attributes': '<t refreshToken="canary"/>',
    'a table': '<table><tr><td>password</td><td>canary</td></tr></table>',
    'a form with text before it': 'Result: code=canary&state=1',
    'a header': 'Authorization: Bearer canary',
    'a title': '<title>token=canary</title>',
    'words and a digit': 'The refresh token canary1 is not valid',
    'a line after it': 'client_assertion:\n  canary',
  };
  test.each(Object.entries(unread))('but not a text that may have a secret: %s', (_, body) => {
    for (const status of [200, 400, 502]) expect(failureOf(status, body).message).not.toContain('canary');
  });

  test.each(['Error code: 502', 'Invalid token.', 'The token is missing', '<title>Status code 403</title>'])(
    'and %s, which only names one',
    (body) => expect(failureOf(502, body).message).toContain('It says:'),
  );

  const canary = 'canary-4X9zPq77';
  const hiding: Readonly<Record<string, unknown>> = {
    'in a message': { message: `unknown token ${canary}` },
    'in a list': { errors: [{ message: 'x', field: canary }] },
    'as the name of a field': { errors: { [canary]: ['is wrong'] } },
    'in a text alone': JSON.stringify(canary),
    'in a page': `<title>${canary}</title>`,
    'split by tags': '<p>canary-<b>4X9z</b>Pq77</p>',
    'in an error object': { error: { code: canary, message: canary } },
    'as a code': { code: canary },
    'received with it': { error: { message: 'not 4Nother-token-9' }, data: { mfa_token: '4Nother-token-9' } },
  };
  test.each(Object.entries(hiding))('without a secret %s', (_, body) => {
    const bytes = bytesOf(body);
    const response = readTokenResponse(bytes, CAREFUL_BEHAVIOR);
    const received = {
      status: 400,
      contentType: undefined,
      contentEncoding: undefined,
      retryAfter: undefined,
    };
    const sanitize = sanitizer([canary, ...(response?.tokens ?? [])]);
    const failure = classifyFailure({ kind: 'response', ...received, body: bytes }, response, {
      ...context,
      sanitize,
    });
    expect(failure.message).not.toMatch(/canary|4Nother/);
  });
});
