import type { TokenCredential } from '@azure/identity';
import {
  BlobClient,
  BlobServiceClient,
  type ContainerClient,
  type StoragePipelineOptions,
} from '@azure/storage-blob';
import { RotatorError } from '../errors.ts';
import { readLimited } from '../readLimited.ts';
import { withDeadline } from './deadline.ts';
import { repeatIfClosed } from './repeatRead.ts';
import { readFailure } from './serviceFailure.ts';
import { storageError } from './storageErrors.ts';

/** The container that holds the records and nothing else. */
const RECORD_CONTAINER = 'token-rotator-records';

const CONFIGURATION_TIMEOUT_MS = 10_000;
/** A larger blob is refused. */
export const LARGEST_CONFIGURATION_BYTES = 4 * 1024 * 1024;
/** The domain of blobs in each cloud: a token for storage is sent nowhere else. */
const BLOB_DOMAINS = [
  '.blob.core.windows.net',
  '.blob.storage.azure.net',
  '.blob.core.usgovcloudapi.net',
  '.blob.core.chinacloudapi.cn',
];

/** The storage account of the record store, as the settings of the Functions host name it. */
export type StorageLocation =
  | { readonly kind: 'connectionString'; readonly connectionString: string }
  | {
      readonly kind: 'identity';
      /** `https://ACCOUNT.blob.core.windows.net` */
      readonly blobServiceUrl: string;
      /** Client id of the managed identity for storage; the caller uses it to create the credential. */
      readonly clientId?: string;
    };

/**
 * The container of the records; nothing is sent.
 * @param credential used for the kind `identity` only
 * @throws RotatorError `configuration_invalid` if the connection string is not valid
 */
export function createRecordContainer(
  storage: StorageLocation,
  credential: TokenCredential,
): ContainerClient {
  return blobService(storage, credential).getContainerClient(RECORD_CONTAINER);
}

/**
 * Reads the blob with the connections, with one request, and one more if the connection was closed.
 * @param url address of the blob; with a connection string it must be of the same account
 * @param etag the ETag of the last read
 * @returns `unchanged` if the blob still has that ETag
 * @throws RotatorError `configuration_invalid` (no such blob, over 4 MB, not text, address not allowed), `storage_*`
 */
export async function readConfigurationBlob(
  url: string,
  storage: StorageLocation,
  credential: TokenCredential,
  etag?: string,
): Promise<{ readonly text: string; readonly etag: string } | 'unchanged'> {
  const blob = blobAt(url, storage, credential);
  const conditions = etag === undefined ? {} : { ifNoneMatch: etag };
  try {
    const download = async (abortSignal: AbortSignal) => {
      const answer = await blob.download(0, undefined, { abortSignal, conditions, maxRetryRequests: 0 });
      const body = await readLimited(answer.readableStreamBody, LARGEST_CONFIGURATION_BYTES);
      return { text: textOf(body, url), etag: answer.etag ?? '' };
    };
    const read = (abortSignal: AbortSignal) => repeatIfClosed(() => download(abortSignal));
    return await withDeadline(CONFIGURATION_TIMEOUT_MS, read);
  } catch (thrown) {
    const { status } = readFailure(thrown);
    if (status === 304) return 'unchanged';
    if (status === 404)
      throw invalid(`There is no blob at ${url}.`, 'Upload the connections there, or correct CONNECTIONS.');
    throw storageError(thrown, 'read the connections', url);
  }
}

/** The protocol has its own retries, under a lease that a retry here could outlive. A new object each time, because the client writes to it. */
function pipelineOptions(): StoragePipelineOptions {
  return { retryOptions: { maxTries: 1 } };
}

function blobService(storage: StorageLocation, credential: TokenCredential): BlobServiceClient {
  if (storage.kind === 'identity') {
    return new BlobServiceClient(storage.blobServiceUrl, credential, pipelineOptions());
  }
  try {
    return BlobServiceClient.fromConnectionString(storage.connectionString, pipelineOptions());
  } catch {
    throw invalid(
      'The storage connection string cannot be read.',
      'Copy it again from the access keys of the storage account to AzureWebJobsStorage.',
    );
  }
}

function blobAt(address: string, storage: StorageLocation, credential: TokenCredential): BlobClient {
  const service = blobService(storage, credential);
  const account = new URL(service.url);
  const url = URL.canParse(address) ? new URL(address) : undefined;
  if (!url || url.search || url.hash || url.username || url.password) {
    throw invalid(
      'CONNECTIONS is not the plain address of a blob.',
      'Set CONNECTIONS to an address without user, query and fragment: the rotator adds its own credentials.',
    );
  }
  if (storage.kind === 'connectionString') return blobOfAccount(url, service, account);
  const known = url.host === account.host || BLOB_DOMAINS.some((domain) => url.hostname.endsWith(domain));
  if (url.protocol === 'https:' && known) return new BlobClient(url.href, credential, pipelineOptions());
  throw invalid(
    `${url.origin} is not a blob service, so the rotator sends no token to it.`,
    'Set CONNECTIONS to the https address of a blob in Azure Storage.',
  );
}

function blobOfAccount(url: URL, service: BlobServiceClient, account: URL): BlobClient {
  const base = account.pathname.replace(/\/*$/, '/');
  const [container, ...path] = url.pathname.slice(base.length).split('/').map(decoded);
  const name = path.join('/');
  if (url.origin === account.origin && url.pathname.startsWith(base) && container && name) {
    return service.getContainerClient(container).getBlobClient(name);
  }
  throw invalid(
    `${url.origin}${url.pathname} is not a blob of the account in the connection string.`,
    `Set CONNECTIONS to a blob of that account, below ${account.origin}${base}.`,
  );
}

function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}

function textOf(body: Buffer | undefined, url: string): string {
  if (!body)
    throw invalid(
      `The blob at ${url} has more than 4 MB.`,
      'Set CONNECTIONS to the blob with the connections.',
    );
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(body);
  } catch {
    throw invalid(`The blob at ${url} is not UTF-8 text.`, 'Save the connections as UTF-8.');
  }
}

function invalid(message: string, fix: string): RotatorError {
  return new RotatorError({ code: 'configuration_invalid', message, fix });
}
