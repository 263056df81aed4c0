import { RotatorError } from '../errors.ts';
import { UNKNOWN_SUMMARY } from '../rotation/core/plausible.ts';
import type { ConnectionRecord, RecordSummary } from '../rotation/core/record.ts';
import { LEASE_MS } from '../rotation/core/times.ts';
import type { RecordList, RecordStore } from '../rotation/ports.ts';
import { type BlobRequest, type BlobResponse, BlobService, type StorageAccess } from './blobService.ts';
import { type ListedBlob, readBlobList } from './blobXml.ts';
import { withDeadline } from './deadline.ts';
import { blobNameOf, bodyOf, metadataOf } from './recordBlob.ts';
import { repeatIfClosed } from './repeatRead.ts';
import { storageCode, storageError } from './storageErrors.ts';

/** The container that holds the records and nothing else. */
const RECORD_CONTAINER = 'token-rotator-records';

/** A renewal must have its response well within the 15 s that a lease lasts. */
const TIMEOUT_MS = 5_000;
/** The most blobs that one list request returns (List Blobs, REST reference). */
const PAGE_SIZE = 5_000;
/** The blob whose last write is the last note of a sweep. Names of records end differently. */
const SWEEP_BLOB = 'last-sweep';

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
const CONTAINER_EXISTS = { ContainerAlreadyExists: undefined };
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

/** Loaded at the first read, not at a cold start. */
const loadReader = () => import('./readRecordBlob.ts');

/** How records are stored. */
export interface RecordStoreOptions {
  /** Longest time for one request, sign-in included, in milliseconds. Default 5 s. */
  readonly timeoutMs?: number;
  /** Records per list request. Default 5,000, the service's most. */
  readonly pageSize?: number;
  /** The name of the container. Default token-rotator-records. */
  readonly container?: string;
}

/**
 * Records as blobs: the record is the body, its summary the metadata, so that one request lists them all. Every call
 * sends one request, except that the very first one also creates the container. Only a read whose connection was closed is repeated.
 * @throws RotatorError `configuration_invalid` if the connection string is not valid
 */
export function createRecordStore(access: StorageAccess, options: RecordStoreOptions = {}): RecordStore {
  return new BlobRecords(new BlobService(access), options);
}

interface Listed {
  readonly connection: string;
  readonly summary: RecordSummary;
  readonly leased: boolean;
}

class BlobRecords implements RecordStore {
  readonly host: string;
  readonly #service: BlobService;
  /** Of the container; for messages as well. */
  readonly #url: string;
  readonly #timeoutMs: number;
  readonly #pageSize: number;
  /** What the last list told, by its digests. */
  #listed: ReadonlyMap<string, Listed> = new Map();

  constructor(
    service: BlobService,
    { timeoutMs = TIMEOUT_MS, pageSize = PAGE_SIZE, container = RECORD_CONTAINER }: RecordStoreOptions,
  ) {
    this.#service = service;
    this.#timeoutMs = timeoutMs;
    this.#pageSize = pageSize;
    this.#url = `${service.url}/${container}`;
    this.host = new URL(service.url).hostname;
  }

  async list(): Promise<RecordList> {
    const { listedOf } = await loadReader();
    const summaries = new Map<string, RecordSummary>();
    const leased = new Set<string>();
    const known = new Map<string, Listed>();
    let now: number | undefined;
    let sweptAt: number | undefined;
    const add = (listed: Listed, digest: string | undefined) => {
      summaries.set(listed.connection, listed.summary);
      if (listed.leased) leased.add(listed.connection);
      // What is plausible stays plausible; what is not may become it with time.
      if (digest !== undefined && listed.summary !== UNKNOWN_SUMMARY) known.set(digest, listed);
    };
    let from: string | undefined;
    do {
      const page = await this.#page(from, (blob, at) => {
        if (blob.name === SWEEP_BLOB) sweptAt = blob.changedAt;
        const entry = listedOf(blob.name, blob.metadata, now ?? at);
        // Written out, because a spread takes more memory for each connection.
        return entry && { connection: entry.connection, summary: entry.summary, leased: blob.leased };
      });
      if (page.next !== undefined && page.next === from) throw this.#endless();
      for (const [listed, digest] of page.records) add(listed, digest);
      now ??= page.now;
      from = page.next;
    } while (from);
    this.#listed = known;
    return { now, summaries, leased, ...(sweptAt !== undefined && { sweptAt }) };
  }

  async noteSweep(): Promise<void> {
    const headers = { 'x-ms-blob-type': 'BlockBlob' };
    const note = { method: 'PUT', url: `${this.#url}/${SWEEP_BLOB}`, headers, body: '' } as const;
    await this.#send('note the sweep', note, {});
  }

  read(name: string): Promise<ConnectionRecord | undefined> {
    const download = async (abortSignal: AbortSignal, again: boolean) => {
      const request = { method: 'GET', url: this.#blob(name), isShort: true, abortSignal, again } as const;
      const { headers, text } = await this.#service.send(request);
      const { recordOf } = await loadReader();
      return recordOf(text, name, { container: this.#url, now: this.#timeOf(headers) });
    };
    return this.#read(`read the record of ${name}`, download, NO_RECORD);
  }

  async create(record: ConnectionRecord): Promise<void> {
    if ((await this.#create(record)) !== 'no container') return;
    await this.#createContainer();
    if ((await this.#create(record)) === 'no container') throw this.#vanished();
  }

  acquireLease(name: string): Promise<{ leaseId: string; now: number } | 'taken' | 'absent'> {
    const acquire = this.#leaseRequest(name, 'acquire', { 'x-ms-lease-duration': String(LEASE_MS / 1000) });
    const work = async (abortSignal: AbortSignal) => {
      const { headers } = await this.#service.send({ ...acquire, abortSignal });
      return { leaseId: headers.get('x-ms-lease-id') ?? '', now: this.#timeOf(headers) };
    };
    return this.#call(`lease the record of ${name}`, work, NOT_LEASED);
  }

  renewLease(name: string, leaseId: string): Promise<boolean> {
    const renew = this.#leaseRequest(name, 'renew', { 'x-ms-lease-id': leaseId });
    return this.#send(`renew the lease of ${name}`, renew, LEASE_LOST);
  }

  async releaseLease(name: string, leaseId: string): Promise<void> {
    const release = this.#leaseRequest(name, 'release', { 'x-ms-lease-id': leaseId });
    await this.#send(`release the lease of ${name}`, release, LEASE_LOST);
  }

  write(record: ConnectionRecord, leaseId: string): Promise<boolean> {
    // The blob must exist: a lease that ended with its blob fences off no other process.
    const upload = this.#upload(record, { 'x-ms-lease-id': leaseId, 'if-match': '*' });
    return this.#send(`write the record of ${record.connection}`, upload, LEASE_LOST);
  }

  #create(record: ConnectionRecord): Promise<true | 'exists' | 'no container'> {
    const upload = this.#upload(record, { 'if-none-match': '*' });
    return this.#send(`create the record of ${record.connection}`, upload, NOT_CREATED);
  }

  /**
   * Each blob is forgotten as soon as it is read: the lists of large fleets have tens of megabytes.
   * @param read called for each blob that is not known, with the service's time; again, if the page must be read again
   */
  async #page(from: string | undefined, read: (blob: ListedBlob, now: number) => Listed | undefined) {
    const query = {
      restype: 'container',
      comp: 'list',
      include: 'metadata',
      maxresults: String(this.#pageSize),
      ...(from !== undefined && { marker: from }),
    };
    const list = async (abortSignal: AbortSignal, again: boolean) => {
      const answer = await this.#service.send({ method: 'GET', url: this.#url, query, abortSignal, again });
      const now = this.#timeOf(answer.headers);
      const records: [Listed, string | undefined][] = [];
      const next = await readBlobList(answer.body, {
        isKnown: (digest) => {
          const listed = this.#listed.get(digest);
          if (listed) records.push([listed, digest]);
          return listed !== undefined;
        },
        found: (blob, digest) => {
          const listed = read(blob, now);
          if (listed) records.push([listed, digest]);
        },
      });
      return { now, next, records };
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

  async #createContainer(): Promise<void> {
    const create = { method: 'PUT', url: this.#url, query: { restype: 'container' } } as const;
    await this.#send('create the container of the records', create, CONTAINER_EXISTS);
  }

  #upload(record: ConnectionRecord, conditions: Readonly<Record<string, string>>) {
    const headers: Record<string, string> = {
      'x-ms-blob-type': 'BlockBlob',
      'content-type': 'application/json',
      ...conditions,
    };
    for (const [name, value] of Object.entries(metadataOf(record))) headers[`x-ms-meta-${name}`] = value;
    return { method: 'PUT', url: this.#blob(record.connection), headers, body: bodyOf(record) } as const;
  }

  #leaseRequest(name: string, action: 'acquire' | 'renew' | 'release', terms: Record<string, string>) {
    const headers = { 'x-ms-lease-action': action, ...terms };
    return { method: 'PUT', url: this.#blob(name), query: { comp: 'lease' }, headers } as const;
  }

  /** One request that is not repeated, and whose response says nothing but that it succeeded. */
  #send<E>(
    what: string,
    request: Omit<BlobRequest, 'abortSignal'>,
    expected: Expected<E>,
  ): Promise<true | E> {
    const work = async (abortSignal: AbortSignal) => {
      await this.#service.send({ ...request, abortSignal });
      return true as const;
    };
    return this.#call(what, work, expected);
  }

  #read<T, E>(
    what: string,
    work: (abortSignal: AbortSignal, again: boolean) => Promise<T>,
    expected: Expected<E>,
  ) {
    const repeating = (abortSignal: AbortSignal) => repeatIfClosed((again) => work(abortSignal, again));
    return this.#call(what, repeating, expected);
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
      throw storageError(thrown, what, this.#url);
    }
  }

  #blob(name: string): string {
    return `${this.#url}/${encodeURIComponent(blobNameOf(name))}`;
  }

  /** The service's clock in milliseconds, from its Date header: whole seconds. */
  #timeOf(headers: BlobResponse['headers']): number {
    const time = Date.parse(headers.get('date') ?? '');
    if (!Number.isNaN(time)) return time;
    throw new RotatorError({
      code: 'storage_unavailable',
      message: `The response of ${this.#url} has no Date header, which the rotator uses as its clock.`,
      fix: 'Check whether a proxy between the rotator and the storage account removes headers.',
    });
  }

  #endless(): RotatorError {
    return new RotatorError({
      code: 'storage_unavailable',
      message: `The list of ${this.#url} has a page that continues with itself.`,
      fix: 'Check whether a proxy between the rotator and the storage account keeps responses.',
    });
  }

  #vanished(): RotatorError {
    return new RotatorError({
      code: 'storage_unavailable',
      message: `The container ${this.#url} disappeared right after the rotator created it.`,
      fix: 'Check whether something deletes containers in the storage account.',
    });
  }
}
