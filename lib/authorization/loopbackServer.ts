import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { RotatorError } from '../errors.ts';
import { isLoopback } from '../loopback.ts';
import { safeCodeOf } from '../safeText.ts';

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
  const given = portIn(redirectUri);
  const { promise: answer, resolve } = Promise.withResolvers<URLSearchParams>();
  const server = createServer((request, response) => receive(request, response, wanted.pathname, resolve));
  const port = await listen(server, wanted.hostname, given ?? Number(wanted.port || 0));
  wanted.port = String(port);
  return {
    // With its port it is registered as it stands, and providers compare it as text (RFC 6749 section 3.1.2.3).
    redirectUri: given === undefined ? wanted.href : redirectUri.trim(),
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
  if (url?.protocol === 'http:' && isLoopback(url.hostname) && isPlain(url)) return url;
  throw new RotatorError({
    code: 'configuration_invalid',
    message: 'The redirect URI is no http address of this machine.',
    fix: 'Give --redirect-uri as it is registered at the provider: http://127.0.0.1/callback or http://localhost:PORT/PATH.',
  });
}

function isPlain({ search, hash, username, password }: URL): boolean {
  return search + hash + username + password === '';
}

/** The port in the text: `URL` leaves out 80, the one that http has by default. */
function portIn(address: string): number | undefined {
  const port = /^\s*http:\/\/[^/?#]*:(\d+)\s*(?:\/|$)/i.exec(address)?.[1];
  return Number(port ?? 0) || undefined;
}

async function listen(server: Server, hostname: string, port: number): Promise<number> {
  const host = hostname === '[::1]' ? '::1' : hostname === 'localhost' ? '127.0.0.1' : hostname;
  try {
    server.listen(port, host);
    await once(server, 'listening');
  } catch (thrown) {
    throw new RotatorError({
      code: 'authorization_failed',
      message: `Port ${port} of ${host} cannot be listened to (${safeCodeOf(thrown) ?? 'unknown'}).`,
      fix: 'End what uses the port, or give --redirect-uri another one that is registered at the provider.',
    });
  }
  return (server.address() as AddressInfo).port;
}
