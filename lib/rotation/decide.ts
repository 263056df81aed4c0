import { type Problem, problemOf, SecretUnusable } from '../errors.ts';
import type { Connection } from './connection.ts';
import { foreignStore } from './heal.ts';
import type { Secret } from './ports.ts';
import type { ConnectionRecord, RecordedFailure } from './record.ts';
import { replayTime } from './replay.ts';
import { readIntent } from './tags.ts';
import { CURE_MS, FORCE_COOLDOWN_MS } from './timing.ts';

/**
 * Why something is done, or not done. These names are in logs and answers.
 * - `not_due`: the access token is fresh enough
 * - `cooldown`: forced again too soon
 * - `backing_off`: it failed lately and is tried again later
 * - `blocked`: it needs a person, nothing has changed since, and it is not time to try it all the same
 * - `secret_unusable`: the refresh token is missing or empty
 * - `owned_elsewhere`: another rotator's record store claims the refresh token
 * - `version_changed`: the vault's latest version is not the recorded one
 * - `grant_interrupted`: a process died, or lost sight of its grant, and the vault has not been searched for its result
 * - `waiting_for_replay`: the outcome of a grant is unknown and it must not be repeated yet
 * - `replay`: the outcome of a grant is unknown and it may be repeated now
 * - `due`, `forced`, `first`: a refresh in the ordinary way
 */
export type Reason =
  | 'not_due'
  | 'cooldown'
  | 'backing_off'
  | 'blocked'
  | 'secret_unusable'
  | 'owned_elsewhere'
  | 'version_changed'
  | 'grant_interrupted'
  | 'waiting_for_replay'
  | 'replay'
  | 'due'
  | 'forced'
  | 'first';

export type Decision =
  | { readonly action: 'refresh' | 'heal'; readonly reason: Reason; readonly message: string }
  | {
      readonly action: 'skip' | 'wait';
      readonly reason: Reason;
      readonly message: string;
      readonly until: number;
    }
  | {
      readonly action: 'block';
      readonly reason: Reason;
      readonly message: string;
      readonly problem: Problem;
    };

/** What can be known before any vault is asked. */
export interface Occasion {
  readonly connection: Connection;
  readonly record: ConnectionRecord;
  readonly now: number;
  readonly force: boolean;
}

/** Everything that the decision depends on. */
export interface Situation extends Occasion {
  /** The latest version of the refresh token; undefined where there is none. */
  readonly refreshToken: Secret | undefined;
  /** The version for which the vault has been searched already in this rotation. */
  readonly healedVersion: string | undefined;
  readonly store: string;
  readonly tickMs: number;
}

type Check<Input> = (input: Input) => Decision | undefined;

/**
 * Whether the vault need not be asked at all. Time, blocked connections and forced ones are judged from the
 * record alone, so that a connection that is not due costs nothing.
 * @returns undefined where the vault must be asked
 */
export function decideEarly(occasion: Occasion): Decision | undefined {
  return firstHit(occasion, [cooldown, notDue]);
}

/** What is to be done for one connection, and why. The first check that hits decides. */
export function decide(situation: Situation): Decision {
  const checks = [secretUnusable, ownedElsewhere, versionChanged, grantInterrupted, waitingForReplay];
  return firstHit(situation, checks) ?? refresh(situation);
}

/** The refresh token was certainly not used, and the cause may lie at the provider: a firewall, or an account that was locked. */
const CURABLE_ELSEWHERE: readonly string[] = ['misconfigured', 'client_rejected'];

/** May a blocked connection be sent a grant although nothing has changed here? Once an hour, where that can do no harm. */
export function mayBeCured({ code, at }: Pick<RecordedFailure, 'code' | 'at'>, now: number): boolean {
  return CURABLE_ELSEWHERE.includes(code) && now - at >= CURE_MS;
}

function firstHit<Input>(input: Input, checks: readonly Check<Input>[]): Decision | undefined {
  for (const check of checks) {
    const decision = check(input);
    if (decision) return decision;
  }
  return undefined;
}

function cooldown({ force, record, now }: Occasion): Decision | undefined {
  const until = (record.forcedAt ?? Number.NEGATIVE_INFINITY) + FORCE_COOLDOWN_MS;
  if (!force || now >= until) return undefined;
  return { action: 'skip', reason: 'cooldown', message: 'A rotation was forced a moment ago.', until };
}

function notDue({ force, record, now }: Occasion): Decision | undefined {
  const { failure, phase, nextAttemptAt: until } = record;
  if (force || now >= until) return undefined;
  if (failure?.blocked) return { action: 'skip', reason: 'blocked', message: failure.message, until };
  if (phase.state === 'granting') return waiting(until);
  if (failure) return { action: 'skip', reason: 'backing_off', message: failure.message, until };
  return { action: 'skip', reason: 'not_due', message: 'The access token is fresh.', until };
}

function secretUnusable({ connection, refreshToken }: Situation): Decision | undefined {
  if (refreshToken?.value.trim()) return undefined;
  const { secrets, vaults } = connection;
  const problem = new SecretUnusable(
    'a refresh token',
    secrets.refreshToken,
    vaults.credential,
    refreshToken?.version,
  );
  return block('secret_unusable', problemOf(problem));
}

function ownedElsewhere({ connection, refreshToken, store }: Situation): Decision | undefined {
  const other = refreshToken && foreignStore(refreshToken, store);
  if (other === undefined) return undefined;
  return block('owned_elsewhere', {
    code: 'owned_elsewhere',
    message: `The refresh token of ${connection.name} was last used under the record store ${other}, this rotator's is ${store}.`,
    fix: `Stop the other rotator, then set ${connection.secrets.refreshToken} again, or run rotator adopt ${connection.name}.`,
  });
}

function versionChanged({ record, refreshToken, healedVersion }: Situation): Decision | undefined {
  const latest = refreshToken?.version;
  if (latest === record.version || latest === healedVersion) return undefined;
  return {
    action: 'heal',
    reason: 'version_changed',
    message: 'The vault holds another refresh token than the record tells.',
  };
}

function grantInterrupted({ record, refreshToken, healedVersion }: Situation): Decision | undefined {
  const announced = refreshToken && readIntent(refreshToken.tags);
  // A record that was brought back from a copy does not know of the last grants; the vault does.
  const unknown = announced !== undefined && announced.epoch > record.epoch;
  if (record.phase.state === 'idle' && !unknown) return undefined;
  if (refreshToken?.version === healedVersion) return undefined;
  return {
    action: 'heal',
    reason: 'grant_interrupted',
    message: 'A grant was begun and its outcome was not recorded.',
  };
}

function waitingForReplay({ connection, record, now, tickMs }: Situation): Decision | undefined {
  if (record.phase.state === 'idle') return undefined;
  const until = replayTime(record, record.phase, connection.behavior, tickMs, now);
  return now < until ? waiting(until) : undefined;
}

function refresh({ record, force }: Situation): Decision {
  const because = (reason: Reason, message: string): Decision => ({ action: 'refresh', reason, message });
  if (record.phase.state === 'granting')
    return because('replay', 'The outcome of the last grant is unknown; it is repeated.');
  if (force) return because('forced', 'Somebody asked for it.');
  if (record.rotatedAt === undefined) return because('first', 'No access token was obtained so far.');
  return because('due', 'The access token is due to be renewed.');
}

function waiting(until: number): Decision {
  const message =
    'The outcome of the last grant is unknown and repeating it now could revoke the tokens in use.';
  return { action: 'wait', reason: 'waiting_for_replay', message, until };
}

function block(reason: Reason, problem: Problem): Decision {
  return { action: 'block', reason, message: problem.message, problem };
}
