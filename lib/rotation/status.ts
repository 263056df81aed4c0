import type { Problem } from '../errors.ts';
import type { Connection, InvalidConnection } from './connection.ts';
import type { RecordSummary } from './ports.ts';
import type { ConnectionRecord, RecordedFailure } from './record.ts';

/**
 * The state of a connection in one word.
 * - `fresh`: a valid access token is published and nothing is wrong
 * - `new`: it was never rotated
 * - `expired`: the published access token is over
 * - `failing`: renewals fail and are tried again; `blocked`: a person is needed
 * - `unknown_outcome`: a grant was sent whose outcome is being found out
 * - `paused`: `enabled` is false; `invalid`: the entry cannot be used
 */
type ConnectionState =
  | 'fresh'
  | 'new'
  | 'expired'
  | 'failing'
  | 'blocked'
  | 'unknown_outcome'
  | 'paused'
  | 'invalid';

/** What anybody may know about a connection. Times are ISO 8601. */
export interface ConnectionStatus {
  readonly name: string;
  readonly state: ConnectionState;
  readonly provider?: string;
  readonly generation?: number;
  readonly accessTokenExpires?: string;
  readonly lastRotation?: string;
  readonly nextAttempt?: string;
  readonly failure?: Problem | { readonly code: string };
  readonly failuresInARow?: number;
}

/** The status of one connection from what the list of records tells; its failure is only a code. */
export function statusOf(
  connection: Connection,
  summary: RecordSummary | undefined,
  now: number,
): ConnectionStatus {
  const { name, provider } = connection;
  if (!summary) return { name, provider, state: connection.enabled ? 'new' : 'paused' };
  const { generation, nextAttemptAt, expiresAt, rotatedAt, failure } = summary;
  return {
    name,
    provider,
    state: connection.enabled ? stateOf(summary, now) : 'paused',
    generation,
    ...(expiresAt !== undefined && { accessTokenExpires: iso(expiresAt) }),
    ...(rotatedAt !== undefined && { lastRotation: iso(rotatedAt) }),
    ...(connection.enabled && nextAttemptAt > 0 && { nextAttempt: iso(nextAttemptAt) }),
    ...(failure && { failure: { code: failure.code }, failuresInARow: failure.count }),
  };
}

/** The same from the whole record: the failure comes with its cause and fix. */
export function detailedStatusOf(
  connection: Connection,
  record: ConnectionRecord | undefined,
  now: number,
): ConnectionStatus {
  const status = statusOf(connection, record && summaryOf(record), now);
  if (!record?.failure) return status;
  const { code, message, fix } = record.failure;
  return { ...status, failure: { code, message, fix } };
}

export function invalidStatusOf({ name, problem }: InvalidConnection): ConnectionStatus {
  return { name, state: 'invalid', failure: problem };
}

/** The part of a record that its blob's metadata carries, so that a list tells what is due. */
export function summaryOf(record: ConnectionRecord): RecordSummary {
  const { phase, generation, nextAttemptAt, accessToken, rotatedAt, failure } = record;
  return {
    phase: phase.state,
    generation,
    nextAttemptAt,
    ...(accessToken && { expiresAt: accessToken.expiresAt }),
    ...(rotatedAt !== undefined && { rotatedAt }),
    ...(failure && { failure: failureSummaryOf(failure) }),
  };
}

function failureSummaryOf({ code, blocked, count, since }: RecordedFailure) {
  return { code, blocked, count, since };
}

function stateOf({ phase, failure, rotatedAt, expiresAt }: RecordSummary, now: number): ConnectionState {
  if (failure?.blocked) return 'blocked';
  if (phase === 'granting' && failure) return 'unknown_outcome';
  if (expiresAt !== undefined && expiresAt <= now) return 'expired';
  if (failure) return 'failing';
  return rotatedAt === undefined ? 'new' : 'fresh';
}

function iso(time: number): string {
  return new Date(time).toISOString();
}
