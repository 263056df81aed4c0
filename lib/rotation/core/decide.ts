import { type Problem, problemOf } from '../../errors.ts';
import type { Secret } from '../ports.ts';
import type { Connection } from './connection.ts';
import { unusableSecret } from './credentialValue.ts';
import { isUnknownIntent } from './currentVersion.ts';
import { ownedBy } from './ownership.ts';
import type { ConnectionRecord, RecordedFailure } from './record.ts';
import { foreignStore, isManaged, isUnsentCopy } from './tags.ts';
import {
  blockedRetryDelay,
  FORCE_COOLDOWN_MS,
  lookDelay,
  refreshAcceptedAt,
  refusedDelay,
  replayTime,
} from './times.ts';

/** Why a rotation refreshes, or does not. Logs, answers and `rotator plan` show these names; docs/reference.md is written from this table. */
export const REASONS = {
  not_due: 'The access token is still fresh enough.',
  cooldown: 'The last forced rotation was a moment ago.',
  retrying: 'The last rotation failed, and the retry delay is not over.',
  blocked:
    'An operator must act, nothing that could clear the block has changed, and it is not time for another attempt.',
  secret_unusable:
    'The secret of the refresh token is missing or empty, or holds a value that no provider accepts.',
  removed: 'An operator removed the connection, and set no other refresh token since.',
  owned_elsewhere:
    'The refresh token, or the record of the connection, belongs to another deployment of the rotator.',
  version_changed:
    'The latest version of the refresh token is not the recorded one: the rotator searches the vault.',
  request_interrupted:
    'The outcome of a token request was not recorded, for example because the process died: the rotator searches the vault for the refresh token.',
  outcome_unknown:
    'The outcome of a token request is unknown, and repeating the request now could revoke tokens in use.',
  awaiting_response: 'The response to an earlier token request may still arrive.',
  too_early: 'The provider refuses to renew an access token this young.',
  replay: 'The outcome of a token request is unknown, and the request may be repeated now.',
  due: 'The access token is due for renewal.',
  forced: 'A caller forced the rotation.',
  first: 'The connection has no access token yet.',
} as const;

export type Reason = keyof typeof REASONS;

/** What is done, and why. `latest` is the latest version of the refresh token. */
export type Decision = Skip | Stop | Go;

/** Nothing is done now; the reason is also the result of the rotation. `looked`: secrets were read, and none has changed. */
export type Skip = {
  readonly action: 'skip';
  readonly reason: 'not_due' | 'cooldown' | 'retrying' | 'blocked' | 'outcome_unknown';
  readonly message: string;
  readonly until: number;
  readonly looked?: true;
};

/** Nothing is done now, and the record tells why. */
export type Stop = { readonly reason: Reason; readonly message: string } & (
  | { readonly action: 'wait'; readonly until: number }
  | { readonly action: 'block'; readonly problem: Problem; readonly latest: Secret | undefined }
);

type Go = {
  readonly action: 'refresh' | 'reconcile';
  readonly reason: Reason;
  readonly message: string;
  readonly latest: Secret;
};

/** What is known before any vault is asked. */
export interface Occasion {
  readonly connection: Connection;
  readonly record: ConnectionRecord;
  readonly now: number;
  readonly force: boolean;
}

/** Everything that the decision depends on. */
export interface Situation extends Occasion {
  /** The latest version of the refresh token; undefined if there is none. */
  readonly latest: Secret | undefined;
  /** The version for which the vault has been searched already in this rotation. */
  readonly reconciled: string | undefined;
  readonly store: string;
  readonly scheduleIntervalMs: number;
}

/** A situation in which there is a refresh token to send. */
type Usable = Situation & { readonly latest: Secret };

type Check<Input, D> = (input: Input) => D | undefined;

/**
 * Decides from the record alone, so that a connection that is not due costs no request to a vault.
 * @returns undefined if the vault must be asked
 */
export function decideEarly(occasion: Occasion): Skip | undefined {
  return firstHit(occasion, [cooldown, notDue]);
}

/** Stands for the refresh token of a connection that has none (`client_credentials`): nothing of it is read, sent or written. */
export const NO_REFRESH_TOKEN: Secret = { version: '', value: '', createdAt: 0, tags: {}, properties: {} };

/** What to do for one connection, and why. The first check that applies decides. */
export function decide({ latest, ...situation }: Situation): Stop | Go {
  const { secrets, vaults } = situation.connection;
  if (latest === NO_REFRESH_TOKEN) {
    const usable = { ...situation, latest };
    return outcomeUnknown(usable) ?? refresh(usable);
  }
  const place = { secret: secrets.refreshToken, vaultUrl: vaults.credential, what: 'a refresh token' };
  const unusable = unusableSecret(latest, place);
  if (!latest || unusable) return block('secret_unusable', problemOf(unusable), latest);
  const before = [ownedElsewhere, versionChanged, requestInterrupted, removed, outcomeUnknown];
  const all = [...before, replacedAwaited, tooEarly];
  const usable = { ...situation, latest };
  return firstHit<Usable, Stop | Go>(usable, all) ?? refresh(usable);
}

/**
 * The refresh token was certainly not used, and the cause may be at the provider: a firewall, or a locked account. Or the vault did not
 * store something, and an operator may exempt it from the Azure Policy without a change that a secret shows.
 */
const MAY_PASS: readonly string[] = ['misconfigured', 'client_rejected', 'vault_policy'];

/**
 * May a token request be sent although nothing that clears the block has changed? If the token was certainly not used: once an
 * hour, or every 30 s after the client credentials were changed. If it was refused: with growing delays, where that can do no harm.
 */
export function mayClearAutomatically(
  { failure, accessToken }: Pick<ConnectionRecord, 'failure' | 'accessToken'>,
  now: number,
): boolean {
  if (!failure) return false;
  const { code, at, since, count, sentAgain } = failure;
  if (MAY_PASS.includes(code)) return now - at >= retryDelayOf(failure);
  if (!sentAgain) return false;
  // A second use that the provider considers theft would end the access token in use as well.
  if (sentAgain === 'once_expired' && accessToken && now < accessToken.expiresAt) return false;
  return now - at >= refusedDelay(now - since, count);
}

/**
 * How long to wait after this failure, in milliseconds, if the refresh token was certainly not used. If a policy of the vault refused the
 * proof, as long as between two looks: the next attempt begins with the proof.
 */
export function retryDelayOf({ code, clearedBy, at, since }: RecordedFailure): number {
  if (code === 'vault_policy' && clearedBy.length === 0) return lookDelay(at - since);
  return blockedRetryDelay(code === 'client_rejected' ? clearedBy.map(({ setAt }) => setAt) : [], at);
}

function firstHit<Input, D>(input: Input, checks: readonly Check<Input, D>[]): D | undefined {
  for (const check of checks) {
    const decision = check(input);
    if (decision) return decision;
  }
  return undefined;
}

function cooldown({ force, record, now }: Occasion): Skip | undefined {
  const until = (record.forcedAt ?? Number.NEGATIVE_INFINITY) + FORCE_COOLDOWN_MS;
  if (!force || now >= until) return undefined;
  return { action: 'skip', reason: 'cooldown', message: 'A rotation was forced a moment ago.', until };
}

function notDue({ force, record, now }: Occasion): Skip | undefined {
  const { failure, phase, nextAttemptAt: until } = record;
  if (force || now >= until) return undefined;
  if (failure?.blocked) return { action: 'skip', reason: 'blocked', message: failure.message, until };
  if (phase.state === 'requesting')
    return { action: 'skip', reason: 'outcome_unknown', message: WAITS, until };
  if (failure) return { action: 'skip', reason: 'retrying', message: failure.message, until };
  return { action: 'skip', reason: 'not_due', message: 'The access token is fresh.', until };
}

function ownedElsewhere({ connection, latest, store }: Usable): Stop | Go | undefined {
  const other = foreignStore(latest, store);
  if (other === undefined) return undefined;
  if (!isUnsentCopy(latest.tags)) return block('owned_elsewhere', ownedBy(other, connection, store), latest);
  // Whether this rotator made a copy of the same token earlier, only all versions show.
  const message = "Another rotator has copied an operator's refresh token, and has not sent it yet.";
  return { action: 'reconcile', reason: 'version_changed', message, latest };
}

function versionChanged({ record, latest, reconciled }: Usable): Go | undefined {
  if (latest.version === record.version || latest.version === reconciled) return undefined;
  const message = 'The latest refresh token in the vault is not the recorded one.';
  return { action: 'reconcile', reason: 'version_changed', message, latest };
}

function requestInterrupted({ record, latest, reconciled }: Usable): Go | undefined {
  if (record.phase.state === 'idle' && !isUnknownIntent(latest.tags, record)) return undefined;
  if (latest.version === reconciled) return undefined;
  const message = 'A token request was announced, and its outcome was not recorded.';
  return { action: 'reconcile', reason: 'request_interrupted', message, latest };
}

/** A late save of a removed token family, or a version that an interrupted removal has left: kept, but not used. */
function removed({ connection: { name, secrets }, record, latest }: Usable): Stop | undefined {
  if (record.removedAt === undefined) return undefined;
  const problem: Problem = {
    code: 'connection_removed',
    message: `rotator remove paused ${name}, but a version of ${secrets.refreshToken} can still be read. The rotator does not use it.`,
    fix: `Run rotator remove ${name} again to disable it, or rotator connect ${name} to sign in again.`,
  };
  return block('removed', problem, latest);
}

function outcomeUnknown({ connection, record, now, scheduleIntervalMs }: Usable): Stop | undefined {
  const until = replayTime(record, connection.behavior, scheduleIntervalMs, now);
  if (now >= until) return undefined;
  return { action: 'wait', reason: 'outcome_unknown', message: WAITS, until };
}

/** One request of a connection at a time, also if it was sent with another refresh token or by another rotator. */
function replacedAwaited({ record, now }: Usable): Stop | undefined {
  if (!isAwaited(record, now)) return undefined;
  const message = 'The response to an earlier token request may still arrive.';
  return { action: 'wait', reason: 'awaiting_response', message, until: record.replacedAwaitedUntil };
}

/** May a process still wait for the response to a request that no longer counts? */
export function isAwaited<R extends Pick<ConnectionRecord, 'replacedAwaitedUntil'>>(
  record: R,
  now: number,
): record is R & { readonly replacedAwaitedUntil: number } {
  return record.replacedAwaitedUntil !== undefined && now < record.replacedAwaitedUntil;
}

/** A refresh whose result was lost, or a caller who forces one, does not make the provider accept another. */
function tooEarly({ connection, record, latest, now }: Usable): Stop | undefined {
  if (record.phase.state === 'requesting' || !isManaged(latest.tags)) return undefined;
  const until = refreshAcceptedAt(latest.createdAt, record.accessToken ?? {}, connection.behavior);
  if (until <= now) return undefined;
  const message = 'The provider does not renew the last access token yet.';
  return { action: 'wait', reason: 'too_early', message, until };
}

function refresh({ record, force, latest }: Usable): Go {
  const because = (reason: Reason, message: string): Go => ({
    action: 'refresh',
    reason,
    message,
    latest,
  });
  if (record.phase.state === 'requesting')
    return because(
      'replay',
      'The outcome of the last token request is unknown, and the request is repeated.',
    );
  if (force) return because('forced', 'The caller asked for it.');
  if (record.rotatedAt === undefined) return because('first', 'There is no access token yet.');
  return because('due', 'The access token is due to be renewed.');
}

const WAITS =
  'The outcome of the last token request is unknown, and repeating the request now could revoke the tokens in use.';

function block(reason: Reason, problem: Problem, latest: Secret | undefined): Stop {
  return { action: 'block', reason, message: problem.message, problem, latest };
}
