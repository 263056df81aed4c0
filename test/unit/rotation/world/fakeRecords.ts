import { type ConnectionRecord, recordSchema } from '../../../../lib/rotation/core/record.ts';
import { summaryOf } from '../../../../lib/rotation/core/status.ts';
import { LEASE_MS } from '../../../../lib/rotation/core/times.ts';
import type { RecordSummary } from '../../../../lib/rotation/ports.ts';

interface Blob {
  record: ConnectionRecord;
  lease?: { readonly id: string; readonly until: number };
}

/** What the record container holds: blobs, and leases that end by the service's clock. */
export class FakeRecords {
  readonly #blobs = new Map<string, Blob>();
  readonly #now: () => number;
  #leases = 0;

  constructor(now: () => number) {
    this.#now = now;
  }

  list(): { now: number; summaries: ReadonlyMap<string, RecordSummary> } {
    const summaries = [...this.#blobs].map(([name, { record }]) => [name, summaryOf(record)] as const);
    return { now: this.#now(), summaries: new Map(summaries) };
  }

  read(name: string): ConnectionRecord | undefined {
    return this.#blobs.get(name)?.record;
  }

  create(record: ConnectionRecord): void {
    if (!this.#blobs.has(record.connection)) this.#blobs.set(record.connection, { record: stored(record) });
  }

  acquireLease(name: string): { leaseId: string; now: number } | 'taken' | 'absent' {
    const blob = this.#blobs.get(name);
    if (!blob) return 'absent';
    if (blob.lease && blob.lease.until > this.#now()) return 'taken';
    this.#leases += 1;
    blob.lease = { id: `lease-${this.#leases}`, until: this.#now() + LEASE_MS };
    return { leaseId: blob.lease.id, now: this.#now() };
  }

  /** A lease that is over can be renewed as long as nobody else has taken it (Lease Blob, REST reference). */
  renewLease(name: string, id: string): boolean {
    const blob = this.#blobs.get(name);
    if (blob?.lease?.id !== id) return false;
    blob.lease = { id, until: this.#now() + LEASE_MS };
    return true;
  }

  releaseLease(name: string, id: string): void {
    const blob = this.#blobs.get(name);
    if (blob?.lease?.id === id) delete blob.lease;
  }

  write(record: ConnectionRecord, id: string): boolean {
    const blob = this.#blobs.get(record.connection);
    if (blob?.lease?.id !== id || blob.lease.until <= this.#now()) return false;
    blob.record = stored(record);
    return true;
  }

  /** Changes a record behind everybody's back. */
  change(name: string, change: (record: ConnectionRecord) => ConnectionRecord): void {
    const blob = this.#blobs.get(name);
    if (blob) blob.record = stored(change(blob.record));
  }

  /** The record is gone, and its lease with it. */
  lose(name: string): void {
    this.#blobs.delete(name);
  }
}

/** As it comes back: JSON that fits the schema. */
function stored(record: ConnectionRecord): ConnectionRecord {
  return recordSchema.parse(JSON.parse(JSON.stringify(record)));
}
