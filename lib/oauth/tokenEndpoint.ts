import { hostLookup } from '../hostLookup.ts';
import type { TokenBehavior } from '../rotation/core/connection.ts';
import type {
  IssuedAccessToken,
  TokenEndpoint,
  TokenRequest,
  TokenResponse,
} from '../rotation/core/tokenRequest.ts';
import { classifyFailure } from './classifyFailure.ts';
import { reachOf } from './egress.ts';
import type { ExchangeResult, Received } from './exchange.ts';
import { httpTokenRequest } from './httpTokenRequest.ts';
import { postTokenRequest, type SendOptions } from './postTokenRequest.ts';
import { readTokenResponse, type TokenResponseBody } from './readTokenResponse.ts';
import { sanitizer, secretsSent, shownMember, shownScope } from './sanitize.ts';
import { TlsSessions } from './tlsSessions.ts';
import { tokenAddress } from './tokenAddress.ts';

/** The options of all token requests. */
export interface TokenEndpointOptions extends SendOptions {
  /** Whether tokens may go to this machine, also over http. For the local stack only. */
  readonly allowLoopbackHttp: boolean;
  /** Milliseconds since the epoch, for dates in `Retry-After`. */
  readonly now: () => number;
}

/** The token endpoints of all connections (RFC 6749 section 3.2), reached over HTTP. */
export function createTokenEndpoint(options: TokenEndpointOptions): TokenEndpoint {
  const sending = { sessions: new TlsSessions(), lookup: hostLookup(), ...options };
  return {
    async send(request, terms) {
      const { tokenUri, allowPrivateNetwork } = request.connection;
      const { allowLoopbackHttp } = options;
      const url = tokenAddress(tokenUri, allowLoopbackHttp);
      if (!(url instanceof URL)) return { failure: url };
      const reach = reachOf(url, { allowLoopback: allowLoopbackHttp, allowPrivateNetwork });
      const result = await postTokenRequest(url, httpTokenRequest(request), reach, terms, sending);
      return evaluate(request, result, options.now());
    },
  };
}

function evaluate(request: TokenRequest, exchanged: ExchangeResult, now: number): TokenResponse {
  const { connection, clientSecret, refreshToken } = request;
  const { result, response: body } = read(exchanged, connection.behavior, now);
  const sent = secretsSent(request, refreshToken);
  const secrets = [...sent, ...(body?.tokens ?? [])];
  const response = body && publishable(body, secrets, [clientSecret, refreshToken, body.refreshToken]);
  const oddBody = body?.isOdd ? 'the body is not valid JSON' : undefined;
  const malformed = (result.kind === 'response' ? result.malformed : undefined) ?? oddBody;
  const received = { ...receivedToken(response), ...(malformed !== undefined && { malformed }) };
  const accessToken = usableToken(result, response);
  if (accessToken) return { ...received, accessToken };
  const sanitize = sanitizer(secrets);
  return { ...received, failure: classifyFailure(result, response, { connection, now, sanitize }) };
}

/** Consumers may be told its words: an unusual scope or other member is left out, and an access token that gives them another secret does not count. */
function publishable(
  body: TokenResponseBody,
  secrets: readonly string[],
  hidden: readonly (string | undefined)[],
): TokenResponseBody {
  if (typeof body.accessToken === 'string') return body;
  const { scope, tags, ...accessToken } = body.accessToken;
  if (hidden.some((secret = '') => secret.length >= TELLING && accessToken.value.includes(secret)))
    return { ...body, accessToken: 'has an access token that repeats another secret' };
  const shown = shownScope(scope, secrets);
  return {
    ...body,
    accessToken: {
      ...accessToken,
      ...(shown !== undefined && { scope: shown }),
      ...(tags && { tags: shownTags(tags, secrets) }),
    },
  };
}

function shownTags(tags: Readonly<Record<string, string>>, secrets: readonly string[]) {
  return Object.fromEntries(
    Object.entries(tags).filter(([, value]) => shownMember(value, secrets) !== undefined),
  );
}

/** A shorter secret may be a part of an access token by accident. In characters. */
const TELLING = 8;

/** An interrupted response counts as far as its JSON is complete: its refresh token has arrived. */
function read(result: ExchangeResult, behavior: TokenBehavior, now: number) {
  const terms = ({ status }: Received) => ({ refused: status >= 400 && status < 500, now });
  if (result.kind === 'response')
    return { result, response: readTokenResponse(result.body, behavior, terms(result)) };
  if (result.kind === 'not_sent' || !result.received) return { result };
  const received = { complete: false, ...terms(result.received) };
  const response = readTokenResponse(result.received.body, behavior, received);
  if (!response) return { result };
  return { result: { kind: 'response', malformed: result.why, ...result.received } as const, response };
}

function receivedToken({ refreshToken, refreshTokenLifetimeMs }: Partial<TokenResponseBody> = {}) {
  return {
    ...(refreshToken !== undefined && { refreshToken }),
    ...(refreshTokenLifetimeMs !== undefined && { refreshTokenLifetimeMs }),
  };
}

/** Only a response without an error and with a 2xx status is a success (RFC 6749 section 5.1). */
function usableToken(
  result: ExchangeResult,
  response: TokenResponseBody | undefined,
): IssuedAccessToken | undefined {
  if (result.kind !== 'response' || result.status < 200 || result.status > 299) return undefined;
  if (!response || response.error || typeof response.accessToken === 'string') return undefined;
  return response.accessToken;
}
