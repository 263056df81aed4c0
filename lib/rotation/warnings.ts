import type { Connection } from './connection.ts';
import type { RecordSummary } from './ports.ts';
import type { ConnectionRecord } from './record.ts';
import { renewalTime } from './timing.ts';

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
  const issuedAt = summary.rotatedAt ?? expiresAt - connection.behavior.assumedLifetimeMs;
  const due = renewalTime({ issuedAt, expiresAt }, connection.name, connection.renewBeforeMs);
  return now > Math.max(issuedAt + LATE * (expiresAt - issuedAt), (due + expiresAt) / 2);
}

function failsForLong(summary: RecordSummary | undefined, now: number): boolean {
  const { since, blocked } = summary?.failure ?? {};
  return since !== undefined && !blocked && now - since > FIRST_TOKEN_MS;
}
