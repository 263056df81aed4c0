import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { finished } from 'node:stream/promises';
import { forOwnHost } from '../ownHost.ts';
import { readBody } from '../requestBody.ts';
import type { PlainRequest, PlainResponse } from './httpRpc.ts';
import type { Router } from './routes.ts';

/** The largest body that the host reads. */
const MAX_BODY_BYTES = 1024 * 1024;

/** The port that users expect a function host on: Core Tools listen on it. */
const USUAL_PORT = 7071;

/** The host checks no keys, so only this machine may call. */
const LOOPBACK = '127.0.0.1';

/** An HTTP server for the functions. */
export interface HttpListener {
  readonly url: string;
  /** Stops accepting requests and waits until the host has responded to those in flight. */
  close(): Promise<void>;
}

/** Runs the named function for a request. */
export type HttpInvoker = (name: string, request: PlainRequest) => Promise<PlainResponse>;

interface ListenerState {
  closing: boolean;
  readonly underWay: Set<Promise<void>>;
  /** Requests whose body is still arriving. */
  readonly reading: Set<IncomingMessage>;
}

/**
 * Listens on the loopback address.
 * @param port 0 means any free port; undefined means the usual port, or any free port if another program uses that
 * @throws Error if the port is in use
 */
export async function listen(
  port: number | undefined,
  route: Router,
  invoke: HttpInvoker,
): Promise<HttpListener> {
  const state: ListenerState = { closing: false, underWay: new Set(), reading: new Set() };
  const server = createServer(
    forOwnHost((request, response) => {
      const sent = sendResponse(response, state, () => respond(request, state, route, invoke));
      state.underWay.add(sent);
      void sent.finally(() => state.underWay.delete(sent));
    }),
  );
  const listening = startListening(server, port ?? USUAL_PORT);
  await (port === undefined ? listening.catch(() => startListening(server, 0)) : listening);
  const { port: actualPort } = server.address() as AddressInfo;
  return { url: `http://${LOOPBACK}:${actualPort}`, close: () => stopListening(server, state) };
}

async function stopListening(server: Server, state: ListenerState): Promise<void> {
  state.closing = true;
  const closed = server.listening ? once(server, 'close') : undefined;
  server.close();
  // No function runs for these yet, and a client that stalls must not delay the shutdown.
  for (const request of state.reading) request.destroy();
  await Promise.allSettled(state.underWay);
  server.closeAllConnections();
  await closed;
}

async function startListening(server: Server, port: number): Promise<void> {
  server.listen(port, LOOPBACK);
  try {
    await once(server, 'listening');
  } catch (error) {
    throw listenError((error as NodeJS.ErrnoException).code, port);
  }
}

/** What a user can do about a port that the host cannot listen on. */
function listenError(code: string | undefined, port: number): Error {
  const why: Readonly<Record<string, string>> = {
    EADDRINUSE: `Port ${port} is in use; stop the other process or choose another port.`,
    EACCES: `This user may not listen on port ${port} (EACCES); choose a port above 1023.`,
  };
  return new Error(why[code ?? ''] ?? `Cannot listen on port ${port} (${code}); choose another port.`);
}

/** Responds to one request; never rejects. */
async function sendResponse(
  response: ServerResponse,
  state: ListenerState,
  respond: () => Promise<PlainResponse>,
): Promise<void> {
  const sent = finished(response).catch(() => undefined);
  const result = state.closing ? empty(503) : await respond().catch(() => empty(500));
  if (state.closing) response.setHeader('connection', 'close');
  response.statusCode = result.status;
  response.setHeaders(new Map(Object.entries(result.headers)));
  response.end(result.body);
  await sent;
}

async function respond(
  request: IncomingMessage,
  state: ListenerState,
  route: Router,
  invoke: HttpInvoker,
): Promise<PlainResponse> {
  const { method = 'GET', headers } = request;
  const url = requestUrl(request);
  if (url === undefined) return empty(400);
  const match = route(method, url.pathname);
  if (match === undefined) return empty(404);
  state.reading.add(request);
  const body = await readBody(request, MAX_BODY_BYTES).finally(() => state.reading.delete(request));
  if (body === undefined) return empty(413);
  return invoke(match.name, { method, url, headers, params: match.params, body });
}

function requestUrl(request: IncomingMessage): URL | undefined {
  const target = request.url ?? '/';
  // A target such as "//name" is a path here, not another host.
  return URL.parse(`http://${request.headers.host}${target.startsWith('/') ? target : '/'}`) ?? undefined;
}

function empty(status: number): PlainResponse {
  return { status, headers: {}, body: new Uint8Array() };
}
