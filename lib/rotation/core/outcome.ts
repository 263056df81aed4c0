import { type ErrorCode, type Problem, problemOf, RotatorError, retryAfterOf } from '../../errors.ts';
import type { Connection } from './connection.ts';
import { type Reason, retryDelayOf } from './decide.ts';
import {
  attemptAt,
  type ConnectionRecord,
  type FailureHandling,
  failed,
  gaveUp,
  intentWithdrawn,
  lookedInVain,
  published,
  type RecordedFailure,
  settled,
  unanswered,
} from './record.ts';
import {
  countsUnknown,
  isReusable,
  LONGEST_IDLE_MS,
  LONGEST_RETRY_AFTER_MS,
  lookDelay,
  renewalTime,
  replayTime,
  retryDelay,
  withinGrace,
} from './times.ts';
import type { FailureClass, IssuedAccessToken, TokenRequestFailure, TokenResponse } from './tokenRequest.ts';

/** How a rotation ended. Logs, answers and `rotator rotate` show these names; docs/reference.md is written from this table. */
export const RESULTS = {
  rotated: 'A new access token is published.',
  not_due: 'The access token is still fresh enough; nothing was done.',
  cooldown: 'The last forced rotation was a moment ago; nothing was done.',
  in_progress: 'Another rotation of the connection holds the lease.',
  awaiting_response:
    'The response to a token request may still arrive. The process that sent it saves it, and nothing else is sent meanwhile.',
  provider_slow:
    'The host of the token endpoint responds slowly or fails. Another connection tries whether it works again; nothing was sent.',
  saving: 'The vault has not accepted the new refresh token yet. The process keeps trying to save it.',
  outcome_unknown:
    'The outcome of a token request is unknown. A later rotation finds out or repeats the request.',
  blocked: 'An operator must act. The problem says what to do.',
  retrying: 'The rotation failed. The rotator tries again automatically.',
  draining: 'The process is about to end and starts no rotation.',
} as const;

/** What a rotation came to. */
export interface RotationResult {
  readonly result: keyof typeof RESULTS;
  readonly connection: string;
  readonly reason?: Reason;
  readonly problem?: Problem;
  readonly generation?: number;
  /** When the published access token expires, milliseconds since the epoch. */
  readonly expiresAt?: number;
  /** When asking again makes sense, in milliseconds from now. */
  readonly retryAfterMs?: number;
}

/** What the next attempt depends on, beside the record. */
export interface OutcomeContext {
  readonly connection: Connection;
  readonly now: number;
  readonly scheduleIntervalMs: number;
}

type ClearedBy = RecordedFailure['clearedBy'];

/** When an access token was issued and expires. @param issuedAt when the request was sent, milliseconds since the epoch */
export function tokenTimes(
  { lifetimeMs, expiresInIsDefault }: IssuedAccessToken,
  issuedAt: number,
): NonNullable<ConnectionRecord['accessToken']> {
  return { issuedAt, expiresAt: issuedAt + lifetimeMs, expiresInIsDefault };
}

/**
 * A request succeeded and its access token is published.
 * @param before the record before the rotation: with the one after it, it shows whether rotations move the refresh token's end
 */
export function succeeded(
  before: ConnectionRecord,
  record: ConnectionRecord,
  token: NonNullable<ConnectionRecord['accessToken']>,
  { connection, scheduleIntervalMs }: Pick<OutcomeContext, 'connection' | 'scheduleIntervalMs'>,
): ConnectionRecord {
  const { refreshTokenExpiresAt } = record;
  const refreshTokenEndIsFixed = endIsFixed(before, record, token.issuedAt);
  const times = { ...token, refreshTokenExpiresAt, refreshTokenEndIsFixed };
  const { refreshTokenEndIsFixed: _before, ...rest } = record;
  const known = refreshTokenEndIsFixed === undefined ? rest : { ...rest, refreshTokenEndIsFixed };
  const due = Math.min(renewalTime(times, connection, scheduleIntervalMs), token.issuedAt + LONGEST_IDLE_MS);
  return published(known, token, due);
}

/**
 * Does a rotation leave the end of the refresh token as it is? A token that lives for a week and is replaced every hour needs
 * no operator. Undefined if that is unknown.
 */
function endIsFixed(before: ConnectionRecord, after: ConnectionRecord, now: number): boolean | undefined {
  const [was, is] = [before.refreshTokenExpiresAt, after.refreshTokenExpiresAt];
  if (was === undefined || is === undefined || before.rotatedAt === undefined) return undefined;
  // Providers send whole seconds from now, so a fixed end varies a little.
  return is - was <= (now - before.rotatedAt) / 2;
}

/**
 * A token request failed: what is now known about the refresh token, and when to try again.
 * @param request the record in the phase `requesting`, as it was when the request was sent, and the record before it: a replay
 *   that was not processed leaves the outcome unknown
 * @param credentials the secrets that the client's credentials were read from: a change of one may clear the block
 */
export function requestFailed(
  { record, before }: { readonly record: ConnectionRecord; readonly before: ConnectionRecord },
  failure: TokenRequestFailure,
  credentials: ClearedBy,
  context: OutcomeContext,
): ConnectionRecord {
  switch (failure.class) {
    case 'outcome_unknown':
      return outcomeUnknown(record, failure, context);
    case 'retrying':
      return sendLater(intentWithdrawn(record, before), failure, context);
    case 'client_rejected':
      return blocked(intentWithdrawn(record, before), failure, credentials, context);
    case 'misconfigured':
      return blocked(
        intentWithdrawn(record, before),
        failure,
        [...refreshTokenOf(record, context), ...credentials],
        context,
      );
    case 'reauthorization_required':
      return blocked(settled(record), explained(failure, before), refreshTokenOf(record, context), {
        ...context,
        sentAgain: sentAgain(failure, before, context.connection),
      });
  }
}

/**
 * May a refused refresh token be sent again later? Never after a lost response: the provider has probably executed that request, and
 * a second use may end the token family. A token that has ended stays so.
 */
function sentAgain(
  { refusal }: TokenRequestFailure,
  { phase }: ConnectionRecord,
  { behavior }: Connection,
): RecordedFailure['sentAgain'] {
  if (phase.state !== 'idle' || refusal === 'final') return undefined;
  const isHarmless = refusal === 'transient' || isReusable(behavior);
  return isHarmless ? 'anyway' : 'once_expired';
}

/** May the request be sent a second time right after its response? Reusable tokens are retried with a delay instead. */
export function mayRepeat(
  { phase }: ConnectionRecord,
  { failure, refreshToken }: TokenResponse,
  { behavior }: Connection,
  now: number,
): boolean {
  if (failure?.class !== 'outcome_unknown' || refreshToken !== undefined) return false;
  if (phase.state === 'idle' || isReusable(behavior)) return false;
  return withinGrace(phase, behavior, now);
}

const NOT_PROCESSED: readonly (FailureClass | undefined)[] = ['retrying', 'client_rejected', 'misconfigured'];

/** A replay that was not sent, or not processed, says nothing about the request before it. */
export function tellsMore({ answer, refused }: { answer: TokenResponse; refused: boolean }): boolean {
  if (answer.refreshToken !== undefined) return true;
  return !refused && !NOT_PROCESSED.includes(answer.failure?.class);
}

/** An error was thrown during the rotation. If the connection is blocked, it stays blocked for its old reason. */
export function thrownAt(
  record: ConnectionRecord,
  thrown: unknown,
  context: OutcomeContext,
): ConnectionRecord {
  if (thrown instanceof RotatorError && thrown.clearedBy)
    return blocked(record, thrown, [...thrown.clearedBy], context);
  const { failure } = record;
  if (failure?.blocked && failure.code !== 'vault_policy') return lookedInVain(record, context.now);
  const problem = problemOf(thrown);
  if (problem.code === 'vault_policy') return blocked(record, problem, [], context);
  return retryLater(record, problem, context, retryAfterOf(thrown));
}

/** Trying again would give the same result until an operator acts. */
const FOR_AN_OPERATOR: readonly ErrorCode[] = [
  'vault_policy',
  'refresh_token_too_large',
  'access_token_too_large',
  'connection_string_too_large',
  'connection_string_unwritable',
];

/** A received token could not be stored. This replaces an older block, because the request itself has succeeded. */
export function notStored(
  record: ConnectionRecord,
  thrown: RotatorError,
  context: OutcomeContext,
): ConnectionRecord {
  if (FOR_AN_OPERATOR.includes(thrown.code))
    return blocked(record, thrown, refreshTokenOf(record, context), context);
  return retryLater(record, thrown, context, retryAfterOf(thrown));
}

/** A failure that does not affect the refresh token: it is tried again, with growing delays. */
export function retryLater(
  record: ConnectionRecord,
  problem: Problem,
  context: OutcomeContext,
  retryAfterMs = 0,
): ConnectionRecord {
  return attemptLater(failed(record, problem, retried(context), context.now), context, retryAfterMs);
}

/** A request that says nothing about the refresh token is sent again, with growing delays. */
function sendLater(
  record: ConnectionRecord,
  failure: TokenRequestFailure,
  context: OutcomeContext,
): ConnectionRecord {
  const noted = unanswered(record, failure, retried(context), context.now);
  return attemptLater(noted, context, failure.retryAfterMs);
}

function retried({ connection: { fingerprint } }: OutcomeContext): FailureHandling {
  return { blocked: false, clearedBy: [], fingerprint };
}

function attemptLater(
  noted: ConnectionRecord & { failure: RecordedFailure },
  { connection, now }: OutcomeContext,
  retryAfterMs = 0,
): ConnectionRecord {
  // After the end of the refresh token, a request that waited as long as it was asked to would be refused.
  const left = (noted.refreshTokenExpiresAt ?? Number.POSITIVE_INFINITY) - now;
  const patience = Math.min(retryAfterMs, LONGEST_RETRY_AFTER_MS, (left * 2) / 3);
  const delay = retryDelay(noted.failure.count, connection.behavior);
  return attemptAt(noted, Math.ceil(now + Math.max(patience, delay)));
}

/** An operator must act. No request is sent until a secret in `clearedBy` or the entry changes, or `mayClearAutomatically` allows one. */
export function blocked(
  record: ConnectionRecord,
  problem: Problem,
  clearedBy: ClearedBy,
  { connection, now, sentAgain }: OutcomeContext & Pick<RecordedFailure, 'sentAgain'>,
): ConnectionRecord {
  const { fingerprint } = connection;
  const handling = { blocked: true, clearedBy, fingerprint, ...(sentAgain && { sentAgain }) };
  const noted = failed(record, problem, handling, now);
  return attemptAt(noted, now + Math.min(lookDelay(now - noted.failure.since), retryDelayOf(noted.failure)));
}

/** A token request was interrupted, and it is too early to repeat it. */
export function waitsForReplay(
  record: ConnectionRecord,
  until: number,
  context: OutcomeContext,
): ConnectionRecord {
  if (countsUnknown(record.failure)) return attemptAt(record, until);
  const problem = unknown(
    'The process that sent the last token request ended before its outcome was recorded.',
  );
  return attemptAt(noteUnknown(record, problem, context), until);
}

function outcomeUnknown(
  record: ConnectionRecord,
  failure: TokenRequestFailure,
  context: OutcomeContext,
): ConnectionRecord {
  const { connection, now, scheduleIntervalMs } = context;
  if (isReusable(connection.behavior)) {
    return sendLater(settled(record), failure, context);
  }
  const noted = noteUnknown(gaveUp(record, now), unknown(failure.message), context);
  return attemptAt(noted, Math.max(now, replayTime(noted, connection.behavior, scheduleIntervalMs, now)));
}

function noteUnknown(record: ConnectionRecord, problem: Problem, context: OutcomeContext): ConnectionRecord {
  return unanswered(record, problem, retried(context), context.now);
}

function unknown(message: string): Problem {
  return {
    code: 'outcome_unknown',
    message: `${message} Whether the provider used up the refresh token is unknown.`,
    fix: 'Wait: the request is repeated automatically when that can do no harm.',
  };
}

function explained(failure: TokenRequestFailure, before: ConnectionRecord): Problem {
  if (before.phase.state === 'idle') return failure;
  const cause =
    before.failure?.code === 'reauthorization_required'
      ? 'It had refused it before that, and the response to an earlier token request was lost.'
      : 'The response to an earlier token request was lost, and with it the refresh token that replaced this one.';
  return { ...failure, message: `${failure.message} ${cause}` };
}

/** The problem in a record, if there is one. */
export function problemIn({ failure }: ConnectionRecord): { problem?: Problem } {
  return failure ? { problem: { code: failure.code, message: failure.message, fix: failure.fix } } : {};
}

function refreshTokenOf(record: ConnectionRecord, { connection }: OutcomeContext): ClearedBy {
  if (connection.grant === 'client_credentials') return [];
  return [{ secret: connection.secrets.refreshToken, version: record.version ?? null }];
}
