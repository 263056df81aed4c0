import { randomUUID } from 'node:crypto';
import type { IncomingMessage, RequestListener, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { forOwnHost } from '../ownHost.ts';
import type { VaultResponse } from './types.ts';

/** The interface that local servers listen on: other machines cannot reach them. */
export const LOOPBACK = '127.0.0.1';

/** The address that the caller used; the service builds ids and links from it. */
export function baseUrlOf(request: IncomingMessage): string {
  const scheme = 'encrypted' in request.socket ? 'https' : 'http';
  return `${scheme}://${request.headers.host}`;
}

/** Sends a response. */
export function sendResponse(
  request: IncomingMessage,
  response: ServerResponse,
  vaultResponse: VaultResponse,
): void {
  const clientRequestId = request.headers['x-ms-client-request-id'];
  response.statusCode = vaultResponse.status;
  response.setHeader('cache-control', 'no-cache');
  response.setHeader('x-content-type-options', 'nosniff');
  response.setHeader('x-ms-request-id', randomUUID());
  if (typeof clientRequestId === 'string') response.setHeader('x-ms-client-request-id', clientRequestId);
  if (vaultResponse.body !== undefined) response.setHeader('content-type', 'application/json; charset=utf-8');
  for (const [name, value] of Object.entries(vaultResponse.headers ?? {})) response.setHeader(name, value);
  response.end(
    typeof vaultResponse.body === 'string' ? vaultResponse.body : JSON.stringify(vaultResponse.body),
  );
}

/** Listens on a free port of the loopback interface and returns it. */
export function listen(server: Server): Promise<number> {
  // Longer than clients keep connections in their pools: a race for a closing connection would look like a fault.
  server.keepAliveTimeout = 65_000;
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, LOOPBACK, () => {
      server.off('error', reject);
      resolve((server.address() as AddressInfo).port);
    });
  });
}

/** Stops listening and cuts the open connections. */
export function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}

/** A listener for an async handler, for requests to this machine. An error that the handler does not catch cuts the connection. */
export function listenerOf(
  handle: (request: IncomingMessage, response: ServerResponse) => Promise<void>,
): RequestListener {
  return forOwnHost((request, response) => {
    handle(request, response).catch(() => response.destroy());
  });
}
