import type { RpcHttpData, RpcNullableStrings, RpcTypedData } from './rpc.ts';

/** A request as read from the wire. */
export interface PlainRequest {
  readonly method: string;
  readonly url: URL;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly params: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

/** An answer ready for the wire. */
export interface PlainResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

/** Headers that belong to the connection, not to the answer; the server sets its own. */
const CONNECTION_HEADERS = new Set([
  'connection',
  'content-length',
  'keep-alive',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/** The request as the host sends it to the Node worker: mappings of nullable strings, the body as bytes. */
export function toRpcRequest(request: PlainRequest): RpcTypedData {
  const query = [...new Set(request.url.searchParams.keys())];
  const http: RpcHttpData = {
    method: request.method,
    url: request.url.href,
    nullableHeaders: nullable(Object.entries(request.headers).filter(([, value]) => value !== '')),
    nullableParams: nullable(Object.entries(request.params)),
    // The host joins repeated names by a comma; a handler that is to read them all must read them so in Azure, too.
    nullableQuery: nullable(query.map((name) => [name, request.url.searchParams.getAll(name)])),
  };
  if (request.body.length > 0) http.body = { bytes: request.body };
  return { http };
}

/** The answer that the library made of the handler's result; a handler that returned nothing means 204. */
export function fromRpcResponse(value: RpcTypedData | null | undefined): PlainResponse {
  const http = value?.http;
  if (http === undefined || http === null) return { status: 204, headers: {}, body: new Uint8Array() };
  if ((http.cookies ?? []).length > 0) throw new Error('The local host does not write cookies.');
  const headers = Object.entries(http.headers ?? {}).filter(
    ([name]) => !CONNECTION_HEADERS.has(name.toLowerCase()),
  );
  return {
    status: Number(http.statusCode ?? 200),
    headers: Object.fromEntries(headers),
    body: toBytes(http.body),
  };
}

function nullable(entries: readonly [string, string | readonly string[] | undefined][]): RpcNullableStrings {
  const values = entries.flatMap(([name, value]): [string, { value: string }][] =>
    value === undefined ? [] : [[name, { value: typeof value === 'string' ? value : value.join(',') }]],
  );
  return Object.fromEntries(values);
}

function toBytes(body: RpcTypedData | null | undefined): Uint8Array {
  const bytes = body?.bytes ?? body?.stream;
  if (bytes !== undefined && bytes !== null) return bytes;
  return Buffer.from(body?.string ?? body?.json ?? '');
}
