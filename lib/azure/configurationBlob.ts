import { RotatorError } from '../errors.ts';
import { readLimited } from '../readLimited.ts';
import { BlobService, type StorageAccess } from './blobService.ts';
import { withDeadline } from './deadline.ts';
import { repeatIfClosed } from './repeatRead.ts';
import { readFailure } from './serviceFailure.ts';
import { storageError } from './storageErrors.ts';

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

/**
 * Reads the blob with the connections, with one request, and one more if the connection was closed.
 * @param url address of the blob; with a connection string it must be of the same account
 * @param etag the ETag of the last read
 * @returns `unchanged` if the blob still has that ETag
 * @throws RotatorError `configuration_invalid` (no such blob, over 4 MB, not text, address not allowed), `storage_*`
 */
export async function readConfigurationBlob(
  url: string,
  access: StorageAccess,
  etag?: string,
): Promise<{ readonly text: string; readonly etag: string } | 'unchanged'> {
  const service = new BlobService(access);
  const blobUrl = blobAt(url, access, service);
  const headers = etag === undefined ? {} : { 'if-none-match': etag };
  try {
    const download = async (abortSignal: AbortSignal, again: boolean) => {
      const request = { method: 'GET', url: blobUrl, headers, abortSignal, again } as const;
      const answer = await service.send(request);
      const body = await readLimited(answer.body, LARGEST_CONFIGURATION_BYTES);
      return { text: textOf(body, url), etag: answer.headers.get('etag') ?? '' };
    };
    const read = (abortSignal: AbortSignal) => repeatIfClosed((again) => download(abortSignal, again));
    return await withDeadline(CONFIGURATION_TIMEOUT_MS, read);
  } catch (thrown) {
    const { status } = readFailure(thrown);
    if (status === 304) return 'unchanged';
    if (status === 404)
      throw invalid(`There is no blob at ${url}.`, 'Upload the connections there, or correct CONNECTIONS.');
    throw storageError(thrown, 'read the connections', url);
  }
}

/** @returns the address to send to */
function blobAt(address: string, { location }: StorageAccess, service: BlobService): string {
  const account = new URL(service.url);
  const url = URL.parse(address);
  if (!url || url.search || url.hash || url.username || url.password) {
    throw invalid(
      'CONNECTIONS is not the plain address of a blob.',
      'Set CONNECTIONS to an address without user, query and fragment: the rotator adds its own credentials.',
    );
  }
  if (location.kind === 'connectionString') {
    const base = account.pathname.replace(/\/*$/, '/');
    const [container, ...name] = url.pathname.slice(base.length).split('/');
    if (url.origin === account.origin && url.pathname.startsWith(base) && container && name.join('/'))
      return `${service.url}/${[container, ...name].map(encoded).join('/')}`;
    throw invalid(
      `${url.origin}${url.pathname} is not a blob of the account in the connection string.`,
      `Set CONNECTIONS to a blob of that account, below ${account.origin}${base}.`,
    );
  }
  const known = url.host === account.host || BLOB_DOMAINS.some((domain) => url.hostname.endsWith(domain));
  if (url.protocol === 'https:' && known)
    return `${url.origin}${url.pathname.split('/').map(encoded).join('/')}`;
  throw invalid(
    `${url.origin} is not a blob service, so the rotator sends no token to it.`,
    'Set CONNECTIONS to the https address of a blob in Azure Storage.',
  );
}

/** A segment of a path as it must be sent: an address may have been written by hand. */
function encoded(segment: string): string {
  try {
    return encodeURIComponent(decodeURIComponent(segment));
  } catch {
    return encodeURIComponent(segment);
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
