import { type ConnectionRecord, type KnownSummaries, type RecordSummary, summaryOf } from './core/record.ts';
import { LONGEST_LIST_AGE_MS } from './core/times.ts';
import type { Ports, RecordList } from './ports.ts';

/** A list that is used for so many milliseconds per record costs a few thousandths of a core, however long it is. */
const LIST_AGE_MS_PER_RECORD = 2;

/** The last list, at the time of the sweep, with what this process has noted. */
interface Seen extends Pick<RecordList, 'now' | 'sweptAt'> {
  readonly summaries: KnownSummaries;
}

interface Listing {
  readonly records: Pick<Ports['records'], 'list'>;
  readonly clock: Ports['clock'];
}

/**
 * What the sweeps of one process know of all records. A long list is not asked for at each sweep: this process notes what it reads and
 * writes itself, and what others do makes a connection look due that is not, which its rotation finds out under the lease.
 */
export class RecordView {
  readonly #ageOf: (records: number) => number;
  #list: { readonly now: number; readonly seenAt: number; readonly sweptAt?: number } | undefined;
  #listed: RecordList['summaries'] = new Map();
  /** What counts instead of the list. Beside it, because a long list is not copied. */
  #noted = new Map<string, RecordSummary>();
  /** Since a list was last asked for: it may show older ones. */
  #notedSince = new Map<string, RecordSummary>();

  /** @param ageOf for how long a list of so many records is used, in milliseconds */
  constructor(ageOf = (records: number) => Math.min(LONGEST_LIST_AGE_MS, records * LIST_AGE_MS_PER_RECORD)) {
    this.#ageOf = ageOf;
  }

  /** The records as far as a sweep must know them. @throws RotatorError */
  async list({ records, clock }: Listing): Promise<Seen> {
    const age = this.#list ? clock.monotonic() - this.#list.seenAt : Number.POSITIVE_INFINITY;
    if (age >= this.#ageOf(Math.max(this.#listed.size, this.#noted.size))) {
      const seenAt = clock.monotonic();
      const since = new Map<string, RecordSummary>();
      this.#notedSince = since;
      const { now, summaries, sweptAt } = await records.list();
      this.#list = { now, seenAt, ...(sweptAt !== undefined && { sweptAt }) };
      this.#listed = summaries;
      this.#noted = since;
    }
    const { now = 0, seenAt = 0, sweptAt } = this.#list ?? {};
    return {
      now: now + Math.floor(clock.monotonic() - seenAt),
      summaries: { get: (name) => this.#noted.get(name) ?? this.#listed.get(name) },
      ...(sweptAt !== undefined && { sweptAt }),
    };
  }

  /** This process has read or written the record. */
  note(record: ConnectionRecord): void {
    const summary = summaryOf(record);
    this.#noted.set(record.connection, summary);
    this.#notedSince.set(record.connection, summary);
  }
}
