import { type ErrorCode, type Problem, problemOf, RotatorError, retryAfterOf } from '../../errors.ts';
import type { Connection } from './connection.ts';
import type { Reason } from './decide.ts';
import {
  attemptAt,
  type ConnectionRecord,
  failed,
  intentWithdrawn,
  lookedInVain,
  published,
  type RecordedFailure,
  settled,
} from './record.ts';
import {
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

/** What an outcome is judged by. */
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

/** A request succeeded and its access token is published. */
export function succeeded(
  record: ConnectionRecord,
  token: NonNullable<ConnectionRecord['accessToken']>,
  { name, renewBeforeMs }: Connection,
): ConnectionRecord {
  return published(record, token, renewalTime(token, name, renewBeforeMs));
}

/**
 * A grant failed: what is known about the refresh token now, and when it goes on.
 * @param request the record with the phase `granting`, as it was when the request was sent, and the one before it: a replay
 *   that was not processed leaves its outcome as unknown as it was
 * @param credentials what the client's credentials were read from: a change of theirs may cure it
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
      return retryLater(intentWithdrawn(record, before), failure, context, failure.retryAfterMs);
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
      return blocked(settled(record), explained(failure, before), refreshTokenOf(record, context), context);
  }
}

/** May a request be sent a second time right after its answer? Reusable tokens need not: they are retried with a delay. */
export function mayRepeat(
  { phase }: ConnectionRecord,
  { failure, refreshToken }: TokenResponse,
  { behavior }: Connection,
  now: number,
): boolean {
  if (failure?.class !== 'outcome_unknown' || refreshToken !== undefined) return false;
  if (phase.state === 'idle' || behavior.refreshTokenGraceMs === Number.POSITIVE_INFINITY) return false;
  return withinGrace(phase, behavior, now);
}

const NOT_PROCESSED: readonly (FailureClass | undefined)[] = ['retrying', 'client_rejected', 'misconfigured'];

/** A replay that was not sent, or not processed, says nothing about the request before it. */
export function tellsMore({ answer, refused }: { answer: TokenResponse; refused: boolean }): boolean {
  if (answer.refreshToken !== undefined) return true;
  return !refused && !NOT_PROCESSED.includes(answer.failure?.class);
}

/** Something was thrown while the connection was worked on. A failed look at a blocked connection keeps the block. */
export function thrownAt(
  record: ConnectionRecord,
  thrown: unknown,
  context: OutcomeContext,
): ConnectionRecord {
  if (thrown instanceof RotatorError && thrown.clearedBy)
    return blocked(record, thrown, [...thrown.clearedBy], context);
  if (record.failure?.blocked) return lookedInVain(record, context.now);
  return retryLater(record, problemOf(thrown), context, retryAfterOf(thrown));
}

/** The next token would be too large again, and its connection string could not be written either. */
const FOR_AN_OPERATOR: readonly ErrorCode[] = [
  'refresh_token_too_large',
  'access_token_too_large',
  'connection_string_too_large',
  'connection_string_unwritable',
];

/** A token that was received could not be stored. This replaces a block: the request itself has succeeded. */
export function notStored(
  record: ConnectionRecord,
  thrown: RotatorError,
  context: OutcomeContext,
): ConnectionRecord {
  if (FOR_AN_OPERATOR.includes(thrown.code))
    return blocked(record, thrown, refreshTokenOf(record, context), context);
  return retryLater(record, thrown, context, retryAfterOf(thrown));
}

/** Something failed that does not touch the refresh token: tried again, slower each time. */
export function retryLater(
  record: ConnectionRecord,
  problem: Problem,
  { connection, now }: OutcomeContext,
  retryAfterMs = 0,
): ConnectionRecord {
  const { fingerprint } = connection;
  const noted = failed(record, problem, { blocked: false, clearedBy: [], fingerprint }, now);
  const patience = Math.min(retryAfterMs, LONGEST_RETRY_AFTER_MS);
  return attemptAt(noted, now + Math.max(patience, retryDelay(noted.failure.count)));
}

/** Something failed that needs a person: no grant until a watched secret or the entry changes, or `mayClearByItself` says so. */
export function blocked(
  record: ConnectionRecord,
  problem: Problem,
  clearedBy: ClearedBy,
  { connection, now }: OutcomeContext,
): ConnectionRecord {
  const { fingerprint } = connection;
  const noted = failed(record, problem, { blocked: true, clearedBy, fingerprint }, now);
  return attemptAt(noted, now + lookDelay(now - noted.failure.since));
}

/** A grant was interrupted and it is too early to repeat it. */
export function waitsForReplay(
  record: ConnectionRecord,
  until: number,
  context: OutcomeContext,
): ConnectionRecord {
  if (record.failure?.code === 'outcome_unknown') return attemptAt(record, until);
  const problem = unknown('The process that sent the last grant ended before its outcome was recorded.');
  return attemptAt(noteUnknown(record, problem, context), until);
}

function outcomeUnknown(
  record: ConnectionRecord,
  failure: TokenRequestFailure,
  context: OutcomeContext,
): ConnectionRecord {
  const { connection, now, scheduleIntervalMs } = context;
  if (connection.behavior.refreshTokenGraceMs === Number.POSITIVE_INFINITY) {
    return retryLater(settled(record), failure, context, failure.retryAfterMs);
  }
  const noted = noteUnknown(record, unknown(failure.message), context);
  return attemptAt(noted, Math.max(now, replayTime(noted, connection.behavior, scheduleIntervalMs, now)));
}

function noteUnknown(
  record: ConnectionRecord,
  problem: Problem,
  { connection, now }: OutcomeContext,
): ConnectionRecord {
  return failed(record, problem, { blocked: false, clearedBy: [], fingerprint: connection.fingerprint }, now);
}

function unknown(message: string): Problem {
  return {
    code: 'outcome_unknown',
    message: `${message} Whether the provider used up the refresh token is unknown.`,
    fix: 'Nothing now: the grant is repeated by itself when that can do no harm.',
  };
}

function explained(failure: TokenRequestFailure, before: ConnectionRecord): Problem {
  if (before.phase.state === 'idle') return failure;
  const cause =
    'The answer to an earlier grant was lost, and with it the refresh token that replaced this one.';
  return { ...failure, message: `${failure.message} ${cause}` };
}

/** The problem that a record tells of, if there is one. */
export function problemIn({ failure }: ConnectionRecord): { problem?: Problem } {
  return failure ? { problem: { code: failure.code, message: failure.message, fix: failure.fix } } : {};
}

function refreshTokenOf(record: ConnectionRecord, { connection }: OutcomeContext): ClearedBy {
  return [{ secret: connection.secrets.refreshToken, version: record.version ?? null }];
}
