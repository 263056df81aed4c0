import { once } from 'node:events';
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import tls from 'node:tls';
import { inspect } from 'node:util';
import { expect, vi } from 'vitest';
import { callVault } from '../../../local/callVault.ts';
import type { LocalConnection } from '../../../local/connections.ts';
import { openDataDirectory } from '../../../local/dataDirectory.ts';
import { environmentOf } from '../../../local/environment.ts';
import { installFunctionsCore } from '../../../local/functionHost/coreApi.ts';
import { invokeHttp, invokeTimer } from '../../../local/functionHost/invoke.ts';
import { setSecret } from '../../../local/requests.ts';
import { seedConnections } from '../../../local/seed.ts';
import { type Servers, startServers } from '../../../local/servers.ts';
import type { Shown } from '../../support/shown.ts';
import { misfits } from './logLines.ts';

/** The registered functions against real servers, in this process. */
export interface Harness {
  readonly servers: Servers;
  /** Everything that the functions have printed or returned so far. */
  readonly output: string[];
  /** Requests to the storage account since the last call. */
  takeStorageRequests(): string[];
  tick(): Promise<void>;
  http(
    name: string,
    method: string,
    path: string,
    params?: Record<string, string>,
    headers?: Record<string, string>,
    body?: Uint8Array,
  ): Promise<FunctionResponse>;
  /** Writes a secret as an operator would. */
  setSecret(name: string, value: string): Promise<void>;
  /** Writes a secret to the token vault as an operator would. */
  setTokenSecret(name: string, value: string): Promise<void>;
  deleteSecret(vault: 'credential' | 'token', name: string): Promise<void>;
  readSecret(vault: 'credential' | 'token', name: string): Promise<SecretBundle | undefined>;
  /** Fails if a log line does not match the table of events. */
  close(): Promise<void>;
}

/** A secret as Key Vault returns it; times in seconds since the epoch. */
interface SecretBundle {
  readonly id: string;
  readonly value: string;
  readonly contentType?: string;
  readonly tags: Readonly<Record<string, string>>;
  readonly attributes: { readonly nbf?: number; readonly exp?: number };
}

interface FunctionResponse {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Shown;
}

/**
 * Starts the servers, seeds the connections and registers the functions.
 * @param changeEnvironment receives the settings that the local stack would use
 */
export async function startHarness(
  connections: readonly LocalConnection[],
  changeEnvironment: (env: Record<string, string>, servers: Servers) => void | Promise<void> = () => {},
): Promise<Harness> {
  const data = await openDataDirectory(undefined);
  const servers = await startServers(connections, data, false);
  await seedConnections(connections, servers, data);
  tls.setDefaultCACertificates([...tls.getCACertificates('default'), servers.caCertificate]);
  const proxy = await startCountingProxy(servers.storage.blobServiceUrl);
  const environment = await environmentOf(servers, data, connections);
  environment.AzureWebJobsStorage = servers.storage.connectionString.replace(
    /BlobEndpoint=http:\/\/[^/]+/,
    `BlobEndpoint=${proxy.origin}`,
  );
  await changeEnvironment(environment, servers);
  for (const [name, value] of Object.entries(environment)) vi.stubEnv(name, value);
  const output = collectOutput();
  const registry = installFunctionsCore();
  await import('../../../functions/index.ts');
  const { drain } = await import('../../../functions/rotator.ts');
  const log = (line: string) => void output.push(line);
  const operator = (method: string, vault: 'credential' | 'token', name: string, body?: object) =>
    callVault(servers[`${vault}Vault`], servers.bearers.operator, method, name, body);
  return {
    servers,
    output,
    takeStorageRequests: () => proxy.requests.splice(0),
    tick: () => invokeTimer(registry, 'rotateOnSchedule', log),
    http: async (name, method, path, params = {}, headers = {}, body = new Uint8Array()) => {
      const url = new URL(path, 'http://127.0.0.1/api/');
      const plain = { method, url, params, headers, body };
      const response = await invokeHttp(registry, name, plain, log);
      const text = Buffer.from(response.body).toString();
      expect(text === '' || text.endsWith('\n'), 'a document ends its line').toBe(true);
      // As the lines of the log, it is kept without its end.
      output.push(text.slice(0, -1));
      return {
        status: response.status,
        headers: new Headers(response.headers),
        body: text ? JSON.parse(text) : {},
      };
    },
    setSecret: (name, value) => setSecret(servers, name, value),
    setTokenSecret: async (name, value) => void (await operator('PUT', 'token', name, { value })),
    deleteSecret: async (vault, name) => void (await operator('DELETE', vault, name)),
    readSecret: async (vault, name) => {
      const response = await operator('GET', vault, name);
      return response.ok ? ((await response.json()) as SecretBundle) : undefined;
    },
    close: async () => {
      await drain();
      await servers.close();
      await proxy.close();
      await data.close();
      vi.unstubAllEnvs();
      vi.restoreAllMocks();
      expect(misfits(output)).toEqual([]);
    },
  };
}

function collectOutput(): string[] {
  const output: string[] = [];
  for (const level of ['log', 'info', 'warn', 'error'] as const) {
    vi.spyOn(console, level).mockImplementation(
      (...parts: unknown[]) =>
        void output.push(
          parts.map((part) => (typeof part === 'string' ? part : inspect(part, { depth: 20 }))).join(' '),
        ),
    );
  }
  return output;
}

/** Forwards every request to the storage account and records it. */
async function startCountingProxy(target: string) {
  const requests: string[] = [];
  const { hostname, port } = new URL(target);
  const server = createServer((incoming, outgoing) => {
    requests.push(`${incoming.method} ${incoming.url}`);
    const { method, url: path, headers } = incoming;
    // A connection of its own: a kept one may be closed by the other side just when it is used again.
    const forwarded = request({ hostname, port, method, path, headers, agent: false }, (response) => {
      outgoing.writeHead(response.statusCode ?? 502, response.headers);
      response.pipe(outgoing);
    });
    forwarded.on('error', () => outgoing.destroy());
    incoming.pipe(forwarded);
  });
  server.keepAliveTimeout = 0;
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const close = async () => {
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  };
  return { origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, requests, close };
}
