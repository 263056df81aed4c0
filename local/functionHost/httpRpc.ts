import type { RpcHttpData, RpcNullableStrings, RpcTypedData } from './rpc.ts';

/** A request as read from the wire. */
export interface PlainRequest {
  readonly method: string;
  readonly url: URL;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly params: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

/** A response ready for the wire. */
export interface PlainResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

/** The request in the format in which the host sends it to the Node worker: mappings of nullable strings, the body as bytes. */
export function toRpcRequest(request: PlainRequest): RpcTypedData {
  const query = [...new Set(request.url.searchParams.keys())];
  const http: RpcHttpData = {
    method: request.method,
    url: request.url.href,
    nullableHeaders: nullable(Object.entries(request.headers).filter(([, value]) => value !== '')),
    nullableParams: nullable(Object.entries(request.params)),
    // The host joins repeated names with a comma. A handler that needs all values must read them in this form in Azure, too.
    nullableQuery: nullable(query.map((name) => [name, request.url.searchParams.getAll(name)])),
  };
  if (request.body.length > 0) http.body = { bytes: request.body };
  return { http };
}

/** The response that the library made of the handler's result; its body is always bytes. */
export function fromRpcResponse(value: RpcTypedData | null | undefined): PlainResponse {
  const { statusCode, headers = {}, body } = value?.http ?? {};
  return { status: Number(statusCode), headers, body: body?.bytes ?? new Uint8Array() };
}

function nullable(entries: readonly [string, string | readonly string[] | undefined][]): RpcNullableStrings {
  const values = entries.flatMap(([name, value]): [string, { value: string }][] =>
    value === undefined ? [] : [[name, { value: typeof value === 'string' ? value : value.join(',') }]],
  );
  return Object.fromEntries(values);
}
