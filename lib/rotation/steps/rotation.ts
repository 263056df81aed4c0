import { type Problem, problemOf, RotatorError, SecretUnusable } from '../../errors.ts';
import type { Connection } from '../core/connection.ts';
import { type Decision, decide, decideEarly, mayBeCured, type Situation } from '../core/decide.ts';
import { blocked, retryLater, waitsForReplay } from '../core/outcome.ts';
import { type ConnectionRecord, lookedInVain } from '../core/record.ts';
import type { Ports, Secret } from '../ports.ts';
import type { ProcessState } from '../processMemory.ts';
import { NotSent } from './announceGrant.ts';
import { healConnection } from './healing.ts';
import { Lease, LeaseLost } from './lease.ts';
import { refresh } from './refresh.ts';
import {
  credentialVault,
  finish,
  logRun,
  outcomeContext,
  problemIn,
  type RotationResult,
  type Run,
  retryAfterOf,
} from './run.ts';
import { LOOK_AGAIN, Unsavable } from './settleGrant.ts';

/** One look may lead to a repair and another look; more rounds than this mean that somebody keeps changing the secret. */
const MOST_ROUNDS = 4;

/**
 * Takes one connection through the rotation protocol (ARCHITECTURE.md), under its lease.
 * @param force rotate although it is not due or needs a person
 * @returns how it ended; never throws
 */
export async function rotate(
  connection: Connection,
  force: boolean,
  ports: Ports,
  state: ProcessState,
): Promise<RotationResult> {
  const { name } = connection;
  if (state.draining) return { result: 'draining', connection: name };
  if (state.isSaving(name)) return { result: 'saving', connection: name };
  const slowSave = Promise.withResolvers<RotationResult>();
  const onSlowSave = () => {
    state.saveIsSlow(slowSave, name);
    slowSave.resolve({ result: 'saving', connection: name });
  };
  const rotation = leased(connection, force, ports, state, onSlowSave).finally(() =>
    state.saveEnded(slowSave),
  );
  return Promise.race([state.track(rotation), slowSave.promise]);
}

async function leased(
  connection: Connection,
  force: boolean,
  ports: Ports,
  state: ProcessState,
  onSlowSave: () => void,
): Promise<RotationResult> {
  const startedAt = ports.clock.monotonic();
  const lease = await Lease.take(ports.records, ports.clock, connection.name).catch((thrown) =>
    problemOf(thrown),
  );
  if (lease === 'taken') return { result: 'in_progress', connection: connection.name };
  if (!(lease instanceof Lease)) return failedWithoutRecord(connection, ports, lease);
  const run = { connection, force, ports, state, lease, superseded: new Set<string>(), onSlowSave };
  try {
    const result = await protocol(run).catch((thrown) => recordFailure(run, thrown));
    logResult(run, result, Math.round(ports.clock.monotonic() - startedAt));
    return result;
  } finally {
    await lease.release();
  }
}

async function protocol(run: Run): Promise<RotationResult> {
  const { connection, force, lease } = run;
  let record = await lease.read();
  const early = decideEarly({ connection, record, now: lease.now(), force });
  if (early) return resultOf(run, record, early);
  if (!force && record.failure?.blocked && (await nothingChanged(run, record, lease.now())))
    return stayBlocked(run, record);
  let healedVersion: string | undefined;
  for (let round = 1; round <= MOST_ROUNDS; round++) {
    const refreshToken = await credentialVault(run).get(connection.secrets.refreshToken);
    const decision = decide(situationOf(run, record, refreshToken, healedVersion));
    if (decision.action === 'heal' && refreshToken) {
      record = await healConnection(run, record, refreshToken);
      healedVersion = record.version;
      continue;
    }
    if (decision.action !== 'refresh' || !refreshToken)
      return standStill(run, record, refreshToken, decision);
    const result = await refresh(run, record, refreshToken, decision.reason);
    if (result !== LOOK_AGAIN) return result;
    record = await lease.read();
  }
  throw new RotatorError({
    code: 'vault_unavailable',
    message: `The refresh token of ${connection.name} kept changing while it was looked at.`,
    fix: 'See who else writes the secret; it is tried again by itself.',
  });
}

function situationOf(
  run: Run,
  record: ConnectionRecord,
  refreshToken: Secret | undefined,
  healedVersion: string | undefined,
): Situation {
  const { connection, force, lease, ports } = run;
  const surroundings = { store: ports.records.host, tickMs: ports.tickMs };
  return { connection, record, now: lease.now(), force, refreshToken, healedVersion, ...surroundings };
}

/** One GET for each secret whose change could cure the connection; a changed entry counts as a change as well. */
export async function nothingChanged(
  run: Pick<Run, 'connection' | 'ports'>,
  { failure, phase }: ConnectionRecord,
  now: number,
): Promise<boolean> {
  if (!failure || failure.fingerprint !== run.connection.fingerprint) return false;
  // Somebody has forced a grant since, and its outcome was not recorded.
  if (phase.state === 'granting' && phase.startedAt > failure.at) return false;
  if (mayBeCured(failure, now)) return false;
  for (const { secret, version } of failure.watch) {
    const current = await credentialVault(run).get(secret);
    if ((current?.version ?? null) !== version) return false;
  }
  return true;
}

async function stayBlocked(run: Run, record: ConnectionRecord): Promise<RotationResult> {
  return { ...(await finish(run, lookedInVain(record, run.lease.now()), 'blocked')), reason: 'blocked' };
}

/** Waits and blocks are written to the record; what was decided from the record alone is not written again. */
async function standStill(
  run: Run,
  record: ConnectionRecord,
  refreshToken: Secret | undefined,
  decision: Decision,
): Promise<RotationResult> {
  const context = outcomeContext(run);
  if (decision.action === 'block') {
    const watch = [{ secret: run.connection.secrets.refreshToken, version: refreshToken?.version ?? null }];
    return finish(run, blocked(record, decision.problem, watch, context), 'blocked');
  }
  if (decision.action === 'wait')
    return finish(run, waitsForReplay(record, decision.until, context), 'waiting');
  return resultOf(run, record, decision);
}

function resultOf({ connection, lease }: Run, record: ConnectionRecord, decision: Decision): RotationResult {
  const until = 'until' in decision ? decision.until : lease.now();
  const retryAfterMs = Math.max(0, Math.ceil(until - lease.now()));
  const { reason } = decision;
  return {
    result: resultName(decision),
    connection: connection.name,
    reason,
    retryAfterMs,
    ...problemIn(record),
  };
}

function resultName({ reason }: Decision): RotationResult['result'] {
  if (reason === 'cooldown' || reason === 'not_due' || reason === 'blocked') return reason;
  return reason === 'backing_off' ? 'failed' : 'waiting';
}

/** Everything that was thrown ends here: it becomes part of the record, unless somebody else has the lease by now. */
async function recordFailure(run: Run, thrown: unknown): Promise<RotationResult> {
  try {
    return await written(run, thrown);
  } catch (again) {
    if (again instanceof LeaseLost) return leaseLost(run);
    return failedWithoutRecord(
      run.connection,
      run.ports,
      problemOf(thrown instanceof NotSent ? thrown.reason : thrown),
    );
  }
}

async function written(run: Run, thrown: unknown): Promise<RotationResult> {
  if (thrown instanceof LeaseLost) return leaseLost(run);
  if (thrown instanceof Unsavable) return finish(run, thrown.record, 'blocked');
  if (thrown instanceof NotSent) return failedWith(run, thrown.record, thrown.reason);
  return failedWith(run, await run.lease.read(), thrown);
}

async function failedWith(run: Run, record: ConnectionRecord, thrown: unknown): Promise<RotationResult> {
  if (thrown instanceof LeaseLost) return leaseLost(run);
  const context = outcomeContext(run);
  if (thrown instanceof SecretUnusable) {
    const watch = [{ secret: thrown.secret, version: thrown.version ?? null }];
    return finish(run, blocked(record, thrown, watch, context), 'blocked');
  }
  // A look at a blocked connection that fails must not make anybody forget why it is blocked.
  if (record.failure?.blocked) return finish(run, lookedInVain(record, context.now), 'blocked');
  return finish(run, retryLater(record, problemOf(thrown), context, retryAfterOf(thrown)), 'failed');
}

function leaseLost(run: Run): RotationResult {
  logRun(run, 'warn', 'lease_lost', {});
  return { result: 'in_progress', connection: run.connection.name };
}

function failedWithoutRecord(connection: Connection, ports: Ports, problem: Problem): RotationResult {
  ports.log('error', 'record_not_written', { connection: connection.name, ...problem });
  return { result: 'failed', connection: connection.name, problem };
}

const QUIET: ReadonlySet<RotationResult['result']> = new Set(['rotated', 'not_due', 'cooldown', 'draining']);

function logResult(
  run: Run,
  { result, reason, problem, generation, expiresAt }: RotationResult,
  totalMs: number,
): void {
  const expires = expiresAt === undefined ? undefined : new Date(expiresAt).toISOString();
  logRun(run, QUIET.has(result) ? 'info' : 'warn', 'rotation_finished', {
    result,
    reason,
    generation,
    expires,
    totalMs,
    ...problem,
  });
}
