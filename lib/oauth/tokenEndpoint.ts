import type { TokenBehavior } from '../rotation/core/connection.ts';
import type {
  IssuedAccessToken,
  TokenEndpoint,
  TokenRequest,
  TokenResponse,
} from '../rotation/core/tokenRequest.ts';
import { classifyFailure } from './classifyFailure.ts';
import { reachOf, sharedLookup } from './egress.ts';
import type { ExchangeResult } from './exchange.ts';
import { httpTokenRequest } from './httpTokenRequest.ts';
import { postTokenRequest, type SendOptions } from './postTokenRequest.ts';
import { readTokenResponse, type TokenResponseBody } from './readTokenResponse.ts';
import { sanitizer, secretsSent } from './sanitize.ts';
import { tokenAddress } from './tokenAddress.ts';

/** How token endpoints are talked to. */
export interface TokenEndpointOptions extends SendOptions {
  /** May tokens go to this machine, over http too? For the local stack only. */
  readonly allowLoopbackHttp: boolean;
  /** Milliseconds since the epoch, for dates in `Retry-After`. */
  readonly now: () => number;
}

/** The token endpoints of all connections (RFC 6749 section 3.2), reached over HTTP. */
export function createTokenEndpoint(options: TokenEndpointOptions): TokenEndpoint {
  const sending = { ...options, lookup: sharedLookup(options.lookup) };
  return {
    async grant(request, mayStillSend) {
      const { tokenUri, allowPrivateNetwork } = request.connection;
      const { allowLoopbackHttp } = options;
      const url = tokenAddress(tokenUri, allowLoopbackHttp);
      if (!(url instanceof URL)) return { failure: url };
      const reach = reachOf(url, { allowLoopback: allowLoopbackHttp, allowPrivateNetwork });
      const result = await postTokenRequest(url, httpTokenRequest(request), reach, mayStillSend, sending);
      return judge(request, result, options.now());
    },
  };
}

function judge(request: TokenRequest, came: ExchangeResult, now: number): TokenResponse {
  const { connection, clientId, clientSecret, refreshToken } = request;
  const { result, answer } = read(came, connection.behavior);
  const received = receivedToken(answer);
  const accessToken = usableToken(result, answer);
  if (accessToken) return { ...received, accessToken };
  const sent = secretsSent(clientId, clientSecret, refreshToken);
  const sanitize = sanitizer([...sent, ...(answer?.tokens ?? [])]);
  return { ...received, failure: classifyFailure(result, answer, { connection, now, sanitize }) };
}

/** An answer that broke off counts in full where the JSON in it is whole: its refresh token has arrived. */
function read(result: ExchangeResult, behavior: TokenBehavior) {
  if (result.kind === 'answered') return { result, answer: readTokenResponse(result.body, behavior) };
  if (result.kind === 'not_sent' || !result.received) return { result };
  const answer = readTokenResponse(result.received.body, behavior, false);
  return answer ? { result: { kind: 'answered', ...result.received } as const, answer } : { result };
}

function receivedToken(answer: TokenResponseBody | undefined) {
  if (answer?.refreshToken === undefined) return {};
  const { refreshToken, refreshTokenLifetimeMs } = answer;
  return { refreshToken, ...(refreshTokenLifetimeMs !== undefined && { refreshTokenLifetimeMs }) };
}

/** Only an answer that says it is a success is one (RFC 6749 section 5.1). */
function usableToken(
  result: ExchangeResult,
  answer: TokenResponseBody | undefined,
): IssuedAccessToken | undefined {
  if (result.kind !== 'answered' || result.status < 200 || result.status > 299) return undefined;
  if (!answer || answer.error || typeof answer.accessToken === 'string') return undefined;
  return answer.accessToken;
}
