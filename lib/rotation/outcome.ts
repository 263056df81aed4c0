import type { Problem } from '../errors.ts';
import type { Connection } from './connection.ts';
import type { GrantFailure, IssuedAccessToken } from './grant.ts';
import {
  attemptAt,
  type ConnectionRecord,
  failed,
  intentWithdrawn,
  published,
  type RecordedFailure,
  settled,
} from './record.ts';
import { replayTime } from './replay.ts';
import { lookDelay, renewalTime, retryDelay } from './timing.ts';

/** A provider that asks for more patience than this is asked again all the same: 1 h. */
const LONGEST_RETRY_AFTER_MS = 3_600_000;

/** What an outcome is judged by. */
export interface OutcomeContext {
  readonly connection: Connection;
  readonly now: number;
  readonly tickMs: number;
}

type Watch = RecordedFailure['watch'];

/** A grant succeeded and its access token is published; `issuedAt` is when the grant was sent. */
export function succeeded(
  record: ConnectionRecord,
  accessToken: IssuedAccessToken,
  issuedAt: number,
  connection: Connection,
): ConnectionRecord {
  const token = {
    issuedAt,
    expiresAt: issuedAt + accessToken.lifetimeMs,
    lifetimeAssumed: accessToken.lifetimeAssumed,
  };
  return published(record, token, renewalTime(token, connection.name, connection.renewBeforeMs));
}

/**
 * A grant failed: what is known about the refresh token now, and when it goes on.
 * @param record with the phase `granting`, as it was when the grant was sent
 * @param before the record before the intent: a replay that was not processed leaves its outcome as unknown as it was
 * @param credentials what the client's credentials were read from: a change of theirs may cure it
 */
export function grantFailed(
  record: ConnectionRecord,
  before: ConnectionRecord,
  failure: GrantFailure,
  credentials: Watch,
  context: OutcomeContext,
): ConnectionRecord {
  switch (failure.class) {
    case 'ambiguous':
      return outcomeUnknown(record, failure, context);
    case 'retryable':
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

/** Something failed that does not touch the refresh token: tried again, slower each time. */
export function retryLater(
  record: ConnectionRecord,
  problem: Problem,
  { connection, now }: OutcomeContext,
  retryAfterMs = 0,
): ConnectionRecord {
  const { fingerprint } = connection;
  const noted = failed(record, problem, { blocked: false, watch: [], fingerprint }, now);
  const patience = Math.min(retryAfterMs, LONGEST_RETRY_AFTER_MS);
  return attemptAt(noted, now + Math.max(patience, retryDelay(noted.failure.count)));
}

/** Something failed that needs a person: no grant until a watched secret or the entry changes, or `mayBeCured` says so. */
export function blocked(
  record: ConnectionRecord,
  problem: Problem,
  watch: Watch,
  { connection, now }: OutcomeContext,
): ConnectionRecord {
  const { fingerprint } = connection;
  const noted = failed(record, problem, { blocked: true, watch, fingerprint }, now);
  return attemptAt(noted, now + lookDelay(now - noted.failure.since));
}

/** A grant was interrupted and it is too early to repeat it. */
export function waitsForReplay(
  record: ConnectionRecord,
  until: number,
  context: OutcomeContext,
): ConnectionRecord {
  if (record.failure?.code === 'grant_outcome_unknown') return attemptAt(record, until);
  const problem = unknown('The process that sent the last grant ended before its outcome was recorded.');
  return attemptAt(noteUnknown(record, problem, context), until);
}

function outcomeUnknown(
  record: ConnectionRecord,
  failure: GrantFailure,
  context: OutcomeContext,
): ConnectionRecord {
  const { connection, now, tickMs } = context;
  if (connection.behavior.refreshTokenGraceMs === Number.POSITIVE_INFINITY) {
    return retryLater(settled(record), failure, context, failure.retryAfterMs);
  }
  const noted = noteUnknown(record, unknown(failure.message), context);
  const until =
    noted.phase.state === 'granting' ? replayTime(noted, noted.phase, connection.behavior, tickMs, now) : now;
  return attemptAt(noted, Math.max(now, until));
}

function noteUnknown(
  record: ConnectionRecord,
  problem: Problem,
  { connection, now }: OutcomeContext,
): ConnectionRecord {
  return failed(record, problem, { blocked: false, watch: [], fingerprint: connection.fingerprint }, now);
}

function unknown(message: string): Problem {
  return {
    code: 'grant_outcome_unknown',
    message: `${message} Whether the provider used up the refresh token is unknown.`,
    fix: 'Nothing now: the grant is repeated by itself when that can do no harm.',
  };
}

function explained(failure: GrantFailure, before: ConnectionRecord): Problem {
  if (before.phase.state === 'idle') return failure;
  const cause =
    'The answer to an earlier grant was lost, and with it the refresh token that replaced this one.';
  return { ...failure, message: `${failure.message} ${cause}` };
}

function refreshTokenOf(record: ConnectionRecord, { connection }: OutcomeContext): Watch {
  return [{ secret: connection.secrets.refreshToken, version: record.version ?? null }];
}
