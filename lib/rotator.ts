import { problemOf, RotatorError, unknownConnection } from './errors.ts';
import { type Connection, findConnection, usableConnection } from './rotation/core/connection.ts';
import type { RotationResult } from './rotation/core/outcome.ts';
import { type RecordSummary, summaryOf } from './rotation/core/record.ts';
import { SCHEDULE_FIX, scheduleWarnings } from './rotation/core/scheduleFit.ts';
import { type ConnectionStatus, invalidStatusOf, statusOf } from './rotation/core/status.ts';
import { type Planned, planSweep } from './rotation/plan.ts';
import type { Ports } from './rotation/ports.ts';
import { ProcessMemory } from './rotation/processMemory.ts';
import { rotateReserved } from './rotation/rotate.ts';
import { giveBackWrites, reserveWrites } from './rotation/steps/writes.ts';
import { type SweepSummary, sweep } from './rotation/sweep.ts';
import { type Ownership, ownerOf, takeOver } from './rotation/takeover.ts';

/** Everything that triggers and commands can do. Methods throw `RotatorError` and nothing else. */
export interface Rotator {
  /** Rotates all connections that are due. */
  sweep(): Promise<SweepSummary>;
  /** @throws RotatorError `connection_unknown`, `connection_invalid` or `connection_paused` */
  rotate(name: string, force: boolean): Promise<RotationResult>;
  /** All connections of the configuration, in its order. */
  statusOfAll(): Promise<readonly ConnectionStatus[]>;
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
  /** Resolves if the configuration and the records can be read. */
  checkReady(): Promise<void>;
  /** Starts no more token requests, and resolves when every received token is saved. */
  drain(): Promise<void>;
}

/** @param now the wall clock in milliseconds; only used to decide whether a token has expired */
export function createRotator(ports: Ports, now: () => number): Rotator {
  const state = new ProcessMemory();
  return {
    sweep: () => loggedSweep(ports, state),
    rotate: async (name, force) => rotateOnDemand(await usable(ports, name), force, ports, state),
    statusOfAll: () => statusOfAll(ports),
    status: (name) => statusOfOne(ports, name, now),
    plan: (name) => planSweep(ports, name),
    owner: async (name) => ownerOf(await usable(ports, name), ports),
    takeOver: async (name, from) => takeOver(await usable(ports, name), ports, from),
    checkReady: remembered(ports, async () => {
      await ports.connections();
      await ports.records.list();
    }),
    drain: () => state.drain(),
  };
}

/** The readiness check needs no sign-in: all calls within these milliseconds get the same result. */
const READY_MS = 5_000;

function remembered({ clock }: Ports, work: () => Promise<void>): () => Promise<void> {
  let answer: Promise<void> | undefined;
  let until = 0;
  return () => {
    if (answer && clock.monotonic() < until) return answer;
    until = clock.monotonic() + READY_MS;
    answer = work();
    return answer;
  };
}

/** Logs a sweep that could not run at all: an alarm relies on this line, or on the absence of `sweep_finished`. */
async function loggedSweep(ports: Ports, state: ProcessMemory): Promise<SweepSummary> {
  try {
    return await sweep(ports, state);
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
  await reserveWrites(connection, ports.pacer);
  while (!host.mayBegin(connection, force)) {
    if (!force && host.next([connection]) === 'later') {
      giveBackWrites(connection, ports.pacer);
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

async function statusOfAll(ports: Ports): Promise<ConnectionStatus[]> {
  const [{ valid, invalid }, { now, summaries }] = await Promise.all([
    ports.connections(),
    ports.records.list(),
  ]);
  return [
    ...valid.map((connection) => {
      const summary = summaries.get(connection.name);
      return onSchedule(statusOf(connection, summary, now), connection, { summary, now }, ports);
    }),
    ...invalid.map(invalidStatusOf),
  ];
}

async function statusOfOne(ports: Ports, name: string, now: () => number): Promise<ConnectionStatus> {
  const found = findConnection(await ports.connections(), name);
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

function paused(name: string): RotatorError {
  return new RotatorError({
    code: 'connection_paused',
    message: `The connection ${name} is paused.`,
    fix: 'Remove "enabled": false from its entry.',
  });
}
