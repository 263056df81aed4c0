import { fixes } from './fixes.ts';
import {
  ambiguous,
  type KnownError,
  mistake,
  refusedToken,
  rejectedClient,
  throttled,
} from './knownError.ts';

/**
 * The values of the `error` member that are understood, compared as a whole. Everything else that a provider
 * refuses a request with is taken for a mistake in the request.
 */
export const oauthErrors: ReadonlyMap<string, KnownError> = new Map([
  // RFC 6749 section 5.2
  ['invalid_grant', refusedToken('the refresh token is expired, revoked, already used or of another client')],
  ['invalid_client', rejectedClient('the client credentials are wrong')],
  ['invalid_request', mistake('the request lacks something, or holds too much')],
  ['unauthorized_client', mistake('the client may not use this grant', fixes.grantType)],
  ['unsupported_grant_type', mistake('the provider does not know the refresh-token grant', fixes.grantType)],
  ['invalid_scope', mistake('the scope is unknown or exceeds what was granted', fixes.parameters)],
  // RFC 8707 section 2
  ['invalid_target', mistake('the resource is unknown or not allowed', fixes.parameters)],
  // OpenID Connect Core section 3.1.2.6; Entra's token endpoint gives the first two as well
  ['interaction_required', refusedToken('the provider wants the user to sign in again')],
  ['consent_required', refusedToken('the user must consent again')],
  ['login_required', refusedToken('the provider wants the user to sign in again')],
  // invalid_grant in other words: Zoho, GitHub, Slack
  ['invalid_code', refusedToken('the refresh token is wrong or revoked')],
  ['bad_refresh_token', refusedToken('the refresh token is wrong or expired')],
  ['invalid_refresh_token', refusedToken('the refresh token is wrong or expired')],
  // RFC 6749 section 4.1.2.1 and RFC 8628 section 3.5: refused before anything was done
  ['temporarily_unavailable', throttled()],
  ['slow_down', throttled()],
  // Something broke, and nobody says when: before or after the token was used up
  ['server_error', ambiguous('the provider failed')],
]);

/** Zoho's word for "too many requests" is `Access Denied`; only its description tells. https://www.zoho.com/accounts/protocol/oauth.html */
export function isZohoThrottle(code: string, description: string | undefined): boolean {
  return code === 'Access Denied' && /too many requests/i.test(description ?? '');
}
