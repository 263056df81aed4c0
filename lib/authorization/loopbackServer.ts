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
  readonly parameters: Promise<URLSearchParams>;
  close(): Promise<void>;
}

/**
 * @param redirectUri http on a loopback host; without a port, the server uses any free one
 * @throws RotatorError `configuration_invalid` for another address, `authorization_failed` if the server cannot listen there
 */
export async function startLoopbackServer(redirectUri: string): Promise<LoopbackServer> {
  const wanted = readRedirectUri(redirectUri);
  const given = portIn(redirectUri);
  const { promise: parameters, resolve } = Promise.withResolvers<URLSearchParams>();
  const server = createServer((request, response) => receive(request, response, wanted.pathname, resolve));
  const port = await listen(server, wanted.hostname, given ?? Number(wanted.port || 0));
  wanted.port = String(port);
  return {
    // A redirect URI with a port is registered in exactly this form, and providers compare it as text (RFC 6749 section 3.1.2.3).
    redirectUri: given === undefined ? wanted.href : redirectUri.trim(),
    parameters,
    close: async () => {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

/** The page shows nothing of the parameters: only the terminal knows the result of the sign-in. */
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
    .end(
      '<!doctype html><title>Token rotator</title><p>Continue in the terminal. You can close this page.</p>',
    );
  response.on('finish', () => resolve(url.searchParams));
}

function readRedirectUri(redirectUri: string): URL {
  const url = URL.parse(redirectUri);
  if (url?.protocol === 'http:' && isLoopback(url.hostname) && isPlain(url)) return url;
  throw new RotatorError({
    code: 'configuration_invalid',
    message: 'The redirect URI is not a valid http address of this machine.',
    fix: 'Set --redirect-uri to the address that is registered at the provider: http://127.0.0.1/callback or http://localhost:PORT/PATH.',
  });
}

function isPlain({ search, hash, username, password }: URL): boolean {
  return search + hash + username + password === '';
}

/** The port in the text: `URL` omits 80, the default port of http. */
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
      message: `Cannot listen on port ${port} of ${host} (${safeCodeOf(thrown) ?? 'unknown'}).`,
      fix: 'Stop the process that uses the port, or set --redirect-uri to another port that is registered at the provider.',
    });
  }
  return (server.address() as AddressInfo).port;
}
