import type { Connection, TokenBehavior } from './connection.ts';
import type { RecordSummary } from './record.ts';
import { DAY_MS, isShortLived, LEASE_MS, renewalTime } from './times.ts';

/** What is known of the last rotation, in milliseconds since the epoch. */
type Known = Pick<RecordSummary, 'rotatedAt' | 'expiresAt' | 'refreshTokenExpiresAt'>;

export const SCHEDULE_FIX = 'Set ROTATION_SCHEDULE to run more often.';

/**
 * Each reason why the schedule runs too rarely for a connection, as a sentence.
 * @param known without an access token, the default lifetime counts
 */
export function scheduleWarnings(
  connection: Connection,
  known: Known | undefined,
  scheduleIntervalMs: number,
): string[] {
  return [
    ...leftWarnings(connection, known, scheduleIntervalMs),
    ...graceWarnings(connection.behavior, scheduleIntervalMs),
  ];
}

/** Tokens must outlive the sweep that renews them. */
export function leftWarnings(
  connection: Connection,
  known: Known | undefined,
  scheduleIntervalMs: number,
): string[] {
  const never: Known = { rotatedAt: 0, expiresAt: connection.behavior.defaultExpiresInMs };
  const last = known?.expiresAt === undefined ? never : known;
  const { expiresAt = 0, refreshTokenExpiresAt = Number.POSITIVE_INFINITY } = last;
  const issuedAt = last.rotatedAt ?? expiresAt - connection.behavior.defaultExpiresInMs;
  const times = { issuedAt, expiresAt, refreshTokenExpiresAt };
  const due = renewalTime(times, connection, scheduleIntervalMs);
  // The end of a token that is renewed only after it is reported as `access_token_short_lived`; here its last third counts.
  const left = isShortLived(times, scheduleIntervalMs)
    ? (expiresAt - issuedAt) / 3
    : Math.min(expiresAt, refreshTokenExpiresAt) - due;
  if (left >= scheduleIntervalMs) return [];
  return [
    `Tokens may expire before they are renewed: the schedule interval is ${duration(scheduleIntervalMs)}, but a token has ${duration(Math.max(0, left))} left at its renewal time.`,
  ];
}

/** Another process must be able to repeat a lost token request while the provider still accepts the old token. */
export function graceWarnings({ refreshTokenGraceMs }: TokenBehavior, scheduleIntervalMs: number): string[] {
  const needed = LEASE_MS + scheduleIntervalMs;
  if (refreshTokenGraceMs === 0 || refreshTokenGraceMs > needed) return [];
  return [
    `The grace of ${duration(refreshTokenGraceMs)} ends before the rotator repeats a lost token request: lease and schedule interval take ${duration(needed)}.`,
  ];
}

/** Rounded down, in the largest unit of which there are two. */
function duration(ms: number): string {
  const units = { days: DAY_MS, hours: DAY_MS / 24, minutes: DAY_MS / 1440 };
  const [unit, length] = Object.entries(units).find(([, each]) => ms >= 2 * each) ?? ['seconds', 1000];
  return `${Math.floor(ms / length)} ${unit}`;
}
