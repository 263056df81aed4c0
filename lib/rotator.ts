import { type Problem, problemOf, RotatorError, unknownConnection } from './errors.ts';
import {
  type Connection,
  type Connections,
  findConnection,
  usableConnection,
} from './rotation/core/connection.ts';
import type { RotationResult } from './rotation/core/outcome.ts';
import { type RecordSummary, summaryOf } from './rotation/core/record.ts';
import { SCHEDULE_FIX, scheduleWarnings } from './rotation/core/scheduleFit.ts';
import {
  type ConnectionStatus,
  invalidStatusOf,
  recordedStatusOf,
  statusOf,
} from './rotation/core/status.ts';
import { silence } from './rotation/heartbeat.ts';
import { type Planned, planSweep } from './rotation/plan.ts';
import type { Ports, RecordList } from './rotation/ports.ts';
import { ProcessMemory } from './rotation/processMemory.ts';
import { type Removal, removeConnection } from './rotation/removal.ts';
import { rotateReserved } from './rotation/rotate.ts';
import { giveBackWrites, reserveWrites } from './rotation/steps/writes.ts';
import { type SweepLimits, type SweepSummary, sweep } from './rotation/sweep.ts';
import { type Ownership, ownerOf, takeOver } from './rotation/takeover.ts';

/** Everything that triggers and commands can do. Methods throw `RotatorError` and nothing else. */
export interface Rotator {
  /** Rotates all connections that are due. */
  sweep(): Promise<SweepSummary>;
  /** @throws RotatorError `connection_unknown`, `connection_invalid` or `connection_paused` */
  rotate(name: string, force: boolean): Promise<RotationResult>;
  /** All connections, or one, and what keeps them fresh. @throws RotatorError as `status` */
  overview(name?: string): Promise<Overview>;
  /** @throws RotatorError `connection_unknown` */
  status(name: string): Promise<ConnectionStatus>;
  /**
   * What the next sweep would do with each connection, or with one; nothing is written or sent.
   * @throws RotatorError `connection_unknown`
   */
  plan(name?: string): Promise<readonly Planned[]>;
  /** The record store with which the refresh token was last used. @throws RotatorError */
  owner(name: string): Promise<Ownership>;
  /** Takes a connection over from the record store `from`. @throws RotatorError */
  takeOver(name: string, from: string): Promise<void>;
  /**
   * The connections that a removal is about. With several, those with an invalid entry as well: their providers are not known.
   * @throws RotatorError `connection_unknown`, or the problem of the entry
   */
  chosen(choice: Choice): Promise<Connections>;
  /** Removes connections, and goes on after one that fails. @param revoke ask the providers to revoke the refresh tokens @throws as `chosen` */
  remove(choice: Choice, revoke: boolean): Promise<readonly Removal[]>;
  /**
   * Whether the configuration, or its last valid version, and the records can be read, and whether sweeps run; never throws. If no sweep
   * has run for three schedule intervals, it starts one and does not wait for it.
   */
  readiness(): Promise<Readiness>;
  /** Starts no more token requests, and resolves when every received token is saved. */
  drain(): Promise<void>;
}

/** Why the configuration cannot be read, and since when (ISO 8601), as far as this process knows. */
export interface ConfigurationProblem extends Problem {
  readonly since?: string;
}

/** What an operator looks at first. */
export interface Overview {
  /** Those of the configuration, in its order; if it was never readable, those with a record. */
  readonly connections: readonly ConnectionStatus[];
  /**
   * When a sweep of any process noted last that it runs (ISO 8601; exact to two schedule intervals). Missing: none ever did, or only one
   * connection was asked for.
   */
  readonly lastSweep?: string;
  /** Why the configuration cannot be read; missing if it can. */
  readonly configuration?: ConfigurationProblem;
}

/** Can this process work? */
interface Readiness {
  /** When this was found out, milliseconds since the epoch: the answer is the same for ten seconds. */
  readonly checkedAt: number;
  readonly isReady: boolean;
  /** No sweep has run for four schedule intervals, by the records. */
  readonly isSilent?: true;
  readonly configuration?: ConfigurationProblem;
}

/** @param now the wall clock in milliseconds; only used to decide whether a token has expired, and in `readiness` */
export function createRotator(ports: Ports, now: () => number): Rotator {
  const state = new ProcessMemory();
  return {
    sweep: () => loggedSweep(ports, state),
    rotate: async (name, force) => rotateOnDemand(await usable(ports, name), force, ports, state),
    overview: (name) => (name === undefined ? overviewOfAll(ports) : overviewOfOne(name, ports, now)),
    status: async (name) => statusOfOne(await configuration(ports), name, ports, now),
    plan: (name) => planSweep(ports, name),
    owner: async (name) => ownerOf(await usable(ports, name), ports),
    takeOver: async (name, from) => takeOver(await usable(ports, name), ports, from),
    chosen: (choice) => chosen(ports, choice),
    remove: async (choice, revoke) => removeAll(await chosen(ports, choice), revoke, ports, state),
    readiness: remembered(ports, readiness(ports, state, now)),
    drain: () => state.drain(),
  };
}

/** Which connections to remove. */
export type Choice = { readonly name: string } | { readonly provider: string } | { readonly all: true };

/** A removal as a JSON document: times in ISO 8601. */
export function removalDocument({ accessTokenExpiresAt, problems, ...removal }: Removal): object {
  return {
    ...removal,
    ...(accessTokenExpiresAt !== undefined && {
      accessTokenExpires: new Date(accessTokenExpiresAt).toISOString(),
    }),
    problems,
  };
}

const REMOVALS_AT_A_TIME = 16;

/** The readiness check needs no sign-in: all calls within these milliseconds get the same result. */
const READY_MS = 10_000;
/** A sweep that a probe starts runs beside the requests of callers, and the next probe goes on. */
const REVIVAL_LIMITS: SweepLimits = { concurrency: 16, budgetMs: 20_000 };

function remembered<T>({ clock }: Ports, work: () => Promise<T>): () => Promise<T> {
  let answer: Promise<T> | undefined;
  let until = 0;
  return () => {
    if (answer && clock.monotonic() < until) return answer;
    until = clock.monotonic() + READY_MS;
    answer = work();
    return answer;
  };
}

/** Logs a sweep that could not run at all: an alarm relies on this line, or on the absence of `sweep_finished`. */
async function loggedSweep(ports: Ports, state: ProcessMemory, limits?: SweepLimits): Promise<SweepSummary> {
  try {
    return await sweep(ports, state, limits);
  } catch (thrown) {
    ports.log('error', 'sweep_failed', { ...problemOf(thrown) });
    throw thrown;
  }
}

/** Waits for its turn at the host, and for the response: the caller wants to know how it ends. */
async function rotateOnDemand(
  connection: Connection,
  force: boolean,
  ports: Ports,
  state: ProcessMemory,
): Promise<RotationResult> {
  const host = state.hostOf(connection, ports);
  await reserveWrites(connection, ports.pacer, state.kept);
  while (!host.mayBegin(connection, force)) {
    if (!force && host.next(new Map([[connection.name, connection]])) === 'later') {
      giveBackWrites(connection, ports.pacer, state.kept);
      return { result: 'provider_slow', connection: connection.name, retryAfterMs: ports.scheduleIntervalMs };
    }
    await host.changed;
  }
  return rotateReserved({ connection, force, patient: true }, ports, state);
}

async function usable(ports: Ports, name: string): Promise<Connection> {
  const connection = usableConnection(await ports.connections(), name);
  if (!connection.enabled) throw paused(name);
  return connection;
}

/** The connections, if there are any, and what is wrong with the configuration. */
interface Configuration {
  readonly connections: Connections | undefined;
  readonly problem?: ConfigurationProblem;
}

async function configuration(ports: Ports): Promise<Configuration> {
  try {
    const connections = await ports.connections();
    return { connections, ...(connections.stale && { problem: shown(connections.stale) }) };
  } catch (thrown) {
    const { since } = thrown as Partial<RotatorError>;
    return { connections: undefined, problem: shown({ ...problemOf(thrown), since }) };
  }
}

function shown({ since, ...problem }: Problem & { since: number | undefined }): ConfigurationProblem {
  return { ...problem, ...(since !== undefined && { since: new Date(since).toISOString() }) };
}

/**
 * Looks whether this process can work and whether sweeps run. If none has run for a while, a sweep begins: the call that asks is then the
 * only thing that still happens regularly.
 */
function readiness(ports: Ports, state: ProcessMemory, now: () => number): () => Promise<Readiness> {
  const { clock, log, records } = ports;
  const startedAt = clock.monotonic();
  let revival: Promise<unknown> | undefined;
  const revive = (silentMs: number) => {
    log('warn', 'sweep_started_by_probe', { durationMs: Math.round(silentMs) });
    const swept = loggedSweep(ports, state, REVIVAL_LIMITS).catch(() => undefined);
    // Where sweeps fail, their notes do not tell the next probe to wait.
    const pause = clock.sleep(ports.scheduleIntervalMs);
    revival = Promise.all([swept, pause]).finally(() => {
      revival = undefined;
    });
  };
  return async () => {
    const checkedAt = now();
    const { connections, problem } = await configuration(ports);
    const list = await records.list().catch(() => undefined);
    // Before the first sweep of a deployment, its time counts from the start of the process.
    const silentMs = list?.sweptAt === undefined ? clock.monotonic() - startedAt : list.now - list.sweptAt;
    const { mustRevive, hasFailed } = silence(silentMs, ports);
    if (mustRevive && !revival && !state.draining) revive(silentMs);
    return {
      checkedAt,
      isReady: connections !== undefined && list !== undefined && !hasFailed,
      ...(problem && { configuration: problem }),
      ...(list && hasFailed && { isSilent: true }),
    };
  };
}

async function overviewOfAll(ports: Ports): Promise<Overview> {
  const [{ connections, problem }, list] = await Promise.all([configuration(ports), ports.records.list()]);
  const { sweptAt } = list;
  return {
    connections: statusesOf(connections, list, ports),
    ...(sweptAt !== undefined && { lastSweep: new Date(sweptAt).toISOString() }),
    ...(problem && { configuration: problem }),
  };
}

async function overviewOfOne(name: string, ports: Ports, now: () => number): Promise<Overview> {
  const read = await configuration(ports);
  const connections = [await statusOfOne(read, name, ports, now)];
  return { connections, ...(read.problem && { configuration: read.problem }) };
}

function statusesOf(
  connections: Connections | undefined,
  { now, summaries }: RecordList,
  ports: Ports,
): readonly ConnectionStatus[] {
  if (!connections) return [...summaries].map(([name, summary]) => recordedStatusOf(name, summary, now));
  const { valid, invalid } = connections;
  return [
    ...valid.map((connection) => {
      const summary = summaries.get(connection.name);
      return onSchedule(statusOf(connection, summary, now), connection, { summary, now }, ports);
    }),
    ...invalid.map(invalidStatusOf),
  ];
}

async function statusOfOne(
  { connections, problem }: Configuration,
  name: string,
  ports: Ports,
  now: () => number,
): Promise<ConnectionStatus> {
  if (!connections) {
    const record = await ports.records.read(name);
    if (record) return recordedStatusOf(name, summaryOf(record), now());
    throw new RotatorError(problem ?? problemOf(undefined));
  }
  const found = findConnection(connections, name);
  if (found.kind === 'invalid') return invalidStatusOf(found.entry);
  if (found.kind === 'unknown') throw unknownConnection(name, found.otherCase);
  const { connection } = found;
  const record = await ports.records.read(name);
  const known = { summary: record && summaryOf(record), now: now() };
  return onSchedule(statusOf(connection, known.summary, known.now), connection, known, ports);
}

/** An attempt happens in a sweep, and so never before the next one. */
function onSchedule(
  status: ConnectionStatus,
  connection: Connection,
  { summary, now }: { readonly summary: RecordSummary | undefined; readonly now: number },
  { nextSweep, scheduleIntervalMs }: Ports,
): ConnectionStatus {
  const wanted = status.nextAttempt === undefined ? undefined : Date.parse(status.nextAttempt);
  const sweepAt = wanted === undefined ? undefined : nextSweep(Math.max(wanted, now) - 1);
  const warnings = connection.enabled ? scheduleWarnings(connection, summary, scheduleIntervalMs) : [];
  return {
    ...status,
    ...(sweepAt !== undefined && { nextAttempt: new Date(sweepAt).toISOString() }),
    ...(warnings.length > 0 && { warning: [...warnings, SCHEDULE_FIX].join(' ') }),
  };
}

async function chosen(ports: Ports, choice: Choice): Promise<Connections> {
  const connections = await ports.connections();
  if ('name' in choice) return { valid: [usableConnection(connections, choice.name)], invalid: [] };
  const { valid, invalid } = connections;
  if (!('provider' in choice)) return connections;
  const found = valid.filter(({ provider }) => provider === choice.provider);
  if (found.length > 0) return { valid: found, invalid };
  const used = [...new Set(valid.map(({ provider }) => provider))].toSorted();
  // After a leak, a mistyped name must not look like success.
  throw new RotatorError({
    code: 'connection_unknown',
    message: 'No valid connection has that provider.',
    fix: `Write the provider as the entries of the connections do${used.length === 0 ? '' : ` (${used.join(', ')})`}, or run rotator remove NAME or --all.`,
  });
}

/** Some at a time: each may wait for a response that is in flight. After the process was told to end, no other one begins. */
async function removeAll(
  { valid, invalid }: Connections,
  revoke: boolean,
  ports: Ports,
  state: ProcessMemory,
): Promise<readonly Removal[]> {
  const removals = new Map<Connection, Removal>();
  const waiting = valid.values();
  const removeOne = async (connection: Connection): Promise<Removal> => {
    if (state.draining) return failedRemoval(connection, notRemoved(connection.name));
    try {
      return await state.track(removeConnection(connection, revoke, ports));
    } catch (thrown) {
      return failedRemoval(connection, problemOf(thrown));
    }
  };
  const work = async () => {
    for (const connection of waiting) removals.set(connection, await removeOne(connection));
  };
  await Promise.all(Array.from({ length: REMOVALS_AT_A_TIME }, work));
  // After a leak, silence about them would look like success.
  const left = invalid.map(({ name, problem }) =>
    failedRemoval({ name, provider: 'unknown' }, notValid(name, problem)),
  );
  return [...valid.flatMap((each) => removals.get(each) ?? []), ...left];
}

function failedRemoval({ name, provider }: Pick<Connection, 'name' | 'provider'>, problem: Problem): Removal {
  return { connection: name, provider, revoked: false, disabled: 0, problems: [problem] };
}

function notValid(name: string, { code, message, fix }: Problem): Problem {
  return {
    code,
    message: `${name} was not removed, because its entry is not valid: ${message}`,
    fix: `${fix} Then run rotator remove ${name}.`,
  };
}

function notRemoved(name: string): Problem {
  return {
    code: 'interrupted',
    message: `${name} was not removed, because the process is about to end.`,
    fix: 'Run the command again: it goes on where it ended.',
  };
}

function paused(name: string): RotatorError {
  return new RotatorError({
    code: 'connection_paused',
    message: `The connection ${name} is paused.`,
    fix: 'Remove "enabled": false from its entry.',
  });
}
