import {
  AuthorizationResponseError,
  allowInsecureRequests,
  type Client,
  type ClientAuth,
  customFetch,
  ResponseBodyError,
  type TokenEndpointResponse,
} from 'oauth4webapi';
import { readAddress } from '../config/address.ts';
import { type ErrorCode, RotatorError } from '../errors.ts';
import { authenticate } from '../oauth/clientAuthentication.ts';
import { sanitizer, secretsSent, shownError, shownScope } from '../oauth/sanitize.ts';
import { safeCodeOf } from '../safeText.ts';
import { limitedFetch } from './limitedFetch.ts';
import type { AuthorizationRequest, ObtainedTokens } from './request.ts';

/** The client, its authentication and the options that every request of a flow uses. */
export function clientOf({
  clientId,
  clientSecret,
  clientAssertion,
  clientAuthentication,
  allowLoopbackHttp,
  allowPrivateNetwork = false,
  signal,
}: AuthorizationRequest) {
  const client: Client = { client_id: clientId };
  // As in the token requests of the rotations.
  const authentication: ClientAuth = async (_server, _client, body, headers) => {
    const assertion = clientAssertion && { clientAssertion: await clientAssertion() };
    const made = authenticate(clientAuthentication, { clientId, clientSecret, ...assertion });
    for (const [name, value] of Object.entries(made.parameters)) body.set(name, value);
    for (const [name, value] of Object.entries(made.headers)) headers.set(name, value);
  };
  const options = {
    [customFetch]: limitedFetch({ allowLoopbackHttp, allowPrivateNetwork, signal }),
    // limitedFetch checks which addresses do not need TLS.
    [allowInsecureRequests]: allowLoopbackHttp,
  };
  return { client, authentication, options };
}

/**
 * The address of the provider, checked: it comes from metadata or a response, and a user's browser opens any address.
 * @throws the error of `refuse` if the address is not a valid https address
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
 * The parts of the token response that are kept.
 * @throws RotatorError `refresh_token_not_issued`
 */
export function tokensOf(
  response: TokenEndpointResponse,
  { parameters, clientId, clientSecret }: AuthorizationRequest,
): ObtainedTokens {
  const { refresh_token: refreshToken, access_token: accessToken } = response;
  if (typeof refreshToken === 'string' && refreshToken !== '') {
    const secrets = secretsSent({ clientId, clientSecret }, refreshToken, accessToken);
    return { refreshToken, scope: shownScope(response.scope, secrets) };
  }
  const requested = scopesOf(parameters.scope).includes('offline_access');
  throw new RotatorError({
    code: 'refresh_token_not_issued',
    message: requested
      ? 'The sign-in succeeded, but the provider issued no refresh token, although the command requested the scope offline_access.'
      : 'The sign-in succeeded, but the provider issued no refresh token: the command did not request the scope offline_access.',
    fix: requested
      ? "Allow offline_access and the refresh token grant in the client's settings at the provider, then run the command again."
      : 'Add offline_access to --scope (or to the scope of the entry), then run the command again.',
  });
}

function scopesOf(scope = ''): string[] {
  return scope.split(/\s+/);
}

const MEANINGS: Readonly<Record<string, readonly [ErrorCode, string, string]>> = {
  access_denied: [
    'authorization_denied',
    'consent was denied',
    'Run the command again and allow the access.',
  ],
  expired_token: [
    'authorization_expired',
    'the code has expired',
    'Run the command again and enter the new code in time.',
  ],
  invalid_client: [
    'client_rejected',
    'the client id or the client secret is wrong',
    "Check the client id, the client secret and --client-authentication against the client's settings at the provider.",
  ],
  unauthorized_client: [
    'authorization_failed',
    'the client is not allowed to use this flow',
    "Allow the authorization code grant (or the device authorization grant, with --device) in the client's settings at the provider.",
  ],
  invalid_scope: [
    'authorization_failed',
    'the scope is not valid',
    'Set --scope to scopes that the provider supports.',
  ],
  invalid_grant: ['authorization_failed', 'the code is not valid', 'Run the command again.'],
};

/**
 * The error to report for anything that a flow threw. Text of the provider is sanitized, and the error has no other part of a
 * request or a response.
 * @param sent what was sent in addition to the credentials of the client
 */
export function authorizationError(
  thrown: unknown,
  request: AuthorizationRequest,
  ...sent: string[]
): RotatorError {
  if (thrown instanceof RotatorError) return thrown;
  if (request.signal.aborted) return interrupted();
  const host = URL.parse(request.server.token_endpoint ?? request.server.issuer)?.host ?? 'the provider';
  if (thrown instanceof AuthorizationResponseError || thrown instanceof ResponseBodyError)
    return refusedBy(host, thrown, request, sent);
  const why = safeCodeOf(thrown) ?? 'unknown error';
  return new RotatorError({
    code: 'authorization_failed',
    message: `${host} gave no usable response (${why}).`,
    fix: 'Check the addresses and the network connection to the provider, then run the command again.',
  });
}

function refusedBy(
  host: string,
  { error, error_description: description }: AuthorizationResponseError | ResponseBodyError,
  { clientId, clientSecret }: AuthorizationRequest,
  sent: readonly string[],
): RotatorError {
  const sanitize = sanitizer(secretsSent({ clientId, clientSecret }, ...sent));
  const [code, cause, fix] = MEANINGS[error] ?? [
    'authorization_failed',
    `it returned the error ${shownError(error, sanitize)}`,
    "Check the client's settings at the provider: redirect URI, grant types and scopes.",
  ];
  const quoted = description === undefined ? '' : ` It says: "${sanitize(description)}"`;
  return new RotatorError({ code, message: `${host} refused the sign-in: ${cause}.${quoted}`, fix });
}

/** The user pressed Ctrl-C. */
export function interrupted(): RotatorError {
  return new RotatorError({
    code: 'interrupted',
    message: 'The sign-in was interrupted.',
    fix: 'Run the command again; nothing was written.',
  });
}
