import { retryAfterMs } from '../retryAfter.ts';
import type { Connection } from '../rotation/core/connection.ts';
import type { TokenRequestFailure } from '../rotation/core/tokenRequest.ts';
import { type AddressKind, literalAddress, refusedKind } from './egress.ts';
import { entraErrors } from './entraErrors.ts';
import type { ExchangeResult } from './exchange.ts';
import { fixes } from './fixes.ts';
import { ambiguous, type KnownError, mistake, throttled } from './knownError.ts';
import { isZohoThrottle, oauthErrors } from './oauthErrors.ts';
import type { AnsweredError, TokenResponseBody } from './readTokenResponse.ts';
import { type Sanitizer, shownError } from './sanitize.ts';

/** What a failure is judged by. */
export interface FailureContext {
  readonly connection: Connection;
  /** Milliseconds since the epoch. */
  readonly now: number;
  readonly sanitize: Sanitizer;
}

/**
 * The one place that says what a failed grant means. Never throws.
 * @param answer what the body of the answer holds, where it could be read
 */
export function classifyFailure(
  result: ExchangeResult,
  answer: TokenResponseBody | undefined,
  context: FailureContext,
): TokenRequestFailure {
  if (result.kind === 'not_sent') return notSent(result.refused, result.why, context);
  if (result.kind === 'no_response') return noAnswer(result.why, context);
  const known = meaning(result.status, answer);
  const wait = patient(known) ? retryAfterMs(result.retryAfter, context.now) : undefined;
  return {
    class: known.class,
    code: known.code,
    message: message(result.status, known, answer?.error, context),
    fix: known.fix(context.connection),
    ...(wait !== undefined && { retryAfterMs: wait }),
  };
}

/** The status comes first where it says that nothing else can be relied on. */
function meaning(status: number, answer: TokenResponseBody | undefined): KnownError {
  if (status >= 500) return ambiguous('it failed');
  if (status === 429) return throttled('it wants fewer requests');
  if (status >= 300 && status < 400) return ambiguous('it redirects to another address', fixes.address);
  if (answer?.error?.code !== undefined) return errorMeaning(answer.error.code, answer.error);
  if (status === 408 || status === 425) return ambiguous('it did not get the whole request in time');
  if (status === 401) return mistake('it does not accept the client, and gives no OAuth error', fixes.client);
  if (status >= 400) return mistake('it gives no OAuth error, so it may not be a token endpoint');
  return unusable(answer);
}

/** Entra's numbers say more than its `error`, and for 50196 the opposite. */
function errorMeaning(code: string, { description, numbers }: AnsweredError): KnownError {
  const number = numbers.find((each) => entraErrors.has(each));
  const entra = number === undefined ? undefined : entraErrors.get(number);
  // Only `invalid_client` itself proves that the refresh token was not looked at.
  if (entra && (entra.class !== 'client_rejected' || code === 'invalid_client')) return entra;
  if (isZohoThrottle(code, description)) return throttled('it wants fewer requests');
  return oauthErrors.get(code) ?? mistake('it refuses the request');
}

function unusable(answer: TokenResponseBody | undefined): KnownError {
  const why = typeof answer?.accessToken === 'string' ? answer.accessToken : 'says that something went wrong';
  const cause = answer ? `its answer ${why}` : 'its answer is no token answer';
  return { class: 'outcome_unknown', code: 'response_unusable', cause, fix: fixes.answer };
}

function patient(known: KnownError): boolean {
  return known.class === 'retrying' || known.class === 'outcome_unknown';
}

function message(
  status: number,
  { cause }: KnownError,
  error: AnsweredError | undefined,
  { connection, sanitize }: FailureContext,
): string {
  const named = error?.code === undefined ? '' : `, ${shownError(error.code, sanitize)}${aadsts(error)}`;
  const told = error?.description === undefined ? '' : sanitize(error.description);
  const quoted = told === '' ? '' : ` It says: "${told}"`;
  return `${endpoint(connection)} answered HTTP ${status}${named}: ${cause}.${quoted}`;
}

function aadsts({ numbers }: AnsweredError): string {
  const number = numbers.find((each) => entraErrors.has(each)) ?? numbers[0];
  return number === undefined ? '' : ` (AADSTS${number})`;
}

function notSent(refused: boolean, why: string, { connection }: FailureContext): TokenRequestFailure {
  const kind = refusedKind(why);
  if (kind) return addressRefused(kind, connection);
  const cause = refused ? 'the time that is left is too short' : `no connection was made (${why})`;
  return {
    class: 'retrying',
    code: 'provider_unavailable',
    message: `Nothing was sent to ${endpoint(connection)}: ${cause}.`,
    fix: refused ? fixes.wait() : fixes.reach(),
  };
}

const LEADS: Readonly<Record<AddressKind, string>> = {
  public: 'into the internet',
  private: 'into a private network',
  loopback: 'to this machine',
  special: 'to a metadata service, or nowhere: it is link-local, shared, multicast or reserved',
};

/** A name may be pointed elsewhere without a change of the entry: it is tried again. An address in the entry stays what it is. */
function addressRefused(kind: AddressKind, connection: Connection): TokenRequestFailure {
  const url = URL.parse(connection.tokenUri);
  const named = url !== null && literalAddress(url) !== undefined;
  return {
    class: named ? 'misconfigured' : 'retrying',
    code: 'address_refused',
    message: `Nothing was sent to ${endpoint(connection)}: ${named ? 'the address' : 'the address of that name'} leads ${LEADS[kind]}.`,
    fix: (kind === 'private' ? fixes.privateNetwork : fixes.publicAddress)(connection),
  };
}

function noAnswer(why: string, { connection }: FailureContext): TokenRequestFailure {
  return {
    class: 'outcome_unknown',
    code: 'provider_unavailable',
    message: `${endpoint(connection)} was asked and gave no usable answer (${why}).`,
    fix: fixes.reach(),
  };
}

/** The host alone: a path or a query may hold what must not be shown. */
function endpoint({ tokenUri }: Connection): string {
  return URL.parse(tokenUri)?.host ?? 'the token endpoint';
}
