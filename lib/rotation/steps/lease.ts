import { RotatorError } from '../../errors.ts';
import type { Connection } from '../core/connection.ts';
import { vaultHosts } from '../core/ownership.ts';
import { type ConnectionRecord, newRecord } from '../core/record.ts';
import { CONNECT_DEADLINE_MS, LEASE_MARGIN_MS, LEASE_MS, LEASE_RENEWAL_MS } from '../core/times.ts';
import type { Ports } from '../ports.ts';

type Leased = Pick<Connection, 'name' | 'vaults'>;

/**
 * The right to send token requests for one connection, and the record under it. Once taken it lasts for as long as
 * {@link remainingMs} is positive, and is renewed in the background until it is released.
 */
export class Lease {
  readonly #records: Ports['records'];
  readonly #clock: Ports['clock'];
  readonly #name: string;
  readonly #vaults: ConnectionRecord['vaults'];
  readonly #released = new AbortController();
  #acquired: { readonly id: string; readonly serviceTime: number; readonly seenAt: number } | undefined;
  /** Monotonic time of sending the request that the service last granted the lease for. */
  #heldFrom = 0;
  readonly #note: (record: ConnectionRecord) => void;
  #lost = false;

  /** @param note called with each record that is read or written */
  constructor(
    { records, clock }: Pick<Ports, 'records' | 'clock'>,
    connection: Leased,
    note: (record: ConnectionRecord) => void = () => {},
  ) {
    this.#note = note;
    this.#records = records;
    this.#clock = clock;
    this.#name = connection.name;
    this.#vaults = vaultHosts(connection);
  }

  /**
   * Takes the lease on the record of the connection; makes the record if there is none.
   * @returns false if another process holds it
   * @throws RotatorError if the storage account cannot be used
   */
  async take(): Promise<boolean> {
    // A missing record is created once; then the lease is tried again.
    for (const create of [true, false]) {
      const askedAt = this.#clock.monotonic();
      const answer = await this.#records.acquireLease(this.#name);
      if (answer === 'taken') return false;
      if (answer !== 'absent') {
        const seenAt = this.#clock.monotonic();
        this.#acquired = { id: answer.leaseId, serviceTime: answer.now, seenAt };
        this.#heldFrom = askedAt;
        void this.#keepAlive();
        return true;
      }
      if (create) await this.#records.create(newRecord(this.#name));
    }
    throw new RotatorError({
      code: 'storage_unavailable',
      message: `The record of ${this.#name} vanished right after it was made.`,
      fix: 'See whether something deletes blobs in the record container.',
    });
  }

  /** Was it taken? It may have been lost since. */
  get taken(): boolean {
    return this.#acquired !== undefined;
  }

  /** The storage service's time in milliseconds: every machine agrees on it. */
  now(): number {
    const { serviceTime, seenAt } = this.#held();
    return serviceTime + this.#clock.monotonic() - seenAt;
  }

  /** How long no other process can hold the lease, counted from before the request for it was sent; 0 or less: maybe lost. */
  remainingMs(): number {
    return this.#lost ? 0 : this.#heldFrom + LEASE_MS - this.#clock.monotonic();
  }

  /**
   * Asked right before a write that must not come over a newer one: a process that was frozen may have lost its lease
   * without noticing.
   * @throws LeaseLost
   */
  ensureHeld(): void {
    if (this.remainingMs() <= 0) throw new LeaseLost();
  }

  /** May a token request be sent now? Asked right before the first byte. Its response needs no lease. */
  coversSend(): boolean {
    return this.remainingMs() > LEASE_MARGIN_MS;
  }

  /** Renews the lease if too little is left to connect and send. */
  async ensureCoversSend(): Promise<void> {
    if (this.remainingMs() < CONNECT_DEADLINE_MS + 2 * LEASE_MARGIN_MS) await this.#renew();
  }

  /** The record as it is stored now; the lease keeps others from changing it. */
  async read(): Promise<ConnectionRecord> {
    const record = (await this.#records.read(this.#name)) ?? newRecord(this.#name);
    this.#note(record);
    return record;
  }

  /** Writes the record as ours: it names the connection's vaults. @throws LeaseLost if another process may hold the lease; nothing is written then */
  async write(record: ConnectionRecord): Promise<void> {
    const ours = { ...record, vaults: this.#vaults };
    if (await this.#records.write(ours, this.#held().id)) return this.#note(ours);
    this.#lost = true;
    throw new LeaseLost();
  }

  /** Gives the lease back; if that fails, it ends with its time. Calling it again has no effect. Never throws. */
  async release(): Promise<void> {
    // Without a reason, `abort` makes an error with its stack.
    this.#released.abort('released');
    if (!this.#acquired || this.remainingMs() <= 0) return;
    this.#lost = true;
    await this.#records.releaseLease(this.#name, this.#acquired.id).catch(() => {});
  }

  async #keepAlive(): Promise<void> {
    const { signal } = this.#released;
    for (;;) {
      await this.#clock.sleep(LEASE_RENEWAL_MS, signal);
      if (signal.aborted) return;
      await this.#renew();
    }
  }

  /** Storage that does not answer is asked again at the next renewal; the remaining time tells the rest. */
  async #renew(): Promise<void> {
    const askedAt = this.#clock.monotonic();
    const renewed = await this.#records.renewLease(this.#name, this.#held().id).catch(() => undefined);
    if (renewed === true) this.#heldFrom = Math.max(this.#heldFrom, askedAt);
    if (renewed === false) this.#lost = true;
  }

  #held() {
    if (!this.#acquired) throw new Error('The lease must be taken first.');
    return this.#acquired;
  }
}

/** Another process has, or may have, the lease: nothing more may be sent, published or recorded here. */
export class LeaseLost extends Error {
  override readonly name = 'LeaseLost';
}

/**
 * Does what an operator asked for under the lease of a connection: no rotation comes in between.
 * @throws RotatorError `in_progress` if another process has the lease, or gets it meanwhile, or what the work throws
 */
export async function underLease<T>(
  connection: Leased,
  ports: Pick<Ports, 'records' | 'clock'>,
  work: (lease: Lease) => Promise<T>,
): Promise<T> {
  const { name } = connection;
  const lease = new Lease(ports, connection);
  if (!(await lease.take())) throw inProgress(name);
  try {
    return await work(lease);
  } catch (thrown) {
    throw thrown instanceof LeaseLost ? inProgress(name) : thrown;
  } finally {
    await lease.release();
  }
}

function inProgress(name: string): RotatorError {
  return new RotatorError({
    code: 'in_progress',
    message: `Another rotation of ${name} is running.`,
    fix: 'Run the command again in a moment.',
  });
}
