import { retryAfterMs } from '../retryAfter.ts';
import type { Connection } from '../rotation/core/connection.ts';
import type { Refusal, TokenRequestFailure } from '../rotation/core/tokenRequest.ts';
import { type AddressKind, literalAddress, refusedKind } from './egress.ts';
import { entraErrors } from './entraErrors.ts';
import type { ExchangeResult } from './exchange.ts';
import { fixes } from './fixes.ts';
import { type KnownError, mistake, outcomeUnknown, throttled } from './knownError.ts';
import { isZohoThrottle, oauthErrors } from './oauthErrors.ts';
import type { ResponseError, TokenResponseBody } from './readTokenResponse.ts';
import { type Sanitizer, shownError } from './sanitize.ts';

/** What decides the meaning of a failure. */
export interface FailureContext {
  readonly connection: Connection;
  /** Milliseconds since the epoch. */
  readonly now: number;
  readonly sanitize: Sanitizer;
}

/**
 * The only place that decides what a failed token request means. Never throws.
 * @param response the content of the response body, if it could be read
 */
export function classifyFailure(
  result: ExchangeResult,
  response: TokenResponseBody | undefined,
  context: FailureContext,
): TokenRequestFailure {
  if (result.kind === 'not_sent') return notSent(result.refused, result.why, context);
  if (result.kind === 'no_response') return noResponse(result.why, context);
  const known = meaning(result.status, response);
  const wait = isRepeated(known) ? retryAfterMs(result.retryAfter, context.now) : undefined;
  return {
    class: known.class,
    code: known.code,
    message: message(result.status, known, response?.error, context),
    fix: known.fix(context.connection),
    ...refusalOf(known, response?.error),
    ...(wait !== undefined && { retryAfterMs: wait }),
  };
}

/** The status comes first if it means that the rest of the response is not reliable. */
function meaning(status: number, response: TokenResponseBody | undefined): KnownError {
  if (status >= 500) return outcomeUnknown('the provider failed');
  if (status === 429) return throttled('the provider is throttling requests');
  if (status >= 300 && status < 400)
    return outcomeUnknown('the response is a redirect to another address', fixes.address);
  if (response?.error?.code !== undefined) return errorMeaning(response.error.code, response.error);
  if (status === 408 || status === 425)
    return outcomeUnknown('the provider did not receive the whole request in time');
  if (status === 401) return mistake('the provider rejects the client without an OAuth error', fixes.client);
  if (status >= 400)
    return mistake('the response has no OAuth error, so the address may not be a token endpoint');
  return unusable(response);
}

/** Entra's numbers say more than its `error`, and for 50196 they contradict it. */
function errorMeaning(code: string, { description, numbers }: ResponseError): KnownError {
  const number = numbers.find((each) => entraErrors.has(each));
  const entra = number === undefined ? undefined : entraErrors.get(number);
  // Only `invalid_client` itself proves that the provider did not check the refresh token.
  if (entra && (entra.class !== 'client_rejected' || code === 'invalid_client')) return entra;
  if (isZohoThrottle(code, description)) return throttled('the provider is throttling requests');
  return oauthErrors.get(code) ?? mistake('the provider refuses the request');
}

/** The provider's own words say it if the table does not. */
function refusalOf(
  { class: failureClass, refusal }: KnownError,
  error: ResponseError | undefined,
): { refusal?: Refusal } {
  if (failureClass !== 'reauthorization_required') return {};
  const ended = /\b(expired|revoked)\b/i.test(error?.description ?? '');
  const said = refusal ?? (ended ? 'final' : undefined);
  return said ? { refusal: said } : {};
}

function unusable(response: TokenResponseBody | undefined): KnownError {
  const why = typeof response?.accessToken === 'string' ? response.accessToken : 'has an unreadable error';
  const cause = response ? `the response ${why}` : 'the response is not a token response';
  const fix = response?.cutOff ? fixes.reach : fixes.response;
  return { class: 'outcome_unknown', code: 'response_unusable', cause, fix };
}

function isRepeated(known: KnownError): boolean {
  return known.class === 'retrying' || known.class === 'outcome_unknown';
}

function message(
  status: number,
  { cause }: KnownError,
  error: ResponseError | undefined,
  { connection, sanitize }: FailureContext,
): string {
  const named = error?.code === undefined ? '' : `, ${shownError(error.code, sanitize)}${aadsts(error)}`;
  const description = error?.description === undefined ? '' : sanitize(error.description);
  const quoted = description === '' ? '' : ` It says: "${description}"`;
  return `${endpoint(connection)} returned HTTP ${status}${named}: ${cause}.${quoted}`;
}

function aadsts({ numbers }: ResponseError): string {
  const number = numbers.find((each) => entraErrors.has(each)) ?? numbers[0];
  return number === undefined ? '' : ` (AADSTS${number})`;
}

function notSent(refused: boolean, why: string, { connection }: FailureContext): TokenRequestFailure {
  const kind = refusedKind(why);
  if (kind) return addressRefused(kind, connection);
  const cause = refused ? 'the remaining time is too short' : `the connection failed (${why})`;
  return {
    class: 'retrying',
    code: 'provider_unavailable',
    message: `Nothing was sent to ${endpoint(connection)}: ${cause}.`,
    fix: refused ? fixes.wait() : fixes.reach(),
  };
}

const ADDRESSES: Readonly<Record<AddressKind, string>> = {
  public: 'a public address',
  private: 'an address in a private network',
  loopback: 'an address of this machine',
  special: 'a metadata service or another link-local, shared, multicast or reserved address',
};

/**
 * The DNS records of a name can change without a change of the entry, so the rotator tries again. An address in the entry stays
 * the same.
 */
function addressRefused(kind: AddressKind, connection: Connection): TokenRequestFailure {
  const url = URL.parse(connection.tokenUri);
  const named = url !== null && literalAddress(url) !== undefined;
  return {
    class: named ? 'misconfigured' : 'retrying',
    code: 'address_refused',
    message: `Nothing was sent to ${endpoint(connection)}: ${named ? 'the host is' : 'the host name resolves to'} ${ADDRESSES[kind]}.`,
    fix: (kind === 'private' ? fixes.privateNetwork : fixes.publicAddress)(connection),
  };
}

function noResponse(why: string, { connection }: FailureContext): TokenRequestFailure {
  return {
    class: 'outcome_unknown',
    code: 'provider_unavailable',
    message: `The request was sent to ${endpoint(connection)}, but there was no usable response (${why}).`,
    fix: fixes.reach(),
  };
}

/** Only the host: a path or a query may contain secrets. */
function endpoint({ tokenUri }: Connection): string {
  return URL.parse(tokenUri)?.host ?? 'the token endpoint';
}
