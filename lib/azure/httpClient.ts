import type { LookupFunction } from 'node:net';
import tls from 'node:tls';
import {
  createDefaultHttpClient,
  type HttpClient,
  type HttpHeaders,
  type PipelineRequest,
  type PipelineResponse,
  RestError,
} from '@azure/core-rest-pipeline';
import { Agent, type Dispatcher } from 'undici';
import { CONNECT_DEADLINE_MS } from '../rotation/core/times.ts';
import { USER_AGENT } from '../userAgent.ts';
import { type AzureResponse, ResponseReader } from './responseReader.ts';

/** Longer than the time between two sweeps of the default schedule, in milliseconds. Azure keeps idle connections for longer. */
const KEEP_ALIVE_MS = 30_000;

/** To one host. Each request of a rotation would have its own otherwise. Fewer than rotations: most of those wait for a token. */
const MOST_CONNECTIONS = 64;

/** undici's codes, and Node's for the same. */
const NODE_CODES: Readonly<Record<string, string>> = {
  UND_ERR_SOCKET: 'ECONNRESET',
  UND_ERR_CONNECT_TIMEOUT: 'ETIMEDOUT',
};

/**
 * Sends the requests of the Azure SDKs with undici, which costs less than their own client does. A request that goes through a proxy is
 * left to theirs. The time limit is that of `withDeadline`, whose signal the request has. All connections trust what Node trusts when this is called.
 * @param lookup resolves host names. Default: Node's own, in which a name that hangs holds up others
 */
export function createHttpClient(lookup?: LookupFunction): HttpClient {
  const options = {
    headersTimeout: 0,
    bodyTimeout: 0,
    keepAliveTimeout: KEEP_ALIVE_MS,
    connections: MOST_CONNECTIONS,
    // Where HTTP/2 is possible, undici waits for the first connection before it opens another.
    allowH2: false,
    connect: {
      // undici keeps what was given up behind connections that hang, so these must end soon.
      timeout: CONNECT_DEADLINE_MS,
      // Each connection would have a copy of what is trusted otherwise, which is a fifth of its memory.
      secureContext: tls.createSecureContext(),
      ...(lookup && { lookup }),
    },
  };
  const agent = new Agent(options);
  const throughProxy = createDefaultHttpClient();
  return {
    sendRequest: async (request) => {
      if (request.agent) return throughProxy.sendRequest(request);
      if (!request.disableKeepAlive) return send(request, agent);
      const single = new Agent(options);
      return send(request, single).finally(() => void single.close());
    },
  };
}

/** The address was parsed before, so its two parts need no second parser. */
const ADDRESS = /^(https?:\/\/[^/?#]+)([^#]*)/;

async function send(request: PipelineRequest, dispatcher: Dispatcher): Promise<PipelineResponse> {
  const [, origin = '', path = ''] = ADDRESS.exec(request.url) ?? [];
  if (!origin.startsWith('https:') && !request.allowInsecureConnection)
    throw new Error(`${origin} is not https, and allowInsecureConnection is not set.`);
  const abortSignal = request.abortSignal as AbortSignal | undefined;
  const reader = new ResponseReader(
    abortSignal,
    (code) => request.streamResponseStatusCodes?.has(code) ?? false,
  );
  const options = {
    origin,
    path: path.startsWith('/') ? path : `/${path}`,
    method: request.method,
    headers: { 'user-agent': USER_AGENT, ...request.headers.toJSON() },
    // What the adapters send are texts.
    body: (request.body as string | undefined) ?? null,
  };
  try {
    if (!abortSignal?.aborted) dispatcher.dispatch(options, reader);
    const { status, headers, text, body } = await reader.result;
    return {
      status,
      headers: new ResponseHeaders(headers),
      request,
      ...(body ? { readableStreamBody: body } : { bodyAsText: text }),
    };
  } catch (thrown) {
    if (abortSignal?.aborted) throw thrown;
    const { message, code = RestError.REQUEST_SEND_ERROR } = thrown as NodeJS.ErrnoException;
    throw new RestError(message, { code: NODE_CODES[code] ?? code, request });
  }
}

/** Headers as undici has read them, with names in lower case, and not a copy of them. The first of several with the same name counts. */
class ResponseHeaders implements HttpHeaders {
  readonly #read: AzureResponse['headers'];

  constructor(read: AzureResponse['headers']) {
    this.#read = read;
  }

  get(name: string): string | undefined {
    const key = name.toLowerCase();
    const value = Object.hasOwn(this.#read, key) ? this.#read[key] : undefined;
    return (Array.isArray(value) ? value[0] : value)?.trim();
  }

  has(name: string): boolean {
    return this.get(name) !== undefined;
  }

  set(name: string, value: string | number | boolean): void {
    this.#read[name.toLowerCase()] = String(value);
  }

  delete(name: string): void {
    delete this.#read[name.toLowerCase()];
  }

  toJSON(): Record<string, string> {
    const all: Record<string, string> = {};
    for (const name of Object.keys(this.#read)) all[name] = this.get(name) ?? '';
    return all;
  }

  [Symbol.iterator](): IterableIterator<[string, string]> {
    return Object.entries(this.toJSON())[Symbol.iterator]();
  }
}
