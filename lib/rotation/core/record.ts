import type { Problem } from '../../errors.ts';
import { safeSentence } from '../../safeText.ts';
import type { ConnectionRecord, Outcome, Phase, RecordedFailure, RecordSummary } from './recordSchema.ts';
import { lookDelay, RESERVED_MS } from './times.ts';

export type { ConnectionRecord, Outcome, Phase, RecordedFailure, RecordSummary } from './recordSchema.ts';

/** How a rotation, or a command, ended: the results that change the record. */
export const OUTCOMES = ['rotated', 'retrying', 'blocked', 'outcome_unknown'] as const;

const SUMMARY_OF: {
  readonly [F in keyof Required<RecordSummary>]: (record: ConnectionRecord) => RecordSummary[F];
} = {
  phase: ({ phase }) => phase.state,
  generation: ({ generation }) => generation,
  awaitedUntil: ({ phase }) => (phase.state === 'requesting' ? phase.awaitedUntil : undefined),
  credentialVault: ({ vaults }) => vaults?.credential,
  tokenVault: ({ vaults }) => vaults?.token,
  nextAttemptAt: ({ nextAttemptAt }) => nextAttemptAt,
  expiresAt: ({ accessToken }) => accessToken?.expiresAt,
  expiresInIsDefault: ({ accessToken }) => accessToken?.expiresInIsDefault || undefined,
  rotatedAt: ({ rotatedAt }) => rotatedAt,
  familyStartedAt: ({ familyStartedAt }) => familyStartedAt,
  refreshTokenExpiresAt: ({ refreshTokenExpiresAt }) => refreshTokenExpiresAt,
  failureCode: ({ failure }) => failure?.code,
  failureMessage: ({ failure }) => asciiSentence(failure?.message),
  failureFix: ({ failure }) => asciiSentence(failure?.fix),
  failureCount: ({ failure }) => failure?.count,
  failingSince: ({ failure }) => failure?.since,
  blocked: ({ failure }) => failure?.blocked,
  history: ({ history }) => history.map(outcomeText).join(',') || undefined,
};

/** Blob metadata are headers: ASCII on one line, 8 KB in total. */
function asciiSentence(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  return safeSentence(text).replace(/[^ -~]/gu, '?') || undefined;
}

function outcomeText({ at, result, code }: Outcome): string {
  const outcome = `${Math.floor(at / 1000)}:${result}`;
  return code === undefined ? outcome : `${outcome}:${code}`;
}

/** The outcomes in a summary, oldest first, to the second; without what the rotator cannot have written. */
export function outcomesIn({ history = '' }: Pick<RecordSummary, 'history'>): Outcome[] {
  return history.split(',').flatMap((text) => {
    const [, seconds, result, code] = /^(\d{1,11}):(\w{1,20})(?::(\w{1,64}))?$/.exec(text) ?? [];
    const known = OUTCOMES.find((each) => each === result);
    return known ? [{ result: known, ...(code !== undefined && { code }), at: Number(seconds) * 1000 }] : [];
  });
}

/** Finds the summary of a record by the name of its connection. */
export type KnownSummaries = Pick<ReadonlyMap<string, RecordSummary>, 'get'>;

const SUMMARIZED = Object.entries(SUMMARY_OF);

/** The summary of a record, without the fields that are not known. */
export function summaryOf(record: ConnectionRecord): RecordSummary {
  const summary: Record<string, unknown> = {};
  for (const [field, of] of SUMMARIZED) {
    const value = of(record);
    if (value !== undefined) summary[field] = value;
  }
  return summary as unknown as RecordSummary;
}

const IDLE: Phase = { state: 'idle' };
/** So many outcomes are kept. */
export const HISTORY_LENGTH = 16;

/** The record of a connection that has never been rotated: due immediately. */
export function newRecord(connection: string): ConnectionRecord {
  return { schema: 1, connection, phase: IDLE, epoch: 0, generation: 0, nextAttemptAt: 0, history: [] };
}

/** An operator set a refresh token: problems of the old token no longer matter. */
export function familyStarted(record: ConnectionRecord, version: string, now: number): ConnectionRecord {
  const {
    failure: _failure,
    refreshTokenExpiresAt: _expiry,
    refreshTokenEndIsFixed: _fixed,
    removedAt: _removed,
    revokedAt: _revoked,
    copiesExpireAt: _copies,
    lostVersion: _lost,
    ...rest
  } = record;
  const { phase } = record;
  const started = {
    ...rest,
    phase: IDLE,
    version,
    nextAttemptAt: now,
    familyStartedAt: now,
  };
  return awaitedNoted(started, phase.state === 'requesting' ? phase.awaitedUntil : undefined);
}

/** The connection was taken over from another rotator: the failure that named it is over, and the connection is due immediately. */
export function takenOver(record: ConnectionRecord): ConnectionRecord {
  const { failure, ...rest } = record;
  return { ...rest, nextAttemptAt: 0, ...(failure && failure.code !== 'owned_elsewhere' && { failure }) };
}

/**
 * An operator removes the connection. Nothing is sent or published from here on, also if the removal is interrupted.
 * @param record with the failure that says so
 */
export function removalBegun(record: ConnectionRecord, now: number): ConnectionRecord {
  const {
    accessToken,
    refreshTokenExpiresAt: _end,
    refreshTokenEndIsFixed: _fixed,
    publishable: _publishable,
    ...rest
  } = record;
  return { ...rest, removedAt: now, ...(accessToken && { copiesExpireAt: accessToken.expiresAt }) };
}

/** The removal is complete: `version` is the newest one of the refresh token, and disabled like all others. */
export function removalDone(
  record: ConnectionRecord,
  { version, revokedAt }: { readonly version: string | undefined; readonly revokedAt: number | undefined },
): ConnectionRecord {
  const { replacedAwaitedUntil: _, ...rest } = settled(record);
  return {
    ...rest,
    ...(version !== undefined && { version }),
    ...(revokedAt !== undefined && { revokedAt }),
  };
}

/** A removed connection without a refresh token is used again: an operator replaced the credentials of its client. */
export function removalEnded(record: ConnectionRecord): ConnectionRecord {
  if (record.removedAt === undefined) return record;
  const { removedAt: _removed, revokedAt: _revoked, failure, ...rest } = record;
  return { ...rest, ...(failure && failure.code !== 'connection_removed' && { failure }) };
}

/** The vault shows that a version which the rotator saved is the current refresh token. It is not the one that was refused, if one was. */
export function versionFollowed(
  record: ConnectionRecord,
  saved: { version: string; epoch: number; generation: number },
  now: number,
): ConnectionRecord {
  const { failure, lostVersion: _lost, ...rest } = settled(record);
  const followed: ConnectionRecord = {
    ...rest,
    ...(failure && failure.code !== 'reauthorization_required' && { failure }),
    version: saved.version,
    epoch: Math.max(record.epoch, saved.epoch),
    generation: Math.max(record.generation, saved.generation),
    nextAttemptAt: now,
  };
  const { phase } = record;
  // It came from an earlier request, which was repeated within its grace period.
  const isAwaited = phase.state === 'requesting' && saved.epoch < record.epoch;
  return awaitedNoted(followed, isAwaited ? phase.awaitedUntil : undefined);
}

/** The vault failed over, and lost the version that was recorded. */
export function versionLost(record: ConnectionRecord, version: string): ConnectionRecord {
  return { ...record, lostVersion: version };
}

/** A process may wait until then for a response to a request that no longer counts; undefined: none. No other is sent meanwhile. */
export function awaitedNoted(record: ConnectionRecord, until: number | undefined): ConnectionRecord {
  if (until === undefined) return record;
  const { replacedAwaitedUntil = until } = record;
  return { ...record, replacedAwaitedUntil: Math.max(replacedAwaitedUntil, until) };
}

/**
 * The record does not know a request in flight, because it was lost, is an older copy, or belongs to a store that takes over. Only
 * the intent tag in the vault shows the request, and only the published secret shows the access token in use.
 */
export function intentRecovered(
  record: ConnectionRecord,
  intent: { startedAt: number; firstStartedAt: number; epoch: number },
  accessToken: ConnectionRecord['accessToken'],
): ConnectionRecord {
  const { startedAt, epoch } = intent;
  const known = record.phase.state === 'requesting' ? record.phase.firstStartedAt : intent.firstStartedAt;
  const phase: Phase = {
    state: 'requesting',
    startedAt,
    firstStartedAt: Math.min(known, startedAt),
    awaitedUntil: startedAt + RESERVED_MS,
  };
  return { ...record, phase, epoch: Math.max(record.epoch, epoch), ...(accessToken && { accessToken }) };
}

/** The published secret shows an access token that the record did not know. */
export function publishedTokenFound(
  record: ConnectionRecord,
  accessToken: NonNullable<ConnectionRecord['accessToken']>,
): ConnectionRecord {
  return { ...record, accessToken };
}

/**
 * A token request is about to be sent. Due immediately, so that another process takes over if this one dies.
 * @param isReusable whether it may be repeated at any time: then it holds up no other one
 */
export function intended(
  record: ConnectionRecord,
  now: number,
  forced: boolean,
  isReusable = false,
): ConnectionRecord {
  const { phase, replacedAwaitedUntil: _, ...rest } = record;
  const firstStartedAt = phase.state === 'requesting' ? phase.firstStartedAt : now;
  // By a clock that is behind, it would be later than a record can say.
  const earlierAwaitedUntil =
    phase.state === 'requesting'
      ? Math.min(Math.max(phase.awaitedUntil, phase.earlierAwaitedUntil ?? 0), now + RESERVED_MS)
      : now;
  return {
    ...rest,
    phase: {
      state: 'requesting',
      startedAt: now,
      firstStartedAt,
      awaitedUntil: now + RESERVED_MS,
      ...(earlierAwaitedUntil > now && !isReusable && { earlierAwaitedUntil }),
    },
    epoch: record.epoch + 1,
    nextAttemptAt: now,
    ...(forced && { forcedAt: now }),
  };
}

/** The sender stopped waiting for the response, and records it: the outcome stays unknown. Earlier senders may still wait. */
export function gaveUp(record: ConnectionRecord, now: number): ConnectionRecord {
  const { phase } = record;
  if (phase.state === 'idle') return record;
  return { ...record, phase: { ...phase, awaitedUntil: Math.max(now, phase.earlierAwaitedUntil ?? now) } };
}

/** The intended request was certainly not sent: the phase is what it was before. */
export function intentWithdrawn(record: ConnectionRecord, before: ConnectionRecord): ConnectionRecord {
  return { ...record, phase: before.phase };
}

/** The outcome is known. Only a request that this one repeated may still be in flight. */
export function settled(record: ConnectionRecord): ConnectionRecord {
  const { phase } = record;
  const earlier = phase.state === 'requesting' ? phase.earlierAwaitedUntil : undefined;
  return awaitedNoted({ ...record, phase: IDLE }, earlier);
}

/** A new refresh token is safely in the vault as `version`. */
export function refreshTokenSaved(
  record: ConnectionRecord,
  saved: { version: string; expiresAt: number | undefined },
): ConnectionRecord {
  const { refreshTokenExpiresAt: _expiry, lostVersion: _lost, ...rest } = settled(record);
  return {
    ...rest,
    version: saved.version,
    generation: record.generation + 1,
    ...(saved.expiresAt !== undefined && { refreshTokenExpiresAt: saved.expiresAt }),
  };
}

/** The refresh token stays, and its expiry became known; undefined: nothing new is known about it. */
export function refreshTokenExpiryNoted(
  record: ConnectionRecord,
  expiresAt: number | undefined,
): ConnectionRecord {
  return expiresAt === undefined ? record : { ...record, refreshTokenExpiresAt: expiresAt };
}

/** The access token is published; a later step may still fail. */
export function accessTokenNoted(
  record: ConnectionRecord,
  accessToken: NonNullable<ConnectionRecord['accessToken']>,
): ConnectionRecord {
  return { ...settled(record), accessToken };
}

/** Everything is published: all is well until `nextAttemptAt`. */
export function published(
  record: ConnectionRecord,
  accessToken: NonNullable<ConnectionRecord['accessToken']>,
  nextAttemptAt: number,
): ConnectionRecord {
  const { failure: _failure, ...rest } = accessTokenNoted(record, accessToken);
  const history = withOutcome(record, { result: 'rotated', at: accessToken.issuedAt });
  return { ...rest, rotatedAt: accessToken.issuedAt, nextAttemptAt, history };
}

function withOutcome({ history }: ConnectionRecord, outcome: Outcome): Outcome[] {
  return [...history, outcome].slice(-HISTORY_LENGTH);
}

/** The published secrets have accepted a write (`targets`), or this is unknown again (undefined). */
export function publishableNoted(record: ConnectionRecord, targets: string | undefined): ConnectionRecord {
  const { publishable: _publishable, ...rest } = record;
  return targets === undefined ? rest : { ...rest, publishable: targets };
}

/** How to handle a failure. */
export interface FailureHandling {
  readonly blocked: boolean;
  readonly clearedBy: RecordedFailure['clearedBy'];
  readonly fingerprint: string;
  readonly sentAgain?: RecordedFailure['sentAgain'];
}

/** Something failed. The caller sets the next attempt with {@link attemptAt}: it depends on the count made here. */
export function failed(
  record: ConnectionRecord,
  problem: Problem,
  handling: FailureHandling,
  now: number,
): ConnectionRecord & { failure: RecordedFailure } {
  const { code, message, fix } = problem;
  const same = record.failure?.code === code ? record.failure : undefined;
  // Among failures that are retried automatically, another code does not start a new row. A block does.
  const goesOn = same !== undefined || !(record.failure?.blocked || handling.blocked);
  const failure = {
    code,
    message,
    fix,
    since: (goesOn ? record.failure?.since : undefined) ?? now,
    at: now,
    count: (same?.count ?? 0) + 1,
    ...handling,
  };
  const kept = code === 'outcome_unknown' ? code : 'retrying';
  const history = withOutcome(record, { result: handling.blocked ? 'blocked' : kept, code, at: now });
  return { ...record, failure, history };
}

/**
 * A request failed without a word about the refresh token. If that was refused before, an operator must still act: the refusal stands,
 * and only its count grows, and with it the delays. Otherwise this is a failure like any other.
 */
export function unanswered(
  record: ConnectionRecord,
  problem: Problem,
  handling: FailureHandling,
  now: number,
): ConnectionRecord & { failure: RecordedFailure } {
  const noted = failed(record, problem, handling, now);
  const { failure } = record;
  if (failure?.code !== 'reauthorization_required') return noted;
  return { ...noted, failure: { ...failure, count: failure.count + 1 } };
}

/** A look at a blocked connection found nothing changed. */
export function lookedInVain(record: ConnectionRecord, now: number): ConnectionRecord {
  if (!record.failure) return record;
  return attemptAt(record, now + lookDelay(now - record.failure.since));
}

/** The vault now has the refresh token as another version with the same value. */
export function versionCopied(record: ConnectionRecord, version: string): ConnectionRecord {
  return { ...record, version };
}

/** The next look at this connection is at `nextAttemptAt`. */
export function attemptAt<R extends ConnectionRecord>(record: R, nextAttemptAt: number): R {
  return { ...record, nextAttemptAt };
}
