import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { closeServer, LOOPBACK, listen } from '../../local/keyVault/http.ts';

/** What the bench needs to know and to set. */
export interface BlobServerOptions {
  /** Key and certificate, PEM. Without them, the server speaks plain HTTP. */
  readonly tls?: { readonly key: string; readonly cert: string };
  /** Clock in milliseconds. */
  readonly now: () => number;
  /** Of each response, in milliseconds. */
  readonly latencyMs?: () => number;
}

/** A storage account in memory. */
export interface BlobServer {
  /** With an account key that the server does not check. */
  readonly connectionString: string;
  /** Its origin, for those who send tokens. The server does not check them either. */
  readonly url: string;
  /** How many requests of each kind came since the last call. */
  takeCounts(): Record<string, number>;
  /** Stores a blob as if it had been uploaded. */
  put(container: string, name: string, body: string, metadata: Readonly<Record<string, string>>): void;
  close(): Promise<void>;
}

interface Blob {
  readonly body: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly changedAt: number;
  lease?: { readonly id: string; endsAt: number } | undefined;
}

interface Answer {
  readonly status: number;
  readonly code?: string;
  readonly headers?: Record<string, string>;
  readonly body?: string;
}

const ACCOUNT = 'bench';
const LEASE_MS = 15_000;
const METADATA = 'x-ms-meta-';

/**
 * The part of Blob Storage that the record store uses, without the cost of Azurite, which would be what a benchmark measures. It passes the
 * same contract tests.
 */
export async function startBlobServer({
  tls,
  now,
  latencyMs = () => 0,
}: BlobServerOptions): Promise<BlobServer> {
  const containers = new Map<string, Map<string, Blob>>();
  const counts: Record<string, number> = {};
  const serve = async (request: IncomingMessage, response: ServerResponse) => {
    const body = await text(request);
    if (latencyMs() > 0) await sleep(latencyMs());
    const [kind, answer] = answerTo(request, body, containers, now());
    counts[kind] = (counts[kind] ?? 0) + 1;
    const { status, code, headers = {}, body: sent = '' } = answer;
    response.writeHead(status, {
      date: new Date(now()).toUTCString(),
      'x-ms-version': '2026-02-06',
      'content-length': Buffer.byteLength(sent),
      ...(code !== undefined && { 'x-ms-error-code': code }),
      ...headers,
    });
    response.end(sent);
  };
  const listener = (request: IncomingMessage, response: ServerResponse) => void serve(request, response);
  const server = tls ? createTlsServer(tls, listener) : createServer(listener);
  const port = await listen(server);
  const scheme = tls ? 'https' : 'http';
  return {
    url: `${scheme}://${LOOPBACK}:${port}`,
    connectionString: [
      `DefaultEndpointsProtocol=${scheme}`,
      `AccountName=${ACCOUNT}`,
      `AccountKey=${Buffer.from(ACCOUNT).toString('base64')}`,
      `BlobEndpoint=${scheme}://${LOOPBACK}:${port}`,
    ].join(';'),
    takeCounts: () => {
      const taken = { ...counts };
      for (const kind of Object.keys(counts)) delete counts[kind];
      return taken;
    },
    put: (container, name, body, metadata) => {
      const blobs = containers.get(container) ?? new Map<string, Blob>();
      containers.set(container, blobs.set(name, { body, metadata, changedAt: now() }));
    },
    close: () => closeServer(server),
  };
}

/** @returns the kind of the request, for the counts, and the response */
function answerTo(
  { method, url, headers }: IncomingMessage,
  body: string,
  containers: Map<string, Map<string, Blob>>,
  now: number,
): readonly [string, Answer] {
  const { pathname, searchParams } = new URL(url ?? '/', 'https://any');
  const [, container = '', ...rest] = pathname.split('/').map(decodeURIComponent);
  const name = rest.join('/');
  const blobs = containers.get(container);
  if (name === '' && method === 'PUT') {
    if (!blobs) containers.set(container, new Map());
    return ['create container', blobs ? { status: 409, code: 'ContainerAlreadyExists' } : { status: 201 }];
  }
  if (!blobs) return ['no container', { status: 404, code: 'ContainerNotFound' }];
  if (name === '') return ['list', { status: 200, body: page(blobs, searchParams, now), headers: XML }];
  const blob = blobs.get(name);
  const action = headers['x-ms-lease-action'];
  if (action !== undefined) return [`lease: ${action}`, leased(blob, String(action), headers, now)];
  if (method === 'GET') return ['read', blob ? read(blob) : { status: 404, code: 'BlobNotFound' }];
  const refusal = refusalOf(blob, headers, now);
  if (refusal) return ['refused', refusal];
  if (method === 'DELETE') blobs.delete(name);
  else {
    // A lease that has expired cannot be renewed once the blob was written without it.
    const lease = isLeased(blob, now) ? blob?.lease : undefined;
    blobs.set(name, { body, metadata: metadataIn(headers), changedAt: now, lease });
  }
  return [blob ? 'write' : 'create', { status: method === 'DELETE' ? 202 : 201, headers: stamps(now) }];
}

const XML = { 'content-type': 'application/xml' };

function stamps(changedAt: number): Record<string, string> {
  return { etag: `"${changedAt}"`, 'last-modified': new Date(changedAt).toUTCString() };
}

function read({ body, metadata, changedAt }: Blob): Answer {
  const named = Object.entries(metadata).map(([key, value]) => [`${METADATA}${key}`, value]);
  return { status: 200, body, headers: { ...stamps(changedAt), ...Object.fromEntries(named) } };
}

function isLeased(blob: Blob | undefined, now: number): boolean {
  return blob?.lease !== undefined && blob.lease.endsAt > now;
}

function leased(
  blob: Blob | undefined,
  action: string,
  headers: IncomingMessage['headers'],
  now: number,
): Answer {
  if (!blob) return { status: 404, code: 'BlobNotFound' };
  const given = headers['x-ms-lease-id'];
  if (action === 'acquire') {
    if (isLeased(blob, now)) return { status: 409, code: 'LeaseAlreadyPresent' };
    const id = String(headers['x-ms-proposed-lease-id'] ?? randomUUID());
    blob.lease = { id, endsAt: now + LEASE_MS };
    return { status: 201, headers: { ...stamps(blob.changedAt), 'x-ms-lease-id': id } };
  }
  if (action === 'break') {
    blob.lease = undefined;
    return { status: 202, headers: { ...stamps(blob.changedAt), 'x-ms-lease-time': '0' } };
  }
  if (blob.lease?.id !== given) return { status: 409, code: 'LeaseIdMismatchWithLeaseOperation' };
  if (action === 'renew') blob.lease = { id: String(given), endsAt: now + LEASE_MS };
  else blob.lease = undefined;
  return { status: 200, headers: { ...stamps(blob.changedAt), 'x-ms-lease-id': String(given) } };
}

/** Why a write is refused: its conditions, and the lease. */
function refusalOf(
  blob: Blob | undefined,
  headers: IncomingMessage['headers'],
  now: number,
): Answer | undefined {
  const given = headers['x-ms-lease-id'];
  if (headers['if-none-match'] === '*' && blob) return { status: 409, code: 'BlobAlreadyExists' };
  if (headers['if-match'] === '*' && !blob) return { status: 412, code: 'ConditionNotMet' };
  if (isLeased(blob, now) && given === undefined) return { status: 412, code: 'LeaseIdMissing' };
  if (given !== undefined && !isLeased(blob, now))
    return { status: 412, code: 'LeaseNotPresentWithBlobOperation' };
  if (given !== undefined && blob?.lease?.id !== given)
    return { status: 412, code: 'LeaseIdMismatchWithBlobOperation' };
  return undefined;
}

function metadataIn(headers: IncomingMessage['headers']): Record<string, string> {
  const named = Object.entries(headers).filter(([name]) => name.startsWith(METADATA));
  return Object.fromEntries(named.map(([name, value]) => [name.slice(METADATA.length), String(value)]));
}

function page(blobs: ReadonlyMap<string, Blob>, query: URLSearchParams, now: number): string {
  const most = Number(query.get('maxresults') ?? 5_000);
  const from = Number(query.get('marker') ?? 0);
  const shown = [...blobs].slice(from, from + most).map(([name, blob]) => {
    const { metadata, changedAt } = blob;
    const entries = Object.entries(metadata).map(([key, value]) => `<${key}>${escaped(value)}</${key}>`);
    const state = isLeased(blob, now) ? 'leased' : 'available';
    const modified = new Date(changedAt).toUTCString();
    return `<Blob><Name>${escaped(name)}</Name><Properties><Creation-Time>${modified}</Creation-Time><Last-Modified>${modified}</Last-Modified><Etag>0x8DE2C${changedAt.toString(16)}</Etag><Content-Length>900</Content-Length><Content-Type>application/json</Content-Type><Content-Encoding /><Content-Language /><Content-CRC64 /><Content-MD5>AAAAAAAAAAAAAAAAAAAAAA==</Content-MD5><Cache-Control /><Content-Disposition /><BlobType>BlockBlob</BlobType><AccessTier>Hot</AccessTier><AccessTierInferred>true</AccessTierInferred><LeaseStatus>${state === 'leased' ? 'locked' : 'unlocked'}</LeaseStatus><LeaseState>${state}</LeaseState><ServerEncrypted>true</ServerEncrypted></Properties><Metadata>${entries.join('')}</Metadata><OrMetadata /></Blob>`;
  });
  const next = from + most < blobs.size ? `<NextMarker>${from + most}</NextMarker>` : '<NextMarker />';
  return `<?xml version="1.0" encoding="utf-8"?><EnumerationResults ServiceEndpoint="https://any/" ContainerName="records"><MaxResults>${most}</MaxResults><Blobs>${shown.join('')}</Blobs>${next}</EnumerationResults>`;
}

function escaped(value: string): string {
  return value.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
}
