import { setTimeout as sleep } from 'node:timers/promises';
import type { LocalConnection } from '../../../local/connections.ts';
import { pick } from '../model/random.ts';
import type { FaultHook, Passing, Strike } from '../process/faultProxy.ts';
import { type Rig, type StruckHost, stopFor } from '../process/rig.ts';
import { chooseFault, type RequestFault, strikeOf } from './faults.ts';
import type { Suspects } from './suspects.ts';

const LEASE_MS = 15_000;
/** On average, one request of this many gets a fault. */
const EVERY = 40;

/** The function hosts of a soak, each behind fault proxies. Starts a new host for each one that ended. */
export class Crew {
  /** True once no more faults are injected. */
  calm = false;
  readOnlyUntil = 0;
  storageOutUntil = 0;
  /** Until then, each token response takes `slowMs` milliseconds. */
  slowUntil = 0;
  slowMs = 0;
  readonly counts = new Map<string, number>();
  readonly lines: (readonly string[])[] = [];
  readonly #rig: Rig;
  readonly #connections: readonly LocalConnection[];
  readonly #suspects: Suspects;
  readonly #random: () => number;
  readonly #living = new Map<number, StruckHost>();
  readonly #restarts = new Set<Promise<void>>();
  #started = 0;
  #over = false;

  constructor(rig: Rig, connections: readonly LocalConnection[], suspects: Suspects, random: () => number) {
    this.#rig = rig;
    this.#connections = connections;
    this.#suspects = suspects;
    this.#random = random;
  }

  /** The hosts that run now. */
  get living(): readonly StruckHost[] {
    return [...this.#living.values()];
  }

  async start(): Promise<void> {
    const number = ++this.#started;
    const host = await this.#rig.startHost(this.#connections, this.#hook(number));
    this.#living.set(number, host);
    this.lines.push(host.lines);
    void host.ended.then(() => this.#replace(number));
  }

  /** Signals a host to end. It must save every token that it received, so this adds no suspicion. */
  drainOne(): void {
    const host = pick(this.#random, [this.living[0], ...this.living.slice(1)]);
    this.count('drain');
    void host?.stop();
  }

  /** Starts no more hosts. Resolves when all hosts that are already starting have started. */
  async end(): Promise<void> {
    this.#over = true;
    await Promise.all(this.#restarts);
  }

  count(name: string): void {
    this.counts.set(name, (this.counts.get(name) ?? 0) + 1);
  }

  #replace(number: number): void {
    this.#living.delete(number);
    if (this.#over) return;
    const restart = sleep(this.#random() * 5_000)
      .then(() => this.start())
      .finally(() => this.#restarts.delete(restart));
    this.#restarts.add(restart);
  }

  #hook(number: number): FaultHook {
    return async (passing, moment) => {
      const outage = moment === 'before_forwarding' ? this.#outage(passing) : undefined;
      if (outage) return outage;
      const connection = passing.client;
      if (connection && moment === 'before_forwarding') this.#suspects.requestSent(number, connection);
      if (moment === 'after_response') this.#watchSaves(number, passing);
      if (connection && moment === 'after_execution' && Date.now() < this.slowUntil) await sleep(this.slowMs);
      const fault = this.calm ? undefined : chooseFault(this.#random, moment, EVERY);
      const strike = fault && (await this.#inject(fault, number, passing));
      const published = /^put (.+)-access-token$/.exec(passing.operation)?.[1];
      if (published && moment === 'before_forwarding')
        this.#suspects.publishes(number, published, strike?.kind === 'late' ? strike.ms : 0);
      return strike;
    };
  }

  #outage({ service, operation }: Passing): Strike | undefined {
    const now = Date.now();
    const isWrite = /^(put|tag)/.test(operation);
    if (service === 'credential_vault' && isWrite && now < this.readOnlyUntil)
      return { kind: 'answer', status: 403 };
    return service === 'storage' && now < this.storageOutUntil ? { kind: 'lose' } : undefined;
  }

  async #inject(fault: RequestFault, number: number, passing: Passing): Promise<Strike | undefined> {
    const host = this.#living.get(number);
    if (fault === 'kill' || fault === 'freeze') {
      // At least one host must continue: without any, the soak would observe nothing.
      if (!host || (fault === 'kill' && this.#living.size < 2)) return undefined;
      this.count(fault);
      if (fault === 'freeze') this.#freeze(host, number, pick(this.#random, [3_000, 20_000, 40_000]));
      else {
        this.#suspects.strike(number, 'killed before the save');
        await host.kill();
      }
      return undefined;
    }
    const strike = strikeOf(fault, passing, this.#random);
    if (strike) this.count(fault);
    if (strike && passing.client) this.#suspectRequest(passing.client, fault);
    return strike;
  }

  #freeze({ processId }: StruckHost, number: number, ms: number): void {
    if (ms > LEASE_MS) this.#suspects.strike(number, 'frozen before the save');
    void stopFor(processId, ms).then(() => this.#suspects.resume(number));
  }

  #suspectRequest(connection: string, fault: RequestFault): void {
    if (fault === 'late execution') this.#suspects.suspect(connection, 'executed late');
    if (/lost response|500|truncated|dripping/.test(fault))
      this.#suspects.suspect(connection, 'response lost');
  }

  #watchSaves(number: number, { operation }: Passing): void {
    const saved = /^put (.+)-refresh-token$/.exec(operation)?.[1];
    if (saved) this.#suspects.saved(number, saved);
  }
}
