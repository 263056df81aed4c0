import { safeCode, safeSentence } from '../../safeText.ts';
import { SECRET_NAME } from '../../secretNames.ts';
import {
  type ConnectionRecord,
  HISTORY_LENGTH,
  type Phase,
  type RecordedFailure,
  type RecordSummary,
} from './record.ts';
import { isCount, isVersion } from './tags.ts';
import {
  CLOCK_TOLERANCE_MS,
  LONGEST_IDLE_MS,
  LONGEST_LIFETIME_MS,
  LONGEST_RETRY_AFTER_MS,
  RESERVED_MS,
} from './times.ts';

// Records are only as true as those who can write to the storage account. What the rotator can never have written does not
// count: the connection is then due now, and the vault tells what is true.

/** More secrets than a connection has; each is read whenever a blocked connection is looked at. */
const MOST_CLEARING = 32;
/** Addresses and names of two secrets take less. */
const LONGEST_PUBLISHABLE = 1_000;

/** A summary that makes its connection due now: the record itself then shows the problem. */
export const UNKNOWN_SUMMARY: RecordSummary = { phase: 'idle', generation: 0, nextAttemptAt: 0 };

/** The summary, or one that is due now if the rotator cannot have written it. @param now milliseconds, the storage service's time */
export function plausibleSummary(listed: RecordSummary | undefined, now: number): RecordSummary {
  if (!listed) return UNKNOWN_SUMMARY;
  const summary = withSafeText(listed);
  const { nextAttemptAt, expiresAt, refreshTokenExpiresAt, failureCode, failureCount = 0 } = summary;
  const { rotatedAt = 0, familyStartedAt = 0, failingSince = 0, awaitedUntil = 0 } = summary;
  const requestedAt = Math.max(0, awaitedUntil - RESERVED_MS);
  const isPlausible =
    isAttempt(nextAttemptAt, expiresAt, now) &&
    [expiresAt, refreshTokenExpiresAt].every((time) => time === undefined || isExpiry(time, now)) &&
    [rotatedAt, familyStartedAt, failingSince, requestedAt].every((time) => isPast(time, now)) &&
    [summary.generation, failureCount].every(isCount) &&
    (failureCode === undefined || safeCode(failureCode) !== undefined);
  return isPlausible ? summary : UNKNOWN_SUMMARY;
}

function withSafeText(summary: RecordSummary): RecordSummary {
  const { failureMessage, failureFix } = summary;
  if (failureMessage === undefined && failureFix === undefined) return summary;
  return {
    ...summary,
    ...(failureMessage !== undefined && { failureMessage: safeSentence(failureMessage) }),
    ...(failureFix !== undefined && { failureFix: safeSentence(failureFix) }),
  };
}

/** The record without what the rotator cannot have written, and with text that is safe to show. @param now as above */
export function plausibleRecord(record: ConnectionRecord, now: number): ConnectionRecord {
  const { version, lostVersion, accessToken, rotatedAt, forcedAt, familyStartedAt, ...others } = record;
  const { refreshTokenExpiresAt, publishable, failure, replacedAwaitedUntil, ...more } = others;
  const { removedAt, revokedAt, copiesExpireAt, ...rest } = more;
  const past = (time: number | undefined) => time !== undefined && isPast(time, now);
  const token =
    accessToken && past(accessToken.issuedAt) && isExpiry(accessToken.expiresAt, now)
      ? accessToken
      : undefined;
  return {
    ...rest,
    phase: plausiblePhase(record.phase, now),
    epoch: isCount(record.epoch) ? record.epoch : 0,
    generation: isCount(record.generation) ? record.generation : 0,
    nextAttemptAt: isAttempt(record.nextAttemptAt, token?.expiresAt, now) ? record.nextAttemptAt : 0,
    history: record.history
      .filter(({ code, at }) => past(at) && (code === undefined || safeCode(code) !== undefined))
      .slice(-HISTORY_LENGTH),
    ...(version !== undefined && isVersion(version) && { version }),
    ...(lostVersion !== undefined && isVersion(lostVersion) && { lostVersion }),
    ...(token && { accessToken: token }),
    ...(past(rotatedAt) && { rotatedAt }),
    ...(past(forcedAt) && { forcedAt }),
    ...(past(removedAt) && { removedAt }),
    ...(past(revokedAt) && { revokedAt }),
    ...(copiesExpireAt !== undefined && isExpiry(copiesExpireAt, now) && { copiesExpireAt }),
    ...(past(familyStartedAt) && { familyStartedAt }),
    ...(past(replacedAwaitedUntil && replacedAwaitedUntil - RESERVED_MS) && { replacedAwaitedUntil }),
    ...(refreshTokenExpiresAt !== undefined &&
      isExpiry(refreshTokenExpiresAt, now) && { refreshTokenExpiresAt }),
    ...(publishable !== undefined && publishable.length <= LONGEST_PUBLISHABLE && { publishable }),
    ...(failure && { failure: plausibleFailure(failure, now) }),
  };
}

/** A start that cannot be true counts as now, for every wait, and as long ago, for a grace period. */
function plausiblePhase(phase: Phase, now: number): Phase {
  if (phase.state === 'idle') return phase;
  const { startedAt, firstStartedAt, awaitedUntil, earlierAwaitedUntil = 0 } = phase;
  const isAwaited = Math.max(awaitedUntil, earlierAwaitedUntil) <= startedAt + RESERVED_MS;
  if (isPast(startedAt, now) && isPast(firstStartedAt, now) && isAwaited) return phase;
  const start = isPast(startedAt, now) ? startedAt : now;
  return {
    state: 'requesting',
    startedAt: start,
    firstStartedAt: 0,
    awaitedUntil: start + RESERVED_MS,
  };
}

function plausibleFailure(failure: RecordedFailure, now: number): RecordedFailure {
  const { message, fix, since, at, count, clearedBy } = failure;
  const isTrue = isPast(since, now) && isPast(at, now) && isCount(count);
  return {
    ...failure,
    ...(!isTrue && { since: now, at: now, count: 1 }),
    message: safeSentence(message),
    fix: safeSentence(fix),
    clearedBy: clearedBy.filter(({ secret }) => SECRET_NAME.test(secret)).slice(0, MOST_CLEARING),
  };
}

function isPast(time: number, now: number): boolean {
  return time >= 0 && time <= now + CLOCK_TOLERANCE_MS;
}

function isExpiry(time: number, now: number): boolean {
  return time >= 0 && time <= now + LONGEST_LIFETIME_MS + CLOCK_TOLERANCE_MS;
}

/** No rule waits longer than until the access token expires, or for the longest pause after a failure. */
function isAttempt(time: number, expiresAt: number | undefined, now: number): boolean {
  const latest = Math.max(LONGEST_RETRY_AFTER_MS, Math.min((expiresAt ?? 0) - now, LONGEST_IDLE_MS));
  return time >= 0 && time <= now + latest + CLOCK_TOLERANCE_MS;
}
