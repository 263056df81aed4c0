import type { Problem } from '../../errors.ts';
import type { RecordSummary } from '../ports.ts';
import type { Connection, InvalidConnection } from './connection.ts';
import type { ConnectionRecord, RecordedFailure } from './record.ts';
import { renewalTime } from './times.ts';

/** The state of a connection in one word. Status and `rotator status` show it; docs/reference.md is written from this table. */
export const CONNECTION_STATES = {
  fresh: 'The published access token is valid and the last rotation succeeded.',
  new: 'The connection has never been rotated.',
  expired: 'The published access token has expired and no new one was published yet.',
  failing: 'The last rotation failed. The rotator tries again automatically.',
  blocked: 'An operator must act. The failure says what to do.',
  unknown_outcome:
    'The response to the last token request was lost, and the rotator does not know yet whether the provider executed the request.',
  paused: 'The entry of the connection has `"enabled": false`.',
  invalid: 'The entry of the connection is not valid. The failure names the field.',
} as const;

export type ConnectionState = keyof typeof CONNECTION_STATES;

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

const DAY_MS = 24 * 3_600_000;
/** So long before a credential expires a person is told: the time that it may take to get a new one. */
export const EXPIRY_NOTICE_MS = 14 * DAY_MS;
/** A renewal is late when this part of an access token's life is over. */
const LATE = 0.9;
/** Where no access token was ever published, failing for so long is late: some nine attempts. */
const FIRST_TOKEN_MS = 30 * 60_000;

/** Something that expires and that only a person can replace. */
export interface ExpiringCredential {
  /** The name of its secret in the credential vault. */
  readonly secret: string;
  /** Milliseconds since the epoch; undefined where nobody said. */
  readonly expiresAt: number | undefined;
}

/** Those that expire within 14 days of `now` (milliseconds), or have expired, as they are logged: whole days, rounded down. */
export function expiringSoon(credentials: readonly ExpiringCredential[], now: number) {
  return credentials.flatMap(({ secret, expiresAt }) => {
    if (expiresAt === undefined || expiresAt - now > EXPIRY_NOTICE_MS) return [];
    return {
      secret,
      expires: new Date(expiresAt).toISOString(),
      days: Math.floor((expiresAt - now) / DAY_MS),
    };
  });
}

/**
 * When the refresh token expires for good, in milliseconds since the epoch; undefined where that is unknown, or where rotations
 * move it on: a token that lives a week and is replaced every hour needs nobody.
 * @param before the record before a rotation, `after` the record after it
 */
export function fixedExpiry(before: ConnectionRecord, after: ConnectionRecord): number | undefined {
  const [was, is] = [before.refreshTokenExpiresAt, after.refreshTokenExpiresAt];
  if (was === undefined || is === undefined || before.rotatedAt === undefined) return undefined;
  const passed = (after.rotatedAt ?? before.rotatedAt) - before.rotatedAt;
  // Providers tell whole seconds from now, so that a fixed expiry wavers a little.
  return is - was > passed / 2 ? undefined : is;
}

/**
 * Names of the connections whose published access token is past 90 % of its life and was not renewed. Where the entry asks
 * for a renewal that late, it counts from halfway between that moment and the expiry. One that has no access token yet is
 * late when it has failed for half an hour; a blocked one is told of otherwise.
 */
export function overdueConnections(
  connections: readonly Connection[],
  { now, summaries }: { now: number; summaries: ReadonlyMap<string, RecordSummary> },
): string[] {
  return connections
    .filter((connection) => isOverdue(connection, summaries.get(connection.name), now))
    .map(({ name }) => name);
}

function isOverdue(connection: Connection, summary: RecordSummary | undefined, now: number): boolean {
  if (summary?.expiresAt === undefined) return failsForLong(summary, now);
  const { expiresAt } = summary;
  // A record that was made anew after a loss does not know when the token was issued.
  const issuedAt = summary.rotatedAt ?? expiresAt - connection.assumedLifetimeMs;
  const due = renewalTime({ issuedAt, expiresAt }, connection.name, connection.renewBeforeMs);
  return now > Math.max(issuedAt + LATE * (expiresAt - issuedAt), (due + expiresAt) / 2);
}

function failsForLong(summary: RecordSummary | undefined, now: number): boolean {
  const { since, blocked } = summary?.failure ?? {};
  return since !== undefined && !blocked && now - since > FIRST_TOKEN_MS;
}
