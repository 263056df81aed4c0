import { type Problem, problemOf } from '../errors.ts';
import type { Connection } from './core/connection.ts';
import type { RotationResult } from './core/outcome.ts';
import type { RecordSummary } from './core/record.ts';
import { overdueConnections } from './core/status.ts';
import { HANGING_MS } from './core/times.ts';
import type { Ports } from './ports.ts';
import type { ProcessMemory } from './processMemory.ts';
import { rotate } from './steps/rotation.ts';

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
 * @throws RotatorError if the configuration or the records cannot be read at all; never for a single connection
 */
export async function sweep(
  ports: Ports,
  memory: ProcessMemory,
  limits: SweepLimits = SWEEP_LIMITS,
): Promise<SweepSummary> {
  const startedAt = ports.clock.monotonic();
  const { valid, invalid, stale } = await ports.connections();
  const enabled = valid.filter((connection) => connection.enabled);
  const list = memory.draining ? undefined : await ports.records.list();
  const due = list ? dueConnections(enabled, list) : [];
  const overdue = list ? overdueConnections(enabled, list) : [];
  const results = await new Sweep(ports, memory, limits, startedAt).rotateAll(due);
  const summary = {
    connections: enabled.length,
    invalid: invalid.length,
    due: due.length,
    postponed: due.length - results.length,
    overdue: overdue.length,
    results: countOf(results),
    durationMs: Math.round(ports.clock.monotonic() - startedAt),
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

const NO_RESPONSE: readonly (string | undefined)[] = ['provider_unavailable', 'outcome_unknown'];

/** Rotates as many connections at a time as the limits allow. */
class Sweep {
  readonly #ports: Ports;
  readonly #memory: ProcessMemory;
  readonly #limits: SweepLimits;
  readonly #endsAt: number;
  readonly #slots: Slots;
  readonly #results: RotationResult[] = [];

  constructor(ports: Ports, memory: ProcessMemory, limits: SweepLimits, startedAt: number) {
    this.#ports = ports;
    this.#memory = memory;
    this.#limits = limits;
    this.#endsAt = startedAt + limits.budgetMs;
    this.#slots = new Slots(limits.concurrency);
  }

  /** @returns the results of the rotations that were begun, when all of them have ended */
  async rotateAll(waiting: readonly Connection[]): Promise<readonly RotationResult[]> {
    const byHost = Map.groupBy(waiting, ({ tokenUri }) => new URL(tokenUri).host);
    const workers = [...byHost.values()].flatMap((queue) =>
      Array.from({ length: Math.min(this.#limits.perHost, queue.length) }, () => this.#work(queue)),
    );
    await Promise.all(workers);
    return this.#results;
  }

  /**
   * Rotates the connections of one host, one after the other. A worker that waited in vain for an answer begins no other at that
   * host: the next sweep goes on, and is not kept waiting by a host that hangs. One that fails immediately keeps nothing waiting.
   */
  async #work(queue: Connection[]): Promise<void> {
    const { clock } = this.#ports;
    for (;;) {
      await this.#slots.take();
      try {
        const startedAt = clock.monotonic();
        const connection = this.#memory.draining || startedAt >= this.#endsAt ? undefined : queue.shift();
        if (!connection) return;
        const result = await this.#rotate(connection);
        this.#results.push(result);
        const hung =
          clock.monotonic() - startedAt >= HANGING_MS && NO_RESPONSE.includes(result.problem?.code);
        if (hung) return;
      } finally {
        this.#slots.give();
      }
    }
  }

  /** One failure must never stop the rest, not even one that is a defect of ours. */
  async #rotate(connection: Connection): Promise<RotationResult> {
    try {
      return await rotate(connection, false, this.#ports, this.#memory);
    } catch (thrown) {
      const problem = problemOf(thrown);
      this.#ports.log('error', 'rotation_crashed', { connection: connection.name, ...problem });
      return { result: 'retrying', connection: connection.name, problem };
    }
  }
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
