import { fixes } from './fixes.ts';
import {
  type KnownError,
  mistake,
  outcomeUnknown,
  refusedToken,
  rejectedClient,
  throttled,
} from './knownError.ts';

/**
 * The known values of the `error` member, compared as a whole. If a provider refuses a request with any other error,
 * it counts as a mistake in the request.
 */
export const oauthErrors: ReadonlyMap<string, KnownError> = new Map([
  // RFC 6749 section 5.2
  [
    'invalid_grant',
    refusedToken('the refresh token is expired, revoked, already used or issued to another client'),
  ],
  ['invalid_client', rejectedClient('the client credentials are wrong')],
  ['invalid_request', mistake('a parameter of the request is missing or not allowed')],
  [
    'unauthorized_client',
    mistake('the client is not allowed to use the refresh token grant', fixes.grantType),
  ],
  [
    'unsupported_grant_type',
    mistake('the provider does not support the refresh token grant', fixes.grantType),
  ],
  ['invalid_scope', mistake('the scope is unknown or exceeds the granted scope', fixes.parameters)],
  // RFC 8707 section 2
  ['invalid_target', mistake('the resource is unknown or not allowed', fixes.parameters)],
  // OpenID Connect Core section 3.1.2.6; Entra's token endpoint returns the first two as well
  ['interaction_required', refusedToken('the provider requires the user to sign in again')],
  ['consent_required', refusedToken('the user must consent again')],
  ['login_required', refusedToken('the provider requires the user to sign in again')],
  // invalid_grant in other words: Zoho, GitHub, Slack
  ['invalid_code', refusedToken('the refresh token is wrong or revoked')],
  ['bad_refresh_token', refusedToken('the refresh token is wrong or expired')],
  ['invalid_refresh_token', refusedToken('the refresh token is wrong or expired')],
  // RFC 6749 section 4.1.2.1 and RFC 8628 section 3.5: the provider refused the request before it did anything
  ['temporarily_unavailable', throttled()],
  ['slow_down', throttled()],
  // The provider failed, before or after it used up the token; it does not say which
  ['server_error', outcomeUnknown('the provider failed')],
]);

/**
 * Zoho returns `Access Denied` for too many requests; only the description shows it.
 * https://www.zoho.com/accounts/protocol/oauth.html
 */
export function isZohoThrottle(code: string, description: string | undefined): boolean {
  return code === 'Access Denied' && /too many requests/i.test(description ?? '');
}
