import { retryAfterMs } from '../retryAfter.ts';
import type { Connection, TokenBehavior } from '../rotation/core/connection.ts';
import type { ErrorMeaning, ErrorRule, Refusal, TokenRequestFailure } from '../rotation/core/tokenRequest.ts';
import { type AddressKind, kindOf, literalAddress, reachOf, refusedKind } from './egress.ts';
import { mistake } from './errorMeanings.ts';
import { ENDED, errorRules } from './errorRules.ts';
import type { ExchangeResult } from './exchange.ts';
import { fixes, fixFor } from './fixes.ts';
import { codeBeside, matchesPattern } from './matchesPattern.ts';
import { nameOfNumber, unmistakableErrors } from './providers/index.ts';
import type { TokenResponseBody } from './readTokenResponse.ts';
import { type ResponseError, textOf } from './responseError.ts';
import { fixForUnusable, isOtherType } from './responseTokens.ts';
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
  const asked = retryAfterMs(result.retryAfter, context.now);
  const received = { status: result.status, hasRetryAfter: asked !== undefined };
  const found = ruleFor(received, response, context);
  // Without a refresh token in the request, it cannot be the refresh token that is refused.
  const isGrantRefused =
    context.connection.grant === 'client_credentials' && found.means.class === 'reauthorization_required';
  const rule = isGrantRefused ? { when: found.when, means: NOT_FOR_THE_CLIENT } : found;
  const known = rule.means;
  const wait = isRepeated(known) ? asked : undefined;
  return {
    class: known.class,
    code: known.code,
    message: message(result, rule, response, context),
    fix: fixFor(known.fix, context.connection),
    ...refusalOf(known, response?.error),
    ...(wait !== undefined && { retryAfterMs: wait }),
  };
}

const NOT_FOR_THE_CLIENT = mistake('the provider refuses the client credentials grant', fixes.grantType);

function ruleFor(
  received: Parameters<typeof matchesPattern>[1],
  response: TokenResponseBody | undefined,
  { connection: { behavior }, sanitize }: FailureContext,
): ErrorRule {
  const found = matchingRule(received, response, behavior);
  return found ?? { when: {}, means: unusable(response, sanitize) };
}

/** The first rule that the response matches: one of the connection's profile, an unmistakable one of another, or a general one. */
function matchingRule(
  received: Parameters<typeof matchesPattern>[1],
  response: TokenResponseBody | undefined,
  { errors = [] }: TokenBehavior,
) {
  const rules = [...errors, ...unmistakableErrors, ...errorRules];
  return rules.find(({ when }) => matchesPattern(when, received, response));
}

/** Does a response to a request for tokens, of whatever grant, say that the client's credentials are wrong? Never throws. */
export function isClientRefused(
  status: number,
  response: TokenResponseBody | undefined,
  behavior: TokenBehavior,
): boolean {
  return (
    matchingRule({ status, hasRetryAfter: false }, response, behavior)?.means.class === 'client_rejected'
  );
}

/** The provider's own words say it if the table does not. */
function refusalOf(
  { class: failureClass, refusal }: ErrorMeaning,
  error: ResponseError | undefined,
): { refusal?: Refusal } {
  if (failureClass !== 'reauthorization_required') return {};
  const words = error?.description ?? '';
  const ended = ENDED.says.test(words) && !ENDED.unless.test(words.replace(ENDED.both, ''));
  const said = refusal ?? (ended ? 'final' : undefined);
  return said ? { refusal: said } : {};
}

/** A response without an error that has no usable access token. */
function unusable(response: TokenResponseBody | undefined, sanitize: Sanitizer): ErrorMeaning {
  const why = typeof response?.accessToken === 'string' ? response.accessToken : 'has an unreadable error';
  const type = isOtherType(why) ? response?.tokenType : undefined;
  const named = type === undefined ? '' : ` (${shownError(type, sanitize)})`;
  const cause = response ? `the response ${why}${named}` : 'the response is not a token response';
  const fix = response?.cutOff ? fixes.reach : fixForUnusable(why);
  return { class: 'outcome_unknown', code: 'response_unusable', cause, fix };
}

function isRepeated(known: ErrorMeaning): boolean {
  return known.class === 'retrying' || known.class === 'outcome_unknown';
}

function message(
  { status, body }: Extract<ExchangeResult, { kind: 'response' }>,
  { when, means }: ErrorRule,
  response: TokenResponseBody | undefined,
  { connection, sanitize }: FailureContext,
): string {
  const { error } = response ?? {};
  const number = when.number ?? error?.numbers[0];
  const numbered = number === undefined ? '' : ` (${nameOfNumber(number)})`;
  const code = codeBeside(error?.code, status);
  const named = code === undefined ? '' : `, ${shownError(code, sanitize)}${numbered}`;
  // What a refusal says in members of other names is shown as it is.
  const isUnknown = response === undefined || (status >= 400 && !error && response.tokens.length === 0);
  const description = sanitize(isUnknown ? textOf(body) : (error?.description ?? ''));
  const quoted = description === '' ? '' : ` It says: "${description}"`;
  return `${endpoint(connection)} returned HTTP ${status}${named}: ${means.cause}.${quoted}`;
}

function notSent(refused: boolean, why: string, { connection }: FailureContext): TokenRequestFailure {
  const kind = refusedKind(why);
  if (kind) return addressRefused(kind, connection);
  const cause = refused ? 'the remaining time is too short' : `the connection failed (${why})`;
  return {
    class: 'retrying',
    code: 'provider_unavailable',
    message: `Nothing was sent to ${endpoint(connection)}: ${cause}.`,
    fix: refused ? fixes.wait : fixes.reach,
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
    fix: addressFix(kind, connection),
  };
}

function addressFix(kind: AddressKind, connection: Parameters<typeof fixFor>[1]): string {
  return fixFor(kind === 'private' ? fixes.privateNetwork : fixes.publicAddress, connection);
}

/** What every token request of a connection would be refused for: the IP address that its entry names, in words. */
export function refusedLiteral(
  connection: Pick<Connection, 'name' | 'tokenUri' | 'allowPrivateNetwork'>,
  allowLoopback: boolean,
): { readonly address: string; readonly fix: string } | undefined {
  const url = URL.parse(connection.tokenUri);
  // `localhost` and the names below it always mean this machine (RFC 6761 section 6.3).
  const isLocal = url !== null && /(^|\.)localhost\.?$/.test(url.hostname);
  const literal = url && (isLocal ? '127.0.0.1' : literalAddress(url));
  if (!url || !literal) return undefined;
  const kind = kindOf(literal);
  const { allowPrivateNetwork } = connection;
  if (reachOf(url, { allowLoopback, allowPrivateNetwork }).has(kind)) return undefined;
  return { address: ADDRESSES[kind], fix: addressFix(kind, connection) };
}

function noResponse(why: string, { connection }: FailureContext): TokenRequestFailure {
  return {
    class: 'outcome_unknown',
    code: 'provider_unavailable',
    message: `The request was sent to ${endpoint(connection)}, but there was no usable response (${why}).`,
    fix: fixes.reach,
  };
}

/** Only the host: a path or a query may contain secrets. */
function endpoint({ tokenUri }: Connection): string {
  return URL.parse(tokenUri)?.host ?? 'the token endpoint';
}
