import { createServer, type IncomingMessage, type ServerResponse, request as sendHttp } from 'node:http';
import { type AddressInfo, connect, createServer as createTcpServer, type Socket } from 'node:net';
import tls from 'node:tls';
import { inspect } from 'node:util';
import type { TokenCredential } from '@azure/identity';
import { expect, onTestFinished } from 'vitest';
import type { RotatorError } from '../../../lib/errors.ts';
import type { KeyVaultOptions } from '../../../local/keyVault/server.ts';
import { startVault, type TestVault } from '../../local/keyVault/support.ts';
import { errorOf as ownErrorOf } from '../../support/thrown.ts';

/** A secret value that must never appear in an error. */
export const CANARY = 'canary-4f1d2c9e-value';

/** A credential whose token the test vaults accept. */
export function tokenOf(token: string): TokenCredential {
  return { getToken: async () => ({ token, expiresOnTimestamp: Date.now() + 3_600_000 }) };
}

/** A vault whose certificate this process trusts, so that the adapter needs no option for it. */
export async function startTrustedVault(options: Partial<KeyVaultOptions> = {}): Promise<TestVault> {
  const vault = await startVault(options);
  tls.setDefaultCACertificates([...tls.getCACertificates('default'), vault.ca]);
  return vault;
}

/** The error of a call that must fail, after checking that no part of it contains the canary. */
export async function errorOf(call: Promise<unknown>): Promise<RotatorError> {
  const error = await ownErrorOf(call);
  const everything = [
    inspect(error, { depth: Number.POSITIVE_INFINITY, showHidden: true, getters: true }),
    JSON.stringify(error),
    String(error.stack),
  ].join('\n');
  expect(everything).not.toContain(CANARY);
  expect(error.cause).toBeUndefined();
  return error;
}

/** Handles a request in place of the service; undefined forwards it. */
export type ProxyFault = (
  request: IncomingMessage,
  response: ServerResponse,
) => 'handled' | undefined | Promise<'handled' | undefined>;

/** A proxy in front of a blob service that counts requests and can misbehave. */
export interface Proxy {
  readonly connectionString: string;
  readonly url: string;
  /** Method and path with query of each request. */
  readonly requests: string[];
  fault(hook: ProxyFault | undefined): void;
}

/** Starts a proxy that ends with the test. */
export async function startProxy(target: {
  connectionString: string;
  blobServiceUrl: string;
}): Promise<Proxy> {
  const { hostname, port, pathname } = new URL(target.blobServiceUrl);
  const requests: string[] = [];
  let hook: ProxyFault | undefined;
  const server = createServer(async (request, response) => {
    requests.push(`${request.method} ${request.url}`);
    if ((await hook?.(request, response)) === 'handled') return;
    const { method = 'GET', url = '/', headers } = request;
    const forward = sendHttp({ hostname, port, method, path: url, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 0, answer.headers);
      answer.pipe(response);
    });
    forward.on('error', () => response.destroy());
    request.pipe(forward);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}${pathname}`;
  return {
    connectionString: target.connectionString.replace(target.blobServiceUrl, url),
    url,
    requests,
    fault: (next) => {
      hook = next;
    },
  };
}

/** Passes bytes on, between clients and a server. */
export interface Relay {
  readonly url: string;
  /** Closes each connection that is open now when the next request arrives over it. @returns how many those are */
  closeAtNextRequest(): number;
}

/** Starts a relay to the server at an address; it ends with the test. */
export async function startRelay(to: string): Promise<Relay> {
  const { hostname, port } = new URL(to);
  const open = new Set<Socket>();
  const closing = new Set<Socket>();
  const relay = createTcpServer((client) => {
    const server = connect(Number(port), hostname);
    open.add(client);
    client.on('data', (bytes) => (closing.has(client) ? client.resetAndDestroy() : server.write(bytes)));
    server.on('data', (bytes) => client.write(bytes));
    for (const [one, other] of [
      [client, server],
      [server, client],
    ] as const)
      one.on('error', () => undefined).on('close', () => other.destroy());
    client.on('close', () => open.delete(client));
  });
  await new Promise<void>((resolve) => relay.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    for (const each of open) each.destroy();
    relay.close();
  });
  return {
    url: to.replace(port, String((relay.address() as AddressInfo).port)),
    closeAtNextRequest: () => {
      for (const each of open) closing.add(each);
      return open.size;
    },
  };
}

/** A fault that responds in place of the service. @param detail what the service adds to a refused token or key */
export function answers(
  status: number,
  code = 'Failed',
  headers: Record<string, string> = {},
  detail?: string,
): ProxyFault {
  const more = detail === undefined ? '' : `<AuthenticationErrorDetail>${detail}</AuthenticationErrorDetail>`;
  return (request, response) => {
    request.resume();
    response.writeHead(status, { 'x-ms-error-code': code, 'content-type': 'application/xml', ...headers });
    response.end(
      `<?xml version="1.0" encoding="utf-8"?><Error><Code>${code}</Code><Message>${CANARY}</Message>${more}</Error>`,
    );
    return 'handled';
  };
}
