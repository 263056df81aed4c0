import type { TokenBehavior } from './connection.ts';
import type { ConnectionRecord, Phase } from './record.ts';
import { LEASE_MARGIN_MS, retryDelay, TAKEOVER_MS } from './timing.ts';

/** Consumers get at least this long with the published access token before a replay may revoke it. */
const LEAST_RUNWAY_MS = 60_000;
const RUNWAY_TICKS = 4;

type Granting = Extract<Phase, { state: 'granting' }>;

/**
 * When a refresh token whose grant has no known outcome may be sent again.
 *
 * Reusable tokens and tokens whose grace still runs: at once, after the usual delay where it failed before.
 * A single-use token: if the lost grant was executed, the replay fails and the provider may revoke the access token in
 * use as well. So it waits until that one is nearly over; where nothing valid is published there is nothing to wait for.
 *
 * @param tickMs time between two sweeps
 * @param now the storage service's time
 * @returns milliseconds since the epoch; may lie in the past
 */
export function replayTime(
  record: ConnectionRecord,
  phase: Granting,
  behavior: TokenBehavior,
  tickMs: number,
  now: number,
): number {
  const failures = record.failure?.code === 'grant_outcome_unknown' ? record.failure.count : 0;
  const delayed = failures === 0 ? phase.startedAt : phase.startedAt + retryDelay(failures);
  if (behavior.refreshTokenGraceMs === Number.POSITIVE_INFINITY) return delayed;
  if (withinGrace(phase, behavior, now)) return phase.startedAt;
  const expiresAt = record.accessToken?.expiresAt ?? 0;
  if (expiresAt <= now) return delayed;
  // Ticks that are far apart must not have the token replayed at once, while consumers need what it may revoke.
  const { issuedAt = expiresAt } = record.accessToken ?? {};
  const runway = Math.max(LEAST_RUNWAY_MS, Math.min(RUNWAY_TICKS * tickMs, (expiresAt - issuedAt) / 4));
  return Math.max(delayed, phase.startedAt + TAKEOVER_MS, expiresAt - runway);
}

/** May a refresh token that was first sent at `phase.firstStartedAt` be sent again right now? */
export function withinGrace(phase: Granting, { refreshTokenGraceMs }: TokenBehavior, now: number): boolean {
  return now + LEASE_MARGIN_MS < phase.firstStartedAt + refreshTokenGraceMs;
}
