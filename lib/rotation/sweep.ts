import { type Problem, problemOf } from '../errors.ts';
import type { Connection } from './connection.ts';
import type { Ports, RecordSummary } from './ports.ts';
import type { ProcessState } from './processState.ts';
import { rotate } from './rotate.ts';
import type { RotationResult } from './run.ts';
import { GRANT_DEADLINE_MS } from './timing.ts';
import { overdueConnections } from './warnings.ts';

/** How much a sweep does at once, and for how long it begins new rotations. */
export interface SweepLimits {
  /** Rotations at the same time. */
  readonly concurrency: number;
  /** Rotations at the same time at one token endpoint's host: a hanging provider holds up only its own connections. */
  readonly perHost: number;
  /** No rotation is begun later than this after the start, in milliseconds; the next sweep goes on. */
  readonly budgetMs: number;
}

/** So many overdue connections are named in the log; they are all counted. */
const OVERDUE_NAMES = 5;

const SWEEP_LIMITS: SweepLimits = { concurrency: 64, perHost: 8, budgetMs: 45_000 };

/** What a sweep came to. */
export interface SweepSummary {
  /** Connections in the configuration that are enabled and valid. */
  readonly connections: number;
  readonly invalid: number;
  readonly due: number;
  /** Due connections that were left to the next sweep: the budget left no time, or their host did not answer others. */
  readonly postponed: number;
  /** Connections whose access token was late when the sweep began: `overdueConnections`. */
  readonly overdue: number;
  /** How the rotations ended, by result. */
  readonly results: Readonly<Partial<Record<RotationResult['result'], number>>>;
  readonly durationMs: number;
}

/**
 * Rotates every connection that is due. One list request tells which ones those are.
 * @throws RotatorError where the configuration or the records cannot be read at all; never for a single connection
 */
export async function sweep(
  ports: Ports,
  state: ProcessState,
  limits: SweepLimits = SWEEP_LIMITS,
): Promise<SweepSummary> {
  const startedAt = ports.clock.monotonic();
  const { valid, invalid, stale } = await ports.connections();
  const enabled = valid.filter((connection) => connection.enabled);
  const list = state.draining ? undefined : await ports.records.list();
  const due = list ? dueConnections(enabled, list) : [];
  const overdue = list ? overdueConnections(enabled, list) : [];
  const mayBegin = () => !state.draining && ports.clock.monotonic() - startedAt < limits.budgetMs;
  const { results, postponed } = await rotateAll(due, limits, mayBegin, (connection) =>
    timed(connection, ports, state),
  );
  const durationMs = Math.round(ports.clock.monotonic() - startedAt);
  const summary = {
    connections: enabled.length,
    invalid: invalid.length,
    due: due.length,
    postponed,
    overdue: overdue.length,
    results: countOf(results),
    durationMs,
  };
  logSweep(ports, summary, overdue, stale);
  return summary;
}

/** Those whose next attempt has come, the longest waiting first; a connection without a record comes before all. */
function dueConnections(
  connections: readonly Connection[],
  { now, summaries }: { now: number; summaries: ReadonlyMap<string, RecordSummary> },
): Connection[] {
  const attemptOf = ({ name }: Connection) => summaries.get(name)?.nextAttemptAt ?? 0;
  return connections
    .filter((connection) => attemptOf(connection) <= now)
    .toSorted((one, other) => attemptOf(one) - attemptOf(other));
}

/** One failure must never stop the rest, not even one that is a defect of ours. */
async function guarded(connection: Connection, ports: Ports, state: ProcessState): Promise<RotationResult> {
  try {
    return await rotate(connection, false, ports, state);
  } catch (thrown) {
    const problem = problemOf(thrown);
    ports.log('error', 'rotation_crashed', { connection: connection.name, ...problem });
    return { result: 'failed', connection: connection.name, problem };
  }
}

interface Rotated {
  readonly result: RotationResult;
  /** Was its host waited for in vain? One that fails at once keeps nobody waiting. */
  readonly hung: boolean;
}

const NO_ANSWER: readonly (string | undefined)[] = ['provider_unavailable', 'grant_outcome_unknown'];
/** A connection that is not made takes half of the deadline, an answer that does not come all of it. */
const HANGING_MS = GRANT_DEADLINE_MS / 2;

async function timed(connection: Connection, ports: Ports, state: ProcessState): Promise<Rotated> {
  const startedAt = ports.clock.monotonic();
  const result = await guarded(connection, ports, state);
  const tookMs = ports.clock.monotonic() - startedAt;
  return { result, hung: tookMs >= HANGING_MS && NO_ANSWER.includes(result.problem?.code) };
}

/**
 * Runs the waiting connections, as many at once as the limits allow; returns when all that were begun have ended. Whoever waits
 * in vain for an answer begins no other at that host: the next sweep goes on, and is not kept waiting by a host that hangs.
 */
async function rotateAll(
  waiting: readonly Connection[],
  { concurrency, perHost }: SweepLimits,
  mayBegin: () => boolean,
  rotateOne: (connection: Connection) => Promise<Rotated>,
): Promise<{ results: RotationResult[]; postponed: number }> {
  const queues = new Map<string, Connection[]>();
  for (const connection of waiting) {
    const host = new URL(connection.tokenUri).host;
    queues.set(host, [...(queues.get(host) ?? []), connection]);
  }
  const results: RotationResult[] = [];
  const slots = new Slots(concurrency);
  const worker = async (queue: Connection[]) => {
    for (;;) {
      await slots.take();
      try {
        const connection = mayBegin() ? queue.shift() : undefined;
        if (!connection) return;
        const { result, hung } = await rotateOne(connection);
        results.push(result);
        if (hung) return;
      } finally {
        slots.give();
      }
    }
  };
  const workers = [...queues.values()].flatMap((queue) =>
    Array.from({ length: Math.min(perHost, queue.length) }, () => worker(queue)),
  );
  await Promise.all(workers);
  return { results, postponed: waiting.length - results.length };
}

/** A counting semaphore, first come first served. */
class Slots {
  #free: number;
  readonly #waiting: (() => void)[] = [];

  constructor(free: number) {
    this.#free = free;
  }

  async take(): Promise<void> {
    if (this.#free > 0) this.#free--;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  give(): void {
    const next = this.#waiting.shift();
    if (next) next();
    else this.#free++;
  }
}

function countOf(results: readonly RotationResult[]): SweepSummary['results'] {
  const counts: Partial<Record<RotationResult['result'], number>> = {};
  for (const { result } of results) counts[result] = (counts[result] ?? 0) + 1;
  return counts;
}

function logSweep(
  { log }: Ports,
  { results, ...numbers }: SweepSummary,
  overdue: readonly string[],
  stale: Problem | undefined,
): void {
  const first = overdue.slice(0, OVERDUE_NAMES).join(' ');
  const named = first && { overdueConnections: first };
  log(stale ? 'warn' : 'info', 'sweep_finished', { ...numbers, ...named, ...results, ...stale });
}
