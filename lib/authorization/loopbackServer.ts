import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { RotatorError } from '../errors.ts';
import { isLoopback } from '../loopback.ts';

const HEADERS = {
  'content-type': 'text/html; charset=utf-8',
  'cache-control': 'no-store',
  'content-security-policy': "default-src 'none'",
  'referrer-policy': 'no-referrer',
  connection: 'close',
};

/** Waits on this machine for the browser to come back (RFC 8252 section 7.3). */
export interface LoopbackServer {
  readonly redirectUri: string;
  /** The parameters of the first request to the redirect URI. */
  readonly answer: Promise<URLSearchParams>;
  close(): Promise<void>;
}

/**
 * @param redirectUri http on a loopback host; without a port any free one is taken
 * @throws RotatorError `configuration_invalid` for another address, `authorization_failed` where it cannot listen there
 */
export async function startLoopbackServer(redirectUri: string): Promise<LoopbackServer> {
  const wanted = readRedirectUri(redirectUri);
  const { promise: answer, resolve } = Promise.withResolvers<URLSearchParams>();
  const server = createServer((request, response) => receive(request, response, wanted.pathname, resolve));
  const port = await listen(server, wanted);
  wanted.port = String(port);
  return {
    redirectUri: wanted.href,
    answer,
    close: async () => {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

/** Whatever the parameters say, the page tells nothing of them: what came of the sign-in is decided in the terminal. */
function receive(
  request: IncomingMessage,
  response: ServerResponse,
  path: string,
  resolve: (parameters: URLSearchParams) => void,
): void {
  const url = URL.parse(`http://localhost${request.url}`);
  if (url?.pathname !== path || request.method !== 'GET') {
    response.writeHead(404, HEADERS).end();
    return;
  }
  response
    .writeHead(200, HEADERS)
    .end('<!doctype html><title>Token rotator</title><p>Go on in the terminal. This page can be closed.</p>');
  response.on('finish', () => resolve(url.searchParams));
}

function readRedirectUri(redirectUri: string): URL {
  const url = URL.parse(redirectUri);
  if (url?.protocol === 'http:' && isLoopback(url.hostname) && !url.search && !url.hash) return url;
  throw new RotatorError({
    code: 'configuration_invalid',
    message: 'The redirect URI is no http address of this machine.',
    fix: 'Give --redirect-uri as it is registered at the provider: http://127.0.0.1/callback or http://localhost:PORT/PATH.',
  });
}

async function listen(server: Server, { hostname, port }: URL): Promise<number> {
  const host = hostname === '[::1]' ? '::1' : hostname === 'localhost' ? '127.0.0.1' : hostname;
  try {
    server.listen(Number(port || 0), host);
    await once(server, 'listening');
  } catch (thrown) {
    throw new RotatorError({
      code: 'authorization_failed',
      message: `Port ${port} of ${host} cannot be listened to (${(thrown as NodeJS.ErrnoException).code}).`,
      fix: 'End what uses the port, or give --redirect-uri another one that is registered at the provider.',
    });
  }
  return (server.address() as AddressInfo).port;
}
