import type { BlobRequestConditions, BlockBlobClient, ContainerClient } from '@azure/storage-blob';
import { RotatorError } from '../errors.ts';
import { readLimited } from '../readLimited.ts';
import type { ConnectionRecord, RecordSummary } from '../rotation/core/record.ts';
import { LEASE_MS } from '../rotation/core/times.ts';
import type { RecordList, RecordStore } from '../rotation/ports.ts';
import { withDeadline } from './deadline.ts';
import { blobNameOf, bodyOf, listedOf, metadataOf, recordOf } from './recordBlob.ts';
import { repeatIfClosed } from './repeatRead.ts';
import { storageCode, storageError } from './storageErrors.ts';

/** A renewal must have its response well within the 15 s that a lease lasts. */
const TIMEOUT_MS = 5_000;
/** The most blobs that one list request returns (List Blobs, REST reference). */
const PAGE_SIZE = 5_000;
/** The blob whose last write is the last note of a sweep. Names of records end differently. */
const SWEEP_BLOB = 'last-sweep';
/** Records are a few kilobytes. */
const LARGEST_RECORD_BYTES = 1_000_000;

/** What an error code of the service means for a call that expects it (Blob service error codes, REST reference). */
type Expected<T> = Readonly<Record<string, T>>;

const NO_RECORD = { BlobNotFound: undefined, ContainerNotFound: undefined };
const NOT_LEASED = {
  BlobNotFound: 'absent',
  ContainerNotFound: 'absent',
  LeaseAlreadyPresent: 'taken',
  LeaseIsBreakingAndCannotBeAcquired: 'taken',
} as const;
/** A conditional create of a blob that exists, leased or not. */
const NOT_CREATED = {
  BlobAlreadyExists: 'exists',
  ConditionNotMet: 'exists',
  LeaseIdMissing: 'exists',
  ContainerNotFound: 'no container',
} as const;
const LEASE_LOST = {
  BlobNotFound: false,
  ConditionNotMet: false,
  ContainerNotFound: false,
  LeaseIdMismatchWithBlobOperation: false,
  LeaseIdMismatchWithLeaseOperation: false,
  LeaseIsBreakingAndCannotBeChanged: false,
  LeaseIsBrokenAndCannotBeRenewed: false,
  LeaseLost: false,
  LeaseNotPresentWithBlobOperation: false,
  LeaseNotPresentWithLeaseOperation: false,
};

/** How records are stored. */
export interface RecordStoreOptions {
  /** Longest time for one request, sign-in included, in milliseconds. Default 5 s. */
  readonly timeoutMs?: number;
  /** Records per list request. Default 5,000, the service's most. */
  readonly pageSize?: number;
}

/**
 * Records as blobs: the record is the body, its summary the metadata, so that one request lists them all. Every call
 * sends one request, except that the very first one also creates the container. Only a read whose connection was closed is repeated.
 * @param container made by `createRecordContainer`
 */
export function createRecordStore(container: ContainerClient, options: RecordStoreOptions = {}): RecordStore {
  return new BlobRecords(container, options);
}

class BlobRecords implements RecordStore {
  readonly host: string;
  readonly #container: ContainerClient;
  /** For messages: without the query, which may hold a signature. */
  readonly #address: string;
  readonly #timeoutMs: number;
  readonly #pageSize: number;

  constructor(
    container: ContainerClient,
    { timeoutMs = TIMEOUT_MS, pageSize = PAGE_SIZE }: RecordStoreOptions,
  ) {
    const url = new URL(container.url);
    this.#container = container;
    this.#timeoutMs = timeoutMs;
    this.#pageSize = pageSize;
    this.host = url.hostname;
    this.#address = `${url.origin}${url.pathname}`;
  }

  async list(): Promise<RecordList> {
    const summaries = new Map<string, RecordSummary>();
    const leased = new Set<string>();
    let now: number | undefined;
    let from: string | undefined;
    let sweptAt: number | undefined;
    do {
      const page = await this.#page(from);
      now ??= this.#timeOf(page);
      for (const { name, metadata, properties } of page.segment.blobItems) {
        if (name === SWEEP_BLOB) sweptAt = properties.lastModified.getTime();
        const entry = listedOf(name, metadata, now);
        if (!entry) continue;
        summaries.set(entry.connection, entry.summary);
        if (properties.leaseState === 'leased') leased.add(entry.connection);
      }
      from = page.continuationToken;
    } while (from);
    return { now, summaries, leased, ...(sweptAt !== undefined && { sweptAt }) };
  }

  async noteSweep(): Promise<void> {
    const blob = this.#container.getBlockBlobClient(SWEEP_BLOB);
    const upload = async (abortSignal: AbortSignal) => void (await blob.upload('', 0, { abortSignal }));
    await this.#call('note the sweep', upload, {});
  }

  read(name: string): Promise<ConnectionRecord | undefined> {
    const download = async (abortSignal: AbortSignal) => {
      const answer = await this.#blob(name).download(0, undefined, { abortSignal, maxRetryRequests: 0 });
      const body = await readLimited(answer.readableStreamBody, LARGEST_RECORD_BYTES);
      return recordOf(body?.toString() ?? '', name, { container: this.#address, now: this.#timeOf(answer) });
    };
    return this.#read(`read the record of ${name}`, download, NO_RECORD);
  }

  async create(record: ConnectionRecord): Promise<void> {
    if ((await this.#create(record)) !== 'no container') return;
    await this.#createContainer();
    if ((await this.#create(record)) === 'no container') throw this.#vanished();
  }

  acquireLease(name: string): Promise<{ leaseId: string; now: number } | 'taken' | 'absent'> {
    const lease = this.#blob(name).getBlobLeaseClient();
    const acquire = async (abortSignal: AbortSignal) => {
      const answer = await lease.acquireLease(LEASE_MS / 1000, { abortSignal });
      return { leaseId: lease.leaseId, now: this.#timeOf(answer) };
    };
    return this.#call(`lease the record of ${name}`, acquire, NOT_LEASED);
  }

  renewLease(name: string, leaseId: string): Promise<boolean> {
    const lease = this.#blob(name).getBlobLeaseClient(leaseId);
    const renew = async (abortSignal: AbortSignal) => Boolean(await lease.renewLease({ abortSignal }));
    return this.#call(`renew the lease of ${name}`, renew, LEASE_LOST);
  }

  async releaseLease(name: string, leaseId: string): Promise<void> {
    const lease = this.#blob(name).getBlobLeaseClient(leaseId);
    const release = async (abortSignal: AbortSignal) => Boolean(await lease.releaseLease({ abortSignal }));
    await this.#call(`release the lease of ${name}`, release, LEASE_LOST);
  }

  write(record: ConnectionRecord, leaseId: string): Promise<boolean> {
    const write = async (abortSignal: AbortSignal) => {
      // The blob must exist: a lease that ended with its blob fences off no other process.
      await this.#upload(record, { leaseId, ifMatch: '*' }, abortSignal);
      return true;
    };
    return this.#call(`write the record of ${record.connection}`, write, LEASE_LOST);
  }

  #create(record: ConnectionRecord): Promise<'created' | 'exists' | 'no container'> {
    const create = async (abortSignal: AbortSignal) => {
      await this.#upload(record, { ifNoneMatch: '*' }, abortSignal);
      return 'created' as const;
    };
    return this.#call(`create the record of ${record.connection}`, create, NOT_CREATED);
  }

  async #page(continuationToken: string | undefined) {
    const list = async (abortSignal: AbortSignal) => {
      const position = { maxPageSize: this.#pageSize, ...(continuationToken && { continuationToken }) };
      const pages = this.#container.listBlobsFlat({ includeMetadata: true, abortSignal }).byPage(position);
      return (await pages.next()).value;
    };
    const attempt = () => this.#read('list the records', list, { ContainerNotFound: undefined });
    let page = await attempt();
    if (!page) {
      await this.#createContainer();
      page = await attempt();
    }
    if (!page) throw this.#vanished();
    return page;
  }

  #createContainer() {
    const create = (abortSignal: AbortSignal) => this.#container.createIfNotExists({ abortSignal });
    return this.#call('create the container of the records', create, {});
  }

  #upload(record: ConnectionRecord, conditions: BlobRequestConditions, abortSignal: AbortSignal) {
    const body = bodyOf(record);
    return this.#blob(record.connection).upload(body, Buffer.byteLength(body), {
      abortSignal,
      conditions,
      metadata: metadataOf(record),
      blobHTTPHeaders: { blobContentType: 'application/json' },
    });
  }

  #read<T, E>(what: string, work: (abortSignal: AbortSignal) => Promise<T>, expected: Expected<E>) {
    return this.#call(what, (abortSignal) => repeatIfClosed(() => work(abortSignal)), expected);
  }

  /** One request with its time limit. */
  async #call<T, E>(
    what: string,
    work: (abortSignal: AbortSignal) => Promise<T>,
    expected: Expected<E>,
  ): Promise<T | E> {
    try {
      return await withDeadline(this.#timeoutMs, work);
    } catch (thrown) {
      const code = storageCode(thrown);
      if (Object.hasOwn(expected, code)) return expected[code] as E;
      throw storageError(thrown, what, this.#address);
    }
  }

  #blob(name: string): BlockBlobClient {
    return this.#container.getBlockBlobClient(blobNameOf(name));
  }

  /** The service's clock in milliseconds, from its Date header: whole seconds. */
  #timeOf({ date }: { readonly date?: Date }): number {
    if (date) return date.getTime();
    throw new RotatorError({
      code: 'storage_unavailable',
      message: `The response of ${this.#address} has no Date header, which the rotator uses as its clock.`,
      fix: 'Check whether a proxy between the rotator and the storage account removes headers.',
    });
  }

  #vanished(): RotatorError {
    return new RotatorError({
      code: 'storage_unavailable',
      message: `The container ${this.#address} disappeared right after the rotator created it.`,
      fix: 'Check whether something deletes containers in the storage account.',
    });
  }
}
