import {
  AuthorizationResponseError,
  allowInsecureRequests,
  type Client,
  type ClientAuth,
  customFetch,
  ResponseBodyError,
} from 'oauth4webapi';
import { readAddress } from '../config/address.ts';
import { type ErrorCode, RotatorError } from '../errors.ts';
import { isClientRefused } from '../oauth/classifyFailure.ts';
import { authenticate } from '../oauth/clientAuthentication.ts';
import { readTokenResponse, type TokenResponseBody } from '../oauth/readTokenResponse.ts';
import { textOf } from '../oauth/responseError.ts';
import { type Sanitizer, sanitizer, secretsSent, shownError, shownScope } from '../oauth/sanitize.ts';
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
  behavior,
  tokenParameters,
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
  const rules = { allowLoopbackHttp, allowPrivateNetwork, signal };
  const options = {
    [customFetch]: limitedFetch(rules),
    // limitedFetch checks which addresses do not need TLS.
    [allowInsecureRequests]: allowLoopbackHttp,
  };
  const tokenOptions = {
    ...options,
    [customFetch]: limitedFetch({ ...rules, format: behavior.requestFormat }),
    additionalParameters: { ...tokenParameters },
  };
  return { client, authentication, options, tokenOptions };
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

/** A token response, and its body as it came. */
interface ReadResponse {
  readonly status: number;
  readonly bytes: Uint8Array;
  /** Undefined if the body is not a token response. */
  readonly response: TokenResponseBody | undefined;
}

/**
 * Reads a token response as those of the rotations are read, in any of their shapes: a code works only once, so what is misread here
 * costs the user another sign-in.
 */
export async function readResponse(
  answer: Response,
  { behavior }: AuthorizationRequest,
): Promise<ReadResponse> {
  const { status } = answer;
  const bytes = new Uint8Array(await answer.arrayBuffer());
  const response = readTokenResponse(bytes, behavior, { refused: status >= 400 && status < 500 });
  return { status, bytes, response };
}

/**
 * The parts of a token response that are kept.
 * @param sent what was sent in addition to the credentials of the client: the error shows nothing of it
 * @throws RotatorError `authorization_*`, `client_rejected`, `refresh_token_not_issued`
 */
export function tokensOf(
  { status, bytes, response }: ReadResponse,
  request: AuthorizationRequest,
  ...sent: string[]
): ObtainedTokens {
  const { behavior, clientId, clientSecret } = request;
  const { refreshToken, accessToken, error } = response ?? {};
  const secrets = secretsSent({ clientId, clientSecret }, ...sent, ...(response?.tokens ?? []));
  if (refreshToken !== undefined && status < 300) {
    const scope = typeof accessToken === 'object' ? accessToken.scope : undefined;
    return { refreshToken, scope: shownScope(scope, secrets) };
  }
  if (!error && typeof accessToken === 'object') throw notIssued(request);
  const meaning = isClientRefused(status, response, behavior) ? 'invalid_client' : error?.code;
  const words = response ? error?.description : textOf(bytes);
  throw refusedBy(hostOf(request), { status, code: meaning, description: words }, sanitizer(secrets));
}

function notIssued({ parameters }: AuthorizationRequest): RotatorError {
  const requested = scopesOf(parameters.scope).includes('offline_access');
  return new RotatorError({
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
  const { clientId, clientSecret } = request;
  const sanitize = sanitizer(secretsSent({ clientId, clientSecret }, ...sent));
  if (thrown instanceof AuthorizationResponseError || thrown instanceof ResponseBodyError) {
    const { error: code, error_description: description } = thrown;
    return refusedBy(hostOf(request), { code, description }, sanitize);
  }
  const why = safeCodeOf(thrown) ?? 'unknown error';
  return new RotatorError({
    code: 'authorization_failed',
    message: `${hostOf(request)} gave no usable response (${why}).`,
    fix: 'Check the addresses and the network connection to the provider, then run the command again.',
  });
}

function hostOf({ server }: AuthorizationRequest): string {
  return URL.parse(server.token_endpoint ?? server.issuer)?.host ?? 'the provider';
}

/** What a provider said instead of tokens. */
interface SaidError {
  readonly status?: number;
  readonly code: string | undefined;
  readonly description: string | undefined;
}

function refusedBy(host: string, { status, code = '', description = '' }: SaidError, sanitize: Sanitizer) {
  const returned =
    code === ''
      ? `it returned HTTP ${status} without tokens`
      : `it returned the error ${shownError(code, sanitize)}`;
  const [meant, cause, fix] = MEANINGS[code] ?? [
    'authorization_failed',
    returned,
    "Check the client's settings at the provider: redirect URI, grant types and scopes.",
  ];
  const words = sanitize(description);
  const quoted = words === '' ? '' : ` It says: "${words}"`;
  return new RotatorError({ code: meant, message: `${host} refused the sign-in: ${cause}.${quoted}`, fix });
}

/** The user pressed Ctrl-C. */
export function interrupted(): RotatorError {
  return new RotatorError({
    code: 'interrupted',
    message: 'The sign-in was interrupted.',
    fix: 'Run the command again; nothing was written.',
  });
}
