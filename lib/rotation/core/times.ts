import { backoff } from '../../backoff.ts';
import type { Connection, TokenBehavior } from './connection.ts';
import type { ConnectionRecord, Phase, RecordedFailure } from './record.ts';

/** All delays, limits and lifetimes of the protocol, in milliseconds. Design: `ARCHITECTURE.md`, "The times". */

const HOUR_MS = 3_600_000;
export const DAY_MS = 24 * HOUR_MS;

/** A blob lease lasts at least 15 s and at most 60 s (Lease Blob, REST reference). The shortest gives the fastest takeover. */
export const LEASE_MS = 15_000;
/** A held lease is renewed this often. */
export const LEASE_RENEWAL_MS = 5_000;
/**
 * How long the process that announced a token request waits for a response, from the announcement on. Token endpoints that usually
 * respond within a second are known to take 4.5 to 37 s at times. The token in a late response is as good as any other. No
 * other process sends for the connection in this time, unless a second use is harmless (`replayTime`).
 */
const LONGEST_WAIT_MS = 60_000;
/** A token request is sent only if at least this much of the wait is left. */
export const SHORTEST_WAIT_MS = 8_000;
/** A token request is sent only on a connection that was established within this time: until then nothing is lost. */
export const CONNECT_DEADLINE_MS = 4_000;
/** A host that has not responded by then counts as slow. */
export const SLOW_MS = 4_000;
/** Clocks, and the service's whole seconds, differ by less: so much is left on the lease when a token request is sent. */
export const LEASE_MARGIN_MS = 2_000;
/** So long after the announcement of a request, no process waits for its response any more. */
export const RESERVED_MS = LONGEST_WAIT_MS + LEASE_MARGIN_MS;
/** A save that takes longer than this continues in the background. */
export const SAVE_PATIENCE_MS = 20_000;
const SAVE_PAUSE_FIRST_MS = 250;
const SAVE_PAUSE_LONGEST_MS = 10_000;
/** How often a publication is tried. The refresh token is safe by then, and the next sweep tries again. */
export const PUBLISH_ATTEMPTS = 3;
const PUBLISH_PAUSE_MS = 500;
/** A look at the vault may lead to a repair and another look. If this many are not enough, something keeps changing the secret. */
export const MOST_LOOKS = 4;
/**
 * How long reads of a vault may show less than it has acknowledged. Key Vault promises nothing about it; 40 s were seen in a listing
 * of a simulation.
 */
export const VAULT_LAG_MS = 60_000;
/**
 * How long to wait after copying an operator's token until all copies are compared. Creation times have whole seconds: a copy that is
 * written later than that has a later one.
 */
export const RIVAL_WAIT_MS = 2_000;
/** At most this many superseded versions are disabled in one rotation. */
export const MOST_DISABLED = 25;
/** The longest lifetime of a token that is believed: ten years, which some providers use for "never". */
export const LONGEST_LIFETIME_MS = 3_660 * DAY_MS;
/** An access token that lives longer is renewed nevertheless, so that a forged record hides a connection for no longer than this. */
export const LONGEST_IDLE_MS = 7 * DAY_MS;
/**
 * How old a list of the records may be that a sweep uses, and the next sweep of the default schedule finds it too old. A request of another
 * process is seen within that time: no process may repeat it earlier ({@link RESERVED_MS}).
 */
export const LONGEST_LIST_AGE_MS = 50_000;
/** By so much the clocks that write and read a record may differ. */
export const CLOCK_TOLERANCE_MS = 300_000;
/**
 * The longest `Retry-After` of a provider that is followed: 1 h. No rule waits longer after a failure; only a replay may, until the
 * access token expires.
 */
export const LONGEST_RETRY_AFTER_MS = HOUR_MS;
/** The shortest time between two forced rotations of one connection. */
export const FORCE_COOLDOWN_MS = 10_000;

/** How long a removal waits for a rotation that is running: a response may take as long as that, and its save as well. */
export const REMOVAL_PATIENCE_MS = RESERVED_MS + SAVE_PATIENCE_MS;
export const REMOVAL_PAUSE_MS = 500;

/** A blocked connection whose cause may pass at the provider gets another token request after this long. */
const BLOCKED_RETRY_MS = HOUR_MS;

/** Providers need up to two minutes to learn a new client secret, so refused client credentials are tried more often after a change. */
const CREDENTIALS_ARE_NEW_MS = 10 * 60_000;
const NEW_CREDENTIALS_RETRY_MS = 30_000;

/**
 * How long to wait after a request that was certainly not processed before a blocked connection gets another one, in milliseconds.
 * @param setAt when the client credentials were set that the provider refused, if it did
 */
export function blockedRetryDelay(setAt: readonly (number | undefined)[], at: number): number {
  const isNew = setAt.some((each) => each !== undefined && at - each < CREDENTIALS_ARE_NEW_MS);
  return isNew ? NEW_CREDENTIALS_RETRY_MS : BLOCKED_RETRY_MS;
}

const REFUSED_FIRST_MS = 60_000;
/** After this long, a refused refresh token is not tried again. */
const REFUSED_FOR_GOOD_MS = 7 * DAY_MS;

/**
 * How long to wait after the `count`th refusal in a row before a refresh token is sent again, in milliseconds: a minute, doubling, at most
 * an hour; a day after the first day, and Infinity after a week.
 */
export function refusedDelay(refusedForMs: number, count: number): number {
  if (refusedForMs >= REFUSED_FOR_GOOD_MS) return Number.POSITIVE_INFINITY;
  if (refusedForMs >= DAY_MS) return DAY_MS;
  return backoff({ first: REFUSED_FIRST_MS, longest: HOUR_MS, attempt: count });
}

const RETRY_FIRST_MS = 10_000;
const LOOK_FIRST_MS = 60_000;
const SLOWEST_MS = 300_000;
const PROBE_LONGEST_MS = 60_000;

/**
 * How long to wait after the `count`th failure in a row (1 for the first): 10 s, doubling, at most 5 min. If the provider limits the
 * requests of a day, at most as long as leaves half of them for the time after the failures.
 */
export function retryDelay(count: number, { requestsPerDay }: Pick<TokenBehavior, 'requestsPerDay'>): number {
  const shared = requestsPerDay === undefined ? 0 : (2 * DAY_MS) / requestsPerDay;
  return backoff({ first: RETRY_FIRST_MS, longest: Math.max(SLOWEST_MS, shared), attempt: count });
}

/**
 * How long to wait after the `attempt`th failed save (1 for the first): 250 ms, doubling, or as long as the vault asks, at most
 * 10 s.
 */
export function savePause(attempt: number, retryAfterMs: number): number {
  const pause = backoff({ first: SAVE_PAUSE_FIRST_MS, longest: SAVE_PAUSE_LONGEST_MS, attempt });
  return Math.min(SAVE_PAUSE_LONGEST_MS, Math.max(pause, retryAfterMs));
}

/** How long to wait after the `attempt`th failed publication (1 for the first). */
export function publishPause(attempt: number): number {
  return PUBLISH_PAUSE_MS * attempt;
}

/** How long a host is left alone after the `count`th failure in a row (1 for the first): 10 s, doubling, at most a minute. */
export function probePause(count: number): number {
  return backoff({ first: RETRY_FIRST_MS, longest: PROBE_LONGEST_MS, attempt: count });
}

/** How long to wait before the next look at a connection that has been blocked for so long: 60 s, doubling, at most 5 min. */
export function lookDelay(blockedForMs: number): number {
  return Math.min(SLOWEST_MS, Math.max(LOOK_FIRST_MS, blockedForMs));
}

/** A number in [0, 1) that depends on nothing but the name (FNV-1a), so that connections made together spread out. */
function spreadOf(name: string): number {
  let hash = 0x811c9dc5;
  for (const character of name) {
    hash = Math.imul(hash ^ (character.codePointAt(0) ?? 0), 0x01000193) >>> 0;
  }
  return hash / 2 ** 32;
}

const SHORTEST_RENEWAL_MS = 60_000;
/** The default schedule interval. With a shorter one, tokens may live for seconds, as those of the local stack do. */
const USUAL_INTERVAL_MS = 10_000;

/**
 * The shortest time between two renewals, in milliseconds: a minute, or three schedule intervals if the schedule is more frequent than
 * the default. A provider that answers `expires_in: 1` would get 8,600 token requests a day otherwise.
 */
function shortestRenewal(scheduleIntervalMs: number): number {
  return scheduleIntervalMs < USUAL_INTERVAL_MS ? 3 * scheduleIntervalMs : SHORTEST_RENEWAL_MS;
}

/** Does an access token live so short that the shortest time between two renewals counts instead of its lifetime? */
export function isShortLived(
  { issuedAt, expiresAt }: Pick<IssuedTimes, 'issuedAt' | 'expiresAt'>,
  scheduleIntervalMs: number,
): boolean {
  return ((expiresAt - issuedAt) * 2) / 3 < shortestRenewal(scheduleIntervalMs);
}

/** What was issued, in milliseconds since the epoch. */
export interface IssuedTimes {
  readonly issuedAt: number;
  /** Of the access token. */
  readonly expiresAt: number;
  /** Of the refresh token, if known, and whether renewals do not move it. */
  readonly refreshTokenExpiresAt?: number | undefined;
  readonly refreshTokenEndIsFixed?: boolean | undefined;
}

/** If a refresh ends the access token before it, a tenth of its life is left at the renewal, but no more than this. */
const LATEST_RENEWAL_MS = 300_000;
/** So many sweeps must fit between a late renewal and the end of the token. */
const LATE_SWEEPS = 3;
/** A token response takes so long, and the provider counts the age of a token from somewhere in between. */
const RESPONSE_MARGIN_MS = 5_000;

/**
 * When an access token is to be renewed: when two thirds of its life are gone or `renewBeforeMs` before its
 * end, up to a twentieth of its life earlier by the spread of its connection. A token is never renewed in the
 * first quarter of its life, however large `renewBeforeMs` is, nor sooner than the shortest time between two renewals. If
 * two thirds of the refresh token's life are gone before that, it is renewed then: after its end, nothing can be renewed. Only an
 * end that no renewal moves, or that comes before the next sweep, waits for that shortest time as well.
 *
 * If the refresh ends the access token in use, the renewal comes late, because consumers go on with a dead token until they read
 * again. A provider that refuses to renew a young token is not asked before it accepts, whatever ends meanwhile.
 * @param scheduleIntervalMs time between two sweeps
 */
export function renewalTime(
  { issuedAt, expiresAt, refreshTokenExpiresAt, refreshTokenEndIsFixed = false }: IssuedTimes,
  { name, renewBeforeMs, behavior }: Pick<Connection, 'name' | 'renewBeforeMs' | 'behavior'>,
  scheduleIntervalMs: number,
): number {
  const lifetime = expiresAt - issuedAt;
  const isLate = behavior.accessTokenEndsAtRefresh === true;
  const late = Math.max(LATE_SWEEPS * scheduleIntervalMs, Math.min(lifetime / 10, LATEST_RENEWAL_MS));
  const before = renewBeforeMs ?? (isLate ? Math.min(lifetime / 3, late) : lifetime / 3);
  const width = isLate ? Math.min(lifetime / 20, before / 2) : lifetime / 20;
  const shortest = shortestRenewal(scheduleIntervalMs);
  const planned = Math.max(lifetime / 4, lifetime - before - spreadOf(name) * width);
  const due = Math.max(planned, shortest);
  const refreshTokenDue = (((refreshTokenExpiresAt ?? Number.POSITIVE_INFINITY) - issuedAt) * 2) / 3;
  const isInTime = !refreshTokenEndIsFixed && refreshTokenDue >= scheduleIntervalMs;
  const end = isInTime ? refreshTokenDue : Math.max(shortest, refreshTokenDue);
  return Math.round(issuedAt + Math.max(Math.min(due, end), earliestRenewal(lifetime, name, behavior)));
}

/** The age from which an access token can be renewed, in milliseconds, spread over a quarter of the time that is left. */
function earliestRenewal(lifetime: number, name: string, { earliestRenewalMs }: TokenBehavior): number {
  if (earliestRenewalMs === undefined) return 0;
  const accepted = earliestRenewalMs + RESPONSE_MARGIN_MS;
  return accepted + spreadOf(name) * Math.max(0, (lifetime - accepted) / 4);
}

/**
 * When a provider that refuses to renew a young access token accepts the next refresh, in milliseconds since the epoch. A token that
 * was published is as old as the record says. Of one that was lost after the save of its refresh token, only that save tells.
 * @param savedAt when the refresh token was saved
 */
export function refreshAcceptedAt(
  savedAt: number,
  { issuedAt = Number.NEGATIVE_INFINITY }: Partial<IssuedTimes>,
  { earliestRenewalMs }: TokenBehavior,
): number {
  if (earliestRenewalMs === undefined) return Number.NEGATIVE_INFINITY;
  const isPublished = issuedAt > savedAt - RESERVED_MS;
  return (isPublished ? issuedAt : savedAt) + earliestRenewalMs + RESPONSE_MARGIN_MS;
}

/**
 * When a refresh token expires, in milliseconds since the epoch; undefined if nothing says so. The response comes first. Of the
 * lifetimes that the provider documents, from this renewal and from the sign-in, the earlier end counts.
 * @param familyStartedAt when the rotator saw the sign-in
 */
export function refreshTokenExpiry(
  { issuedAt, lifetimeMs }: { readonly issuedAt: number; readonly lifetimeMs: number | undefined },
  { refreshTokenIdleMs, refreshTokenAbsoluteMs = Number.POSITIVE_INFINITY }: TokenBehavior,
  familyStartedAt = Number.POSITIVE_INFINITY,
): number | undefined {
  if (lifetimeMs !== undefined) return issuedAt + lifetimeMs;
  const absolute = familyStartedAt + refreshTokenAbsoluteMs;
  const idle = issuedAt + (refreshTokenIdleMs ?? Number.POSITIVE_INFINITY);
  // The provider issues a token after that end: it is another one than documented, such as a setting of the tenant.
  const end = Math.min(idle, absolute > issuedAt ? absolute : Number.POSITIVE_INFINITY);
  return end === Number.POSITIVE_INFINITY ? undefined : end;
}

/**
 * When a refresh token that is about to be received will probably end, in milliseconds since the epoch: as the provider documents it, else
 * as it was last time. Undefined if neither is known.
 */
export function expectedRefreshTokenExpiry(
  {
    familyStartedAt,
    rotatedAt,
    refreshTokenExpiresAt: last,
    refreshTokenEndIsFixed,
  }: Pick<
    ConnectionRecord,
    'familyStartedAt' | 'rotatedAt' | 'refreshTokenExpiresAt' | 'refreshTokenEndIsFixed'
  >,
  behavior: TokenBehavior,
  now: number,
): number | undefined {
  const documented = refreshTokenExpiry({ issuedAt: now, lifetimeMs: undefined }, behavior, familyStartedAt);
  if (documented !== undefined || last === undefined) return documented;
  return refreshTokenEndIsFixed || rotatedAt === undefined ? last : now + (last - rotatedAt);
}

/** Consumers keep the published access token for at least this long before a replay may revoke it. */
const LEAST_RUNWAY_MS = 60_000;
const RUNWAY_INTERVALS = 4;

type RequestOut = Extract<Phase, { state: 'requesting' }>;

/** Does the failure count token requests whose outcome is unknown? A refusal that stands does so as well. */
export function countsUnknown(failure: RecordedFailure | undefined): failure is RecordedFailure {
  return failure?.code === 'outcome_unknown' || failure?.code === 'reauthorization_required';
}

/**
 * When a refresh token may be sent again if the outcome of its last token request is unknown.
 *
 * Reusable tokens and tokens whose grace period still runs: immediately, or after the usual delay if it failed before. If the grace
 * period is disputed, not while a process may still wait for the response.
 * Single-use tokens: never while a process may still wait for the response. If the provider executed the lost request, it refuses
 * the replay and may revoke the access token in use as well. So the replay waits until that token is nearly over. If nothing valid
 * is published, there is nothing more to wait for.
 *
 * @param scheduleIntervalMs time between two sweeps
 * @param now the storage service's time
 * @returns milliseconds since the epoch, possibly in the past; `now` if no request is in flight
 */
export function replayTime(
  record: ConnectionRecord,
  behavior: TokenBehavior,
  scheduleIntervalMs: number,
  now: number,
): number {
  const { phase, accessToken, failure } = record;
  if (phase.state === 'idle') return now;
  const failures = countsUnknown(failure) ? failure.count : 0;
  const delayed = failures === 0 ? phase.startedAt : phase.startedAt + retryDelay(failures, behavior);
  if (isReusable(behavior)) return delayed;
  if (withinGrace(phase, behavior, now))
    return behavior.refreshTokenGraceIsDisputed ? phase.awaitedUntil : phase.startedAt;
  const alone = Math.max(delayed, phase.awaitedUntil);
  // An end in the past delays nothing.
  const expiresAt = accessToken?.expiresAt ?? 0;
  // With a long schedule interval, the replay must not happen while consumers still need the token that it may revoke.
  const { issuedAt = expiresAt } = accessToken ?? {};
  const runway = Math.max(
    LEAST_RUNWAY_MS,
    Math.min(RUNWAY_INTERVALS * scheduleIntervalMs, (expiresAt - issuedAt) / 4),
  );
  return Math.max(alone, expiresAt - runway);
}

/**
 * When the lease is given back while a response is awaited, in milliseconds since the epoch, so that the next sweep can repeat the
 * request within its grace period. Infinity: never.
 * @param scheduleIntervalMs time between two sweeps
 */
export function handoverTime(
  { startedAt, firstStartedAt }: RequestOut,
  { refreshTokenGraceMs, refreshTokenGraceIsDisputed }: TokenBehavior,
  scheduleIntervalMs: number,
): number {
  if (refreshTokenGraceIsDisputed) return Number.POSITIVE_INFINITY;
  const at = firstStartedAt + refreshTokenGraceMs - scheduleIntervalMs - 2 * LEASE_MARGIN_MS;
  return at < startedAt + SHORTEST_WAIT_MS ? Number.POSITIVE_INFINITY : at;
}

/**
 * How long a process that has announced a replay looks whether the sender of the earlier request saves its response after all, in
 * milliseconds. The announcement proves that the vault takes writes, and a living process tries to save at least this often.
 */
export function lastLookDelay(phase: RequestOut, behavior: TokenBehavior, now: number): number {
  const isAllowed = withinGrace(phase, behavior, now) && !behavior.refreshTokenGraceIsDisputed;
  return isAllowed ? 0 : SAVE_PAUSE_LONGEST_MS + LEASE_MARGIN_MS;
}

/** Does a refresh token stay usable, so that a request may be repeated at any time? */
export function isReusable({ refreshTokenGraceMs }: Pick<TokenBehavior, 'refreshTokenGraceMs'>): boolean {
  return refreshTokenGraceMs === Number.POSITIVE_INFINITY;
}

/** Can another process send the refresh token again in time if this one dies? @param scheduleIntervalMs time between two sweeps */
export function isRepeatable(
  { refreshTokenGraceMs, refreshTokenGraceIsDisputed }: TokenBehavior,
  scheduleIntervalMs: number,
): boolean {
  return (
    !refreshTokenGraceIsDisputed && refreshTokenGraceMs > LEASE_MS + scheduleIntervalMs + LEASE_MARGIN_MS
  );
}

/** May a refresh token that was first sent at `phase.firstStartedAt` be sent again right now? */
export function withinGrace(phase: RequestOut, { refreshTokenGraceMs }: TokenBehavior, now: number): boolean {
  return now + LEASE_MARGIN_MS < phase.firstStartedAt + refreshTokenGraceMs;
}
