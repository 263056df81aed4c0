import type { ErrorRule } from '../rotation/core/tokenRequest.ts';
import {
  mistake,
  outcomeUnknown,
  refusedToken,
  rejectedClient,
  suspendedToken,
  throttled,
} from './errorMeanings.ts';
import { fixes } from './fixes.ts';
import * as says from './wordings.ts';

/**
 * What a failed token response means, whatever the provider: the first rule that matches decides. A provider's own rules are in
 * its profile (`behavior.errors`) and are tried before these. A response that no rule matches has no error, but no usable token.
 */
export const errorRules: readonly ErrorRule[] = [
  { when: { status: [500, 999] }, means: outcomeUnknown('the provider failed') },
  { when: { status: 429 }, means: throttled('the provider is throttling requests') },
  {
    when: { status: [300, 399] },
    means: outcomeUnknown('the response is a redirect to another address', fixes.address),
  },
  // Some providers call each refusal `invalid_grant`, also one that passes. Words that refuse the refresh token count more.
  { when: { says: says.tooManyRequests }, means: throttled('the provider is throttling requests') },
  { when: { says: says.tooEarly }, means: throttled('the access token is too young to be renewed') },
  {
    when: { error: 'invalid_grant', says: says.addressRefused },
    means: suspendedToken('the provider does not allow this IP address or this time', fixes.allowAddress),
  },
  {
    when: { error: 'invalid_grant', says: says.passing },
    means: outcomeUnknown('the provider did not process the request now'),
  },
  // RFC 6749 section 5.2
  {
    when: { error: 'invalid_grant' },
    means: refusedToken('the refresh token is expired, revoked, already used or issued to another client'),
  },
  { when: { error: 'invalid_client' }, means: rejectedClient('the client credentials are wrong') },
  {
    when: { error: 'unsupported_grant_type' },
    means: mistake('the provider does not support the grant type', fixes.grantType),
  },
  {
    when: { error: 'invalid_scope' },
    means: mistake('the scope is unknown or exceeds the granted scope', fixes.parameters),
  },
  // RFC 8707 section 2
  {
    when: { error: 'invalid_target' },
    means: mistake('the resource is unknown or not allowed', fixes.parameters),
  },
  // RFC 6749 section 4.1.2.1: the provider refused the request before it did anything
  { when: { error: 'temporarily_unavailable' }, means: throttled() },
  // The same in other words and shapes. Words about the refresh token come first: nothing is sent again immediately after them.
  {
    when: { says: says.refreshTokenRefused },
    means: refusedToken('the refresh token is wrong, expired, revoked or already used'),
  },
  // OpenID Connect Core section 3.1.2.6, RFC 9470 section 3; some token endpoints return them as well
  {
    when: { error: 'interaction_required' },
    means: refusedToken('the provider requires the user to sign in again'),
  },
  { when: { error: 'consent_required' }, means: refusedToken('the user must consent again') },
  {
    when: { says: says.interactionRequired },
    means: refusedToken('the provider requires the user to sign in again'),
  },
  {
    when: { says: says.accountDisabled },
    means: refusedToken('the account that signed in is disabled, locked or deleted', fixes.account),
  },
  { when: { says: says.accessRevoked }, means: refusedToken('the account owner has revoked the access') },
  { when: { says: says.clientRefused }, means: rejectedClient('the client credentials are wrong') },
  {
    when: { error: true, says: says.tokenRefused },
    means: refusedToken('the refresh token is wrong, expired, revoked or already used'),
  },
  // Without a code, the words of a refusal count nevertheless.
  {
    when: { status: [400, 499], says: says.tokenRefused },
    means: refusedToken('the refresh token is wrong, expired, revoked or already used'),
  },
  {
    when: { says: says.addressRefused },
    means: mistake('the provider does not allow this IP address or this time', fixes.allowAddress),
  },
  // A refusal that calls itself a failure: repeating it would never help
  {
    when: { status: [401, 403], error: 'server_error', description: /access.denied/i },
    means: mistake('the provider refuses the client or the refresh token', fixes.clientOrToken),
  },
  {
    when: { status: 401, error: true, says: says.accessDenied },
    means: rejectedClient('the provider rejects the client'),
  },
  // The provider failed, before or after it used up the token; it does not say which
  { when: { says: says.providerFailed }, means: outcomeUnknown('the provider failed') },
  { when: { says: says.askedAgain }, means: outcomeUnknown('the provider asks for the request again') },
  {
    when: { error: 'invalid_request' },
    means: mistake('a parameter of the request is missing or not allowed'),
  },
  {
    when: { error: 'unauthorized_client' },
    means: mistake('the client is not allowed to use the grant type', fixes.grantType),
  },
  { when: { status: 408 }, means: outcomeUnknown('the provider did not receive the whole request in time') },
  { when: { status: 425 }, means: outcomeUnknown('the provider did not receive the whole request in time') },
  // RFC 9110 section 10.2.3: the provider names the time of the next request, so it did not process this one
  {
    when: { status: [400, 499], hasRetryAfter: true },
    means: throttled('the provider is throttling requests'),
  },
  { when: { error: true }, means: mistake('the provider refuses the request') },
  // Without an OAuth error, only the status is left
  {
    when: { status: 401 },
    means: mistake('the provider rejects the client without an OAuth error', fixes.client),
  },
  {
    when: { status: [400, 499] },
    means: mistake('the response has no OAuth error, so the address may not be a token endpoint'),
  },
];

/** When the description of a refused refresh token says that it has ended, unless the rule says more. */
export const ENDED = {
  /** "Not expired" and "not yet been revoked" say the opposite. */
  says: /(?<!\b(not|never|n.t|until|once)( yet| been| yet been)? )\b(expired|revoked)\b/i,
  /** Each of the two is an end. */
  both: /\b(expired or revoked|revoked or expired)\b/i,
  /** "Invalid, expired or revoked" lists what may be wrong. Without the text that `both` matches. */
  unless:
    /\b(or|either|may|might|possibly)\b|\binvalid\s?[,/]|[,/]\s?(invalid|already)\b|\b(password|trial|licen[cs]e|subscription|plan|secret|certificate|code)\b/i,
};
