import { plausibleRecord, plausibleSummary } from '../../../../lib/rotation/core/plausible.ts';
import { type ConnectionRecord, summaryOf } from '../../../../lib/rotation/core/record.ts';
import { recordSchema } from '../../../../lib/rotation/core/recordSchema.ts';
import { LEASE_MS } from '../../../../lib/rotation/core/times.ts';
import type { RecordList } from '../../../../lib/rotation/ports.ts';
import { STORE } from './connection.ts';

interface Blob {
  record: ConnectionRecord;
  lease?: { readonly id: string; readonly until: number };
}

/**
 * The record container in memory: blobs, and leases that end by the service's clock. `test/contract/recordsContract.ts` tests it
 * and the real adapter for the same behavior.
 */
export class FakeRecords {
  /** By name in lower case. */
  readonly #blobs = new Map<string, Blob>();
  /** Stands for this store in tags. */
  readonly host: string;
  readonly #now: () => number;
  #leases = 0;
  #sweptAt: number | undefined;

  constructor(now: () => number, host = STORE) {
    this.#now = now;
    this.host = host;
  }

  list(): RecordList {
    const records = [...this.#blobs.values()].map(({ record }) => record);
    const now = this.#serviceTime();
    const summaries = records.map(
      (record) => [record.connection, plausibleSummary(summaryOf(record), now)] as const,
    );
    const blobs = [...this.#blobs.values()];
    const leased = blobs.filter(({ lease }) => lease && lease.until > this.#now());
    return {
      now,
      summaries: new Map(summaries),
      leased: new Set(leased.map((each) => each.record.connection)),
      ...(this.#sweptAt !== undefined && { sweptAt: this.#sweptAt }),
    };
  }

  noteSweep(): void {
    this.#sweptAt = this.#serviceTime();
  }

  read(name: string): ConnectionRecord | undefined {
    const record = this.#blob(name)?.record;
    return record && { ...plausibleRecord(record, this.#serviceTime()), connection: name };
  }

  create(record: ConnectionRecord): void {
    if (!this.#blob(record.connection))
      this.#blobs.set(record.connection.toLowerCase(), { record: stored(record) });
  }

  acquireLease(name: string): { leaseId: string; now: number } | 'taken' | 'absent' {
    const blob = this.#blob(name);
    if (!blob) return 'absent';
    if (blob.lease && blob.lease.until > this.#now()) return 'taken';
    this.#leases += 1;
    blob.lease = { id: `lease-${this.#leases}`, until: this.#now() + LEASE_MS };
    return { leaseId: blob.lease.id, now: this.#serviceTime() };
  }

  /** A lease that is over can be renewed until the blob is leased or written to again (Lease Blob, REST reference). */
  renewLease(name: string, id: string): boolean {
    const blob = this.#blob(name);
    if (blob?.lease?.id !== id) return false;
    blob.lease = { id, until: this.#now() + LEASE_MS };
    return true;
  }

  /** For how long the lease is still held, in milliseconds; 0 if it is not. */
  leaseLeft(name: string, id: string): number {
    const lease = this.#blob(name)?.lease;
    return lease?.id === id ? Math.max(0, lease.until - this.#now()) : 0;
  }

  releaseLease(name: string, id: string): void {
    const blob = this.#blob(name);
    if (blob?.lease?.id === id) delete blob.lease;
  }

  write(record: ConnectionRecord, id: string): boolean {
    const blob = this.#blob(record.connection);
    if (blob?.lease?.id !== id || blob.lease.until <= this.#now()) return false;
    blob.record = stored(record);
    return true;
  }

  /** Changes a record without its lease. */
  change(name: string, change: (record: ConnectionRecord) => ConnectionRecord): void {
    const blob = this.#blob(name);
    if (!blob) return;
    blob.record = stored(change(blob.record));
    if (blob.lease && blob.lease.until <= this.#now()) delete blob.lease;
  }

  /** Removes the record together with its lease. */
  lose(name: string): void {
    this.#blobs.delete(name.toLowerCase());
  }

  #blob(name: string): Blob | undefined {
    return this.#blobs.get(name.toLowerCase());
  }

  /** The service's time in whole seconds, as in the header `Date`. */
  #serviceTime(): number {
    return Math.floor(this.#now() / 1000) * 1000;
  }
}

/** The record as the store returns it: JSON that fits the schema. */
function stored(record: ConnectionRecord): ConnectionRecord {
  return recordSchema.parse(JSON.parse(JSON.stringify(record)));
}
