import type { ErrorCode } from '../../../lib/errors.ts';
import type { ConnectionStatus } from '../../../lib/rotation/core/status.ts';

/** What a provider received. */
interface Received {
  readonly form: URLSearchParams;
  /** How many requests have come, this one included. */
  readonly count: number;
}

/** What it sends. */
interface Sent {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly json?: unknown;
  readonly body?: string;
}

/** What a connection comes to after one sweep. */
interface Outcome {
  /** Default: the received one (`next-1`). `first`: the one that was sent. */
  readonly refreshToken?: 'first' | `next-${number}`;
  /** How long the published access token lives, in seconds; undefined: none is published. */
  readonly lives?: number;
  readonly state: ConnectionStatus['state'];
  readonly reason?: ErrorCode;
  readonly message?: RegExp;
  readonly fix?: RegExp;
  /** Default: 1. */
  readonly requests?: number;
}

/** A response that providers send, from a public report. */
export interface RealResponse {
  /** Repository and issue, or whose documentation. */
  readonly source: string;
  readonly entry?: Readonly<Record<string, unknown>>;
  readonly respond: (received: Received) => Sent;
  readonly becomes: Outcome;
}

const good = ({ count }: Received, more: object = {}) => ({
  access_token: 'AT-0123456789abcdef',
  token_type: 'Bearer',
  expires_in: 3600,
  refresh_token: `next-${count}`,
  ...more,
});
const without = (members: object, ...names: string[]) =>
  Object.fromEntries(Object.entries(members).filter(([name]) => !names.includes(name)));

const granted =
  (more: object = {}): RealResponse['respond'] =>
  (received) => ({ json: good(received, more) });
const refused =
  (status: number, json: unknown): RealResponse['respond'] =>
  () => ({ status, json });
/** The second client secret is the right one. */
const unlessNew =
  (status: number, json: unknown): RealResponse['respond'] =>
  (received) =>
    received.form.get('client_secret') === 'secret-2' ? { json: good(received) } : { status, json };
const passing =
  (json: object): RealResponse['respond'] =>
  (received) =>
    received.count === 1 ? { json } : { json: good(received) };
const { now } = Date;

const FRESH: Outcome = { state: 'fresh', lives: 3600 };
const SIGN_IN: Outcome = { refreshToken: 'first', state: 'blocked', reason: 'reauthorization_required' };
/** Both secrets are tried, the second one with success. */
const SECOND: Outcome = { ...FRESH, refreshToken: 'next-2', requests: 2 };
const UNKNOWN: Outcome = { refreshToken: 'first', state: 'outcome_unknown', reason: 'outcome_unknown' };

export const REAL_RESPONSES: Readonly<Record<string, RealResponse>> = {
  // Lifetimes
  'salesforce-ok': {
    source: 'Salesforce, OAuth 2.0 refresh token flow',
    entry: { provider: 'salesforce' },
    respond: () => ({
      json: {
        access_token: 'AT',
        signature: 's',
        instance_url: 'https://x.my.example',
        token_type: 'Bearer',
        issued_at: '1278448384422',
      },
    }),
    becomes: { ...FRESH, refreshToken: 'first' },
  },
  'milliseconds-beside-seconds': {
    source: 'Zoho, help of the data center in China; ZohoClient#11',
    respond: granted({ expires_in: 3_600_000, expires_in_sec: 3600 }),
    becomes: FRESH,
  },
  'moment-iso': {
    source: 'Square, ObtainToken',
    respond: (received) => ({
      json: {
        ...without(good(received), 'expires_in'),
        expires_at: new Date(now() + 1_200_000).toISOString(),
      },
    }),
    becomes: { state: 'fresh', lives: 1200 },
  },
  'moment-epoch': {
    source: 'slack-strava#49',
    respond: (received) => ({
      json: good(received, { expires_in: 21_600, expires_at: Math.floor(now() / 1000) + 21_600 }),
    }),
    becomes: { state: 'fresh', lives: 21_600 },
  },
  'numbers-as-text': {
    source: 'Apigee, OAuthV2 policy',
    respond: granted({
      token_type: 'BearerToken',
      expires_in: '1799',
      refresh_token_expires_in: '0',
      status: 'approved',
    }),
    becomes: { state: 'fresh', lives: 1799 },
  },
  'fraction-as-text': {
    source: 'made up: a variation of the one before',
    respond: granted({ expires_in: '3599.5' }),
    becomes: { state: 'fresh', lives: 3599 },
  },
  'refresh-ends-first': {
    source: 'OSBv2#63',
    respond: granted({ refresh_expires_in: 1800 }),
    becomes: FRESH,
  },
  'refresh-never-ends': {
    source: 'keycloak#11990',
    respond: granted({ refresh_expires_in: 0 }),
    becomes: FRESH,
  },
  'same-token-fixed-end': {
    source: 'LinkedIn, programmatic refresh tokens',
    respond: ({ form }) => ({
      json: {
        access_token: 'AT',
        expires_in: 5_184_000,
        refresh_token: form.get('refresh_token'),
        refresh_token_expires_in: 432_000,
      },
    }),
    becomes: { state: 'fresh', refreshToken: 'first', lives: 5_184_000 },
  },

  // Types and shapes
  'type-bot': {
    source: 'Slack, token rotation',
    respond: granted({ ok: true, token_type: 'bot' }),
    becomes: FRESH,
  },
  'type-user': {
    source: 'Slack, token rotation',
    respond: granted({ ok: true, token_type: 'user' }),
    becomes: FRESH,
  },
  'type-user-access-token': {
    source: 'requests-oauthlib, compliance_fixes/ebay.py',
    respond: granted({ token_type: 'User Access Token' }),
    becomes: FRESH,
  },
  'error-zero': { source: 'made up: no error as a number', respond: granted({ error: 0 }), becomes: FRESH },
  'scope-is-a-list': {
    source: 'Twitch, refreshing access tokens',
    respond: granted({ scope: ['a:read', 'b:write'] }),
    becomes: FRESH,
  },
  'below-body': {
    source: 'Withings, action requesttoken',
    respond: (received) => ({ json: { status: 0, body: { userid: '1', ...good(received) } } }),
    becomes: FRESH,
  },
  'below-data': {
    source: 'TikTok for Business, refresh an access token',
    entry: { requestFormat: 'json' },
    respond: (received) => ({ json: { code: 0, message: 'OK', request_id: '1', data: good(received) } }),
    becomes: FRESH,
  },
  'below-a-list': {
    source: 'OneLogin, refresh tokens v1',
    respond: (received) => ({ json: { status: { error: false, code: 200 }, data: [good(received)] } }),
    becomes: FRESH,
  },
  'camel-case': {
    source: 'plentymarkets, REST API login',
    respond: ({ count }) => ({
      json: { accessToken: 'AT', tokenType: 'Bearer', expiresIn: 86_400, refreshToken: `next-${count}` },
    }),
    becomes: { state: 'fresh', lives: 86_400 },
  },
  form: {
    source: 'GitHub, refreshing user access tokens',
    respond: ({ count }) => ({
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: `access_token=AT&expires_in=28800&refresh_token=next-${count}&refresh_token_expires_in=15724800&scope=&token_type=bearer`,
    }),
    becomes: { state: 'fresh', lives: 28_800 },
  },
  'two-refresh-tokens': {
    source: 'made up: nothing is guessed',
    respond: () => ({ json: { bot: { refresh_token: 'next-1' }, user: { refresh_token: 'next-2' } } }),
    becomes: { refreshToken: 'first', state: 'outcome_unknown' },
  },
  'id-token-only': {
    source: 'openid-client#717',
    entry: { provider: 'entra' },
    respond: ({ count }) => ({
      json: {
        id_token: 'x.y.z',
        token_type: 'Bearer',
        scope: 'offline_access openid',
        refresh_token: `next-${count}`,
      },
    }),
    becomes: {
      state: 'retrying',
      reason: 'response_unusable',
      message: /has an id_token but no access token/,
      fix: /scope/,
    },
  },
  'another-type': {
    source: 'RFC 9449 section 5',
    respond: granted({ token_type: 'DPoP' }),
    becomes: {
      state: 'retrying',
      reason: 'response_unusable',
      message: /DPoP/,
      fix: /response\.bearerTypes/,
    },
  },
  'expired-on-arrival': {
    source: 'made up: a consumer would use a dead token',
    respond: (received) => ({
      json: { ...without(good(received), 'expires_in'), expires_at: '2020-01-01T00:00:00Z' },
    }),
    becomes: { state: 'retrying', reason: 'response_unusable', message: /already expired/ },
  },

  // The refresh token is refused
  'status-without-error': {
    source: 'supaglue#1935',
    entry: { provider: 'hubspot' },
    respond: refused(400, { status: 'BAD_REFRESH_TOKEN', message: 'missing or invalid refresh token' }),
    becomes: { ...SIGN_IN, message: /missing or invalid refresh token/, fix: /rotator connect/ },
  },
  'list-of-errors': {
    source: 'dreeve#1449',
    respond: refused(400, {
      message: 'Bad Request',
      errors: [{ resource: 'RefreshToken', field: 'refresh_token', code: 'invalid' }],
    }),
    becomes: { ...SIGN_IN, message: /RefreshToken refresh_token invalid/ },
  },
  'message-and-status': {
    source: 'pytwitchapi#37',
    respond: refused(400, { message: 'Invalid refresh token', status: 400 }),
    becomes: { ...SIGN_IN, message: /Invalid refresh token/ },
  },
  'unauthorized-client-token': {
    source: 'raycast/extensions#11836',
    entry: { provider: 'atlassian' },
    respond: refused(403, { error: 'unauthorized_client', error_description: 'refresh_token is invalid' }),
    becomes: { ...SIGN_IN, message: /refresh_token is invalid/ },
  },
  'invalid-token': {
    source: 'spring-cloud-app-broker#341',
    respond: refused(401, {
      error: 'invalid_token',
      error_description: 'Invalid refresh token expired at Wed Nov 25',
    }),
    becomes: SIGN_IN,
  },
  'invalid-request-token': {
    source: 'databricks/cli#667',
    respond: refused(400, { error: 'invalid_request', error_description: 'Refresh token is invalid' }),
    becomes: SIGN_IN,
  },
  'mfa-required': {
    source: 'Auth0.Android#562',
    entry: { provider: 'auth0' },
    respond: refused(403, {
      error: 'mfa_required',
      error_description: 'Multifactor authentication required',
      mfa_token: 'Fe26.2*x',
    }),
    becomes: { ...SIGN_IN, message: /Multifactor authentication required/ },
  },
  'error-subtype': {
    source: 'Google, session control',
    entry: { provider: 'google' },
    respond: refused(400, {
      error: 'invalid_grant',
      error_description: 'reauth related error (invalid_rapt)',
      error_subtype: 'invalid_rapt',
    }),
    becomes: SIGN_IN,
  },
  'bad-refresh-token': {
    source: 'GitHub, token errors',
    respond: refused(200, {
      error: 'bad_refresh_token',
      error_description: 'The refresh token passed is incorrect or expired.',
    }),
    becomes: SIGN_IN,
  },
  'account-disabled': {
    source: 'Entra error reference, AADSTS50057',
    entry: { provider: 'entra' },
    respond: refused(400, {
      error: 'invalid_grant',
      error_description: 'AADSTS50057: The user account is disabled.',
      error_codes: [50057],
    }),
    becomes: { ...SIGN_IN, fix: /Enable the account/ },
  },
  'server-error-denied': {
    source: 'ServiceNow content-docs#1301',
    respond: refused(401, { error_description: 'access_denied', error: 'server_error' }),
    becomes: {
      refreshToken: 'first',
      state: 'blocked',
      reason: 'misconfigured',
      fix: /client-secret.*rotator connect/,
    },
  },

  // The client is refused: the second secret is the right one
  'second-invalid-client': {
    source: 'RFC 6749 section 5.2',
    respond: unlessNew(401, { error: 'invalid_client' }),
    becomes: SECOND,
  },
  'second-unauthorized-client': {
    source: 'keycloak#16923',
    respond: unlessNew(401, {
      error: 'unauthorized_client',
      error_description: 'Invalid client or Invalid client credentials',
    }),
    becomes: SECOND,
  },
  'second-access-denied': {
    source: 'express-openid-connect#363',
    entry: { provider: 'auth0' },
    respond: unlessNew(401, { error: 'access_denied', error_description: 'Unauthorized' }),
    becomes: SECOND,
  },
  'second-incorrect-credentials': {
    source: 'golang/oauth2#441',
    respond: unlessNew(200, {
      error: 'incorrect_client_credentials',
      error_description: 'The client_id and/or client_secret passed are incorrect.',
    }),
    becomes: SECOND,
  },
  'second-bad-secret': {
    source: 'Slack, oauth.v2.access',
    respond: unlessNew(200, { ok: false, error: 'bad_client_secret' }),
    becomes: SECOND,
  },
  'no-secret-works': {
    source: 'golang/oauth2#441',
    respond: refused(200, { error: 'incorrect_client_credentials' }),
    becomes: { refreshToken: 'first', state: 'blocked', reason: 'client_rejected', requests: 2 },
  },

  // It passes, or nothing is known
  'rate-limit': {
    source: 'laravel-exact-online#31',
    respond: refused(400, {
      error: 'access_denied',
      error_description: 'Rate limit exceeded: access_token not expired',
    }),
    becomes: { refreshToken: 'first', state: 'retrying', reason: 'provider_throttled' },
  },
  'being-processed': {
    source: 'action-destinations#2300',
    entry: { provider: 'salesforce' },
    respond: refused(400, {
      error: 'invalid_grant',
      error_description: 'token request is already being processed',
    }),
    becomes: { refreshToken: 'first', state: 'retrying', reason: 'provider_throttled' },
  },
  'internal-error': {
    source: 'Slack, oauth.v2.exchange',
    respond: passing({ ok: false, error: 'internal_error' }),
    becomes: UNKNOWN,
  },
  'fatal-error': {
    source: 'Slack, oauth.v2.exchange',
    respond: passing({ ok: false, error: 'fatal_error' }),
    becomes: UNKNOWN,
  },
  'page-about-requests': {
    source: 'made up: a page decides nothing',
    respond: () => ({
      status: 403,
      headers: { 'content-type': 'text/html' },
      body: '<title>Rate limit exceeded</title>',
    }),
    becomes: {
      refreshToken: 'first',
      state: 'blocked',
      reason: 'misconfigured',
      message: /Rate limit exceeded/,
    },
  },
};
