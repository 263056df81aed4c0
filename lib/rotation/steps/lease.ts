import { RotatorError } from '../../errors.ts';
import { type ConnectionRecord, newRecord } from '../core/record.ts';
import { GRANT_DEADLINE_MS, LEASE_MARGIN_MS, LEASE_MS, LEASE_RENEWAL_MS } from '../core/times.ts';
import type { Clock, Ports, RecordStore } from '../ports.ts';

/**
 * The right to send grants for one connection, for as long as {@link remainingMs} is positive. It is renewed in the
 * background until it is released.
 */
export class Lease {
  readonly #store: RecordStore;
  readonly #clock: Clock;
  readonly #name: string;
  readonly #id: string;
  readonly #serviceTime: number;
  readonly #serviceTimeSeenAt: number;
  readonly #released = new AbortController();
  /** Monotonic time of sending the request that the service last granted the lease for. */
  #heldFrom: number;
  #lost = false;

  private constructor(
    store: RecordStore,
    clock: Clock,
    name: string,
    acquired: { leaseId: string; now: number; askedAt: number },
  ) {
    this.#store = store;
    this.#clock = clock;
    this.#name = name;
    this.#id = acquired.leaseId;
    this.#serviceTime = acquired.now;
    this.#serviceTimeSeenAt = clock.monotonic();
    this.#heldFrom = acquired.askedAt;
    void this.#keepAlive();
  }

  /**
   * Takes the lease on the record of a connection; makes the record where there is none.
   * @returns `taken` where somebody else holds it
   * @throws RotatorError where the storage account cannot be used
   */
  static async take(store: RecordStore, clock: Clock, name: string): Promise<Lease | 'taken'> {
    for (const create of [true, false]) {
      const askedAt = clock.monotonic();
      const acquired = await store.acquireLease(name);
      if (acquired === 'taken') return 'taken';
      if (acquired !== 'absent') return new Lease(store, clock, name, { ...acquired, askedAt });
      if (create) await store.create(newRecord(name));
    }
    throw new RotatorError({
      code: 'storage_unavailable',
      message: `The record of ${name} vanished right after it was made.`,
      fix: 'See whether something deletes blobs in the record container.',
    });
  }

  /** The storage service's time in milliseconds: every machine agrees on it. */
  now(): number {
    return this.#serviceTime + this.#clock.monotonic() - this.#serviceTimeSeenAt;
  }

  /** How long nobody else can hold the lease, counted from before the service was asked for it; 0 or less: maybe lost. */
  remainingMs(): number {
    return this.#lost ? 0 : this.#heldFrom + LEASE_MS - this.#clock.monotonic();
  }

  /**
   * Asked right before a write that must not come over a newer one: a process that was frozen may have lost its lease without noticing.
   * @throws LeaseLost
   */
  ensureHeld(): void {
    if (this.remainingMs() <= 0) throw new LeaseLost();
  }

  /** Is there time for a whole grant? Asked right before each send. */
  coversGrant(): boolean {
    return this.remainingMs() > GRANT_DEADLINE_MS + LEASE_MARGIN_MS;
  }

  /** Renews the lease where too little is left for a grant and some time before it. */
  async ensureCoversGrant(): Promise<void> {
    if (this.remainingMs() < GRANT_DEADLINE_MS + 2 * LEASE_MARGIN_MS) await this.#renew();
  }

  /** The record as it is stored now; the lease keeps others from changing it. */
  async read(): Promise<ConnectionRecord> {
    return (await this.#store.read(this.#name)) ?? newRecord(this.#name);
  }

  /** @throws LeaseLost where somebody else may hold the lease; nothing is written then */
  async write(record: ConnectionRecord): Promise<void> {
    if (await this.#store.write(record, this.#id)) return;
    this.#lost = true;
    throw new LeaseLost();
  }

  /** Gives the lease back; without an answer it ends by itself. Never throws. */
  async release(): Promise<void> {
    this.#released.abort();
    if (this.remainingMs() > 0) await this.#store.releaseLease(this.#name, this.#id).catch(() => {});
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
    const renewed = await this.#store.renewLease(this.#name, this.#id).catch(() => undefined);
    if (renewed === true) this.#heldFrom = Math.max(this.#heldFrom, askedAt);
    if (renewed === false) this.#lost = true;
  }
}

/** Another process has, or may have, the lease: nothing more may be granted, published or recorded here. */
export class LeaseLost extends Error {
  override readonly name = 'LeaseLost';
}

/**
 * Does what a person asked for under the lease of a connection: no rotation comes in between.
 * @throws RotatorError `in_progress` where somebody else has the lease, or gets it meanwhile, or what the work throws
 */
export async function underLease(
  name: string,
  { records, clock }: Pick<Ports, 'records' | 'clock'>,
  work: (lease: Lease) => Promise<void>,
): Promise<void> {
  const lease = await Lease.take(records, clock, name);
  if (lease === 'taken') throw inProgress(name);
  try {
    await work(lease);
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
