import {
  AuthorizationResponseError,
  allowInsecureRequests,
  type Client,
  ClientSecretBasic,
  ClientSecretPost,
  customFetch,
  ResponseBodyError,
  type TokenEndpointResponse,
} from 'oauth4webapi';
import { readAddress } from '../config/address.ts';
import { type ErrorCode, RotatorError } from '../errors.ts';
import { sanitizer, secretsSent, shownError } from '../oauth/sanitize.ts';
import { safeCodeOf } from '../safeText.ts';
import { limitedFetch } from './limitedFetch.ts';
import type { AuthorizationRequest, ObtainedTokens } from './request.ts';

/** What every request of a flow is sent with. */
export function clientOf({
  clientId,
  clientSecret,
  clientAuthentication,
  allowLoopbackHttp,
  signal,
}: AuthorizationRequest) {
  const client: Client = { client_id: clientId };
  const authentication =
    clientAuthentication === 'client_secret_basic'
      ? ClientSecretBasic(clientSecret)
      : ClientSecretPost(clientSecret);
  const options = {
    [customFetch]: limitedFetch(allowLoopbackHttp, signal),
    // Which addresses may do without TLS is checked by limitedFetch.
    [allowInsecureRequests]: allowLoopbackHttp,
  };
  return { client, authentication, options };
}

/**
 * An address of the provider that a person may be sent to: it comes from metadata or an answer, and a browser opens anything.
 * @throws what `refuse` gives, where it is no https address
 */
export function userAddress(
  address: string,
  { allowLoopbackHttp }: AuthorizationRequest,
  refuse: () => RotatorError,
): string {
  const { url } = readAddress(address, { allowLoopbackHttp });
  if (!url) throw refuse();
  return url.href;
}

/**
 * What the answer is kept for.
 * @throws RotatorError `refresh_token_not_issued`
 */
export function tokensOf(
  answer: TokenEndpointResponse,
  { parameters }: AuthorizationRequest,
): ObtainedTokens {
  const { refresh_token: refreshToken, scope } = answer;
  if (typeof refreshToken === 'string' && refreshToken !== '')
    return { refreshToken, scope: scope !== undefined && SCOPE.test(scope) ? scope : undefined };
  const asked = scopesOf(parameters.scope).includes('offline_access');
  throw new RotatorError({
    code: 'refresh_token_not_issued',
    message: asked
      ? 'The sign-in worked, but the provider gave no refresh token although the scope offline_access was asked for.'
      : 'The sign-in worked, but the provider gave no refresh token: the scope offline_access was not asked for.',
    fix: asked
      ? "Allow offline_access and the refresh-token grant in the client's settings at the provider, then sign in again."
      : 'Add offline_access to --scope (or to the scope of the entry), then sign in again.',
  });
}

function scopesOf(scope = ''): string[] {
  return scope.split(/\s+/);
}

/** RFC 6749 appendix A.4; what else comes is not taken over into a configuration. */
const SCOPE = /^[!#-[\]-~]+( [!#-[\]-~]+)*$/;

const MEANINGS: Readonly<Record<string, readonly [ErrorCode, string, string]>> = {
  access_denied: [
    'authorization_denied',
    'consent was denied',
    'Run the command again and allow the access.',
  ],
  expired_token: [
    'authorization_expired',
    'the code is over',
    'Run the command again and enter the new code in time.',
  ],
  invalid_client: [
    'client_rejected',
    'the client id or the client secret is wrong',
    'Check both, and whether --client-authentication is what the provider expects.',
  ],
  unauthorized_client: [
    'authorization_failed',
    'the client may not sign in this way',
    "Allow the authorization-code grant (or the device grant, with --device) in the client's settings at the provider.",
  ],
  invalid_scope: [
    'authorization_failed',
    'the scope is refused',
    'Check --scope against what the provider knows.',
  ],
  invalid_grant: ['authorization_failed', 'the code is refused', 'Run the command again.'],
};

/**
 * The error that stands for whatever a flow threw. Text of the provider is made safe; nothing of a request or an answer stands in it.
 */
export function authorizationError(thrown: unknown, request: AuthorizationRequest): RotatorError {
  if (thrown instanceof RotatorError) return thrown;
  if (request.signal.aborted) return interrupted();
  const host = URL.parse(request.server.token_endpoint ?? request.server.issuer)?.host ?? 'the provider';
  if (thrown instanceof AuthorizationResponseError || thrown instanceof ResponseBodyError)
    return refusedBy(host, thrown, request);
  const why = safeCodeOf(thrown) ?? 'no answer';
  return new RotatorError({
    code: 'authorization_failed',
    message: `${host} gave no usable answer (${why}).`,
    fix: 'Check the addresses and the way to the provider, then run the command again.',
  });
}

function refusedBy(
  host: string,
  { error, error_description: description }: AuthorizationResponseError | ResponseBodyError,
  { clientId, clientSecret }: AuthorizationRequest,
): RotatorError {
  const sanitize = sanitizer(secretsSent(clientId, clientSecret));
  const [code, cause, fix] = MEANINGS[error] ?? [
    'authorization_failed',
    `it answered ${shownError(error, sanitize)}`,
    "Check the client's settings at the provider: redirect URI, grants and scopes.",
  ];
  const told = description === undefined ? '' : ` It says: "${sanitize(description)}"`;
  return new RotatorError({ code, message: `${host} refused: ${cause}.${told}`, fix });
}

/** Ctrl-C. */
export function interrupted(): RotatorError {
  return new RotatorError({
    code: 'interrupted',
    message: 'The sign-in was interrupted.',
    fix: 'Nothing was written; run the command again when you like.',
  });
}
