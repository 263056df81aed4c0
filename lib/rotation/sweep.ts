import { problemOf } from '../errors.ts';
import type { Connection, LastingProblem } from './core/connection.ts';
import type { RotationResult } from './core/outcome.ts';
import { otherVault } from './core/ownership.ts';
import type { KnownSummaries } from './core/record.ts';
import { overdueConnections } from './core/status.ts';
import { withHeartbeat } from './heartbeat.ts';
import type { Ports } from './ports.ts';
import type { ProcessMemory } from './processMemory.ts';
import type { ProviderHost } from './providerHost.ts';
import { rotateReserved } from './rotate.ts';
import { giveBackWrites, reserveWrites, writesOf } from './steps/writes.ts';

/** How many rotations a sweep runs at the same time, and for how long it begins new ones. Each host has its own limits: `providerHost.ts`. */
export interface SweepLimits {
  /** Rotations at the same time. One that waits for a slow response does not count. */
  readonly concurrency: number;
  /** No rotation is begun later than this after the start, in milliseconds; the next sweep goes on. */
  readonly budgetMs: number;
}

/** So many overdue connections are named in the log; they are all counted. */
const OVERDUE_NAMES = 5;

/**
 * More than may have a token request in flight at one host, so that these wait for no rotation that only publishes.
 * @public the benchmark compares with as many
 */
export const SWEEP_LIMITS: SweepLimits = { concurrency: 80, budgetMs: 45_000 };

/** What a sweep came to. */
export interface SweepSummary {
  /** Connections in the configuration that are enabled and valid. */
  readonly connections: number;
  readonly invalid: number;
  readonly due: number;
  /** Due connections that were left to the next sweep because the budget left no time. */
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
  const list = memory.draining ? undefined : await memory.records.list(ports);
  const due = list ? dueConnections(enabled, list) : [];
  const overdue = list ? overdueConnections(enabled, list, ports.scheduleIntervalMs) : [];
  const rotateAll = () => new Sweep(ports, memory, limits, startedAt).rotateAll(due);
  const results = await (list ? withHeartbeat(ports, list, rotateAll) : rotateAll());
  const ended = Object.values(results).reduce((sum, count) => sum + count, 0);
  const summary = {
    connections: enabled.length,
    invalid: invalid.length,
    due: due.length,
    postponed: due.length - ended,
    overdue: overdue.length,
    results,
    durationMs: Math.round(ports.clock.monotonic() - startedAt),
  };
  logSweep(ports, summary, overdue, stale);
  return summary;
}

/**
 * Those whose next attempt has come, the longest waiting first; a connection without a record comes before all, and so does one whose
 * record belongs to another deployment: its rotation reports that.
 */
function dueConnections(
  connections: readonly Connection[],
  { now, summaries }: { now: number; summaries: KnownSummaries },
): Connection[] {
  const attemptAt = (connection: Connection) => {
    const { credentialVault, nextAttemptAt = 0 } = summaries.get(connection.name) ?? {};
    return otherVault(connection, credentialVault) === undefined ? nextAttemptAt : 0;
  };
  return connections
    .filter((connection) => attemptAt(connection) <= now)
    .toSorted((one, other) => attemptAt(one) - attemptAt(other));
}

/** Rotates as many connections at a time as the limits, and the hosts of their token endpoints, allow. */
class Sweep {
  readonly #ports: Ports;
  readonly #memory: ProcessMemory;
  readonly #endsAt: number;
  readonly #slots: Slots;
  readonly #results: Partial<Record<RotationResult['result'], number>> = {};

  constructor(
    ports: Ports,
    memory: ProcessMemory,
    { concurrency, budgetMs }: SweepLimits,
    startedAt: number,
  ) {
    this.#ports = ports;
    this.#memory = memory;
    this.#endsAt = startedAt + budgetMs;
    this.#slots = new Slots(concurrency);
  }

  /** @returns how the connections that had their turn ended, by result, when none of them is waited for any more */
  async rotateAll(due: readonly Connection[]): Promise<SweepSummary['results']> {
    const byHost = Map.groupBy(due, (connection) => this.#memory.hostOf(connection, this.#ports));
    const queues = [...byHost].flatMap(([host, connections]) =>
      [
        ...Map.groupBy(connections, (connection) => writesOf(connection, this.#memory.kept).join()).values(),
      ].map((queue) => this.#rotateQueue(host, queue)),
    );
    await Promise.all(queues);
    return this.#results;
  }

  /**
   * Connections of one host that write to the same vaults. It waits for the vaults first, without a slot, so that a backlog at one
   * vault delays no other. A host that is slow is not waited for: the next sweep goes on.
   */
  async #rotateQueue(host: ProviderHost, queue: readonly Connection[]): Promise<void> {
    const { pacer } = this.#ports;
    const waiting = new Map(queue.map((connection) => [connection.name, connection]));
    const begun: Promise<void>[] = [];
    for (let [first] = waiting.values(); first && !this.#isOver(); [first] = waiting.values()) {
      await reserveWrites(first, pacer, this.#memory.kept);
      await this.#slots.take();
      const next = this.#isOver() ? 'later' : host.next(waiting);
      if (typeof next === 'object') {
        waiting.delete(next.name);
        begun.push(this.#rotate(next).finally(() => this.#slots.give()));
        continue;
      }
      this.#slots.give();
      giveBackWrites(first, pacer, this.#memory.kept);
      if (next === 'wait') await host.changed;
      else if (!this.#isOver()) {
        this.#count('provider_slow', waiting.size);
        waiting.clear();
      }
    }
    await Promise.all(begun);
  }

  #isOver(): boolean {
    return this.#memory.draining || this.#ports.clock.monotonic() >= this.#endsAt;
  }

  /** One failure must never stop the rest, not even one that is a defect of ours. */
  async #rotate(connection: Connection): Promise<void> {
    try {
      const order = { connection, force: false, patient: false };
      this.#count((await rotateReserved(order, this.#ports, this.#memory)).result);
    } catch (thrown) {
      const problem = problemOf(thrown);
      this.#ports.log('error', 'rotation_crashed', { connection: connection.name, ...problem });
      this.#count('retrying');
    }
  }

  #count(result: RotationResult['result'], ended = 1): void {
    this.#results[result] = (this.#results[result] ?? 0) + ended;
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

function logSweep(
  { log }: Ports,
  { results, ...numbers }: SweepSummary,
  overdue: readonly string[],
  stale: LastingProblem | undefined,
): void {
  const first = overdue.slice(0, OVERDUE_NAMES).join(' ');
  const named = first && { overdueConnections: first };
  const { since: _, ...problem } = stale ?? {};
  log(stale ? 'warn' : 'info', 'sweep_finished', { ...numbers, ...named, ...results, ...problem });
}
