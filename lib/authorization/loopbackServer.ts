import { once } from 'node:events';
import { createServer, type Server, type ServerResponse } from 'node:http';
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
  /** The parameters of the first request to the redirect URI that belongs to this sign-in. */
  readonly parameters: Promise<URLSearchParams>;
  /** Whether a request came that belongs to another sign-in. */
  readonly ignored: boolean;
  close(): Promise<void>;
}

/**
 * Every program and every web page on this machine can send a request here. Only a GET with the `state` of the sign-in counts,
 * which only the provider knows (RFC 6749 section 10.12). Any other request gets an error page, and the server continues to wait.
 * @param redirectUri http on a loopback host; without a port, the server uses any free one
 * @param state the `state` of the authorization request
 * @throws RotatorError `configuration_invalid` for another address, `authorization_failed` if the server cannot listen there
 */
export async function startLoopbackServer(redirectUri: string, state: string): Promise<LoopbackServer> {
  const wanted = readRedirectUri(redirectUri);
  const given = portIn(redirectUri);
  const { promise: parameters, resolve } = Promise.withResolvers<URLSearchParams>();
  let ignored = false;
  const server = createServer((request, response) => {
    const url = URL.parse(`http://${request.headers.host}${request.url}`);
    if (url?.host !== wanted.host || url.pathname !== wanted.pathname || request.method !== 'GET')
      return respond(response, 404, 'There is nothing here.');
    const { searchParams } = url;
    if (String(searchParams.getAll('state')) !== state) {
      ignored = true;
      return respond(response, 400, 'The command ignored this page: it belongs to another sign-in.');
    }
    respond(response, 200, 'Continue in the terminal. You can close this page.');
    response.on('finish', () => resolve(searchParams));
  });
  const port = await listen(server, wanted.hostname, given ?? Number(wanted.port || 0));
  wanted.port = String(port);
  return {
    // A redirect URI with a port is registered in exactly this form, and providers compare it as text (RFC 6749 section 3.1.2.3).
    redirectUri: given === undefined ? wanted.href : redirectUri.trim(),
    parameters,
    get ignored() {
      return ignored;
    },
    close: async () => {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

/** The page shows nothing of the parameters: only the terminal knows the result of the sign-in. */
function respond(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, HEADERS).end(`<!doctype html><title>Token rotator</title><p>${text}</p>`);
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
