import { type EventEmitter, once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type Provider from 'oidc-provider';
import { forOwnHost } from '../ownHost.ts';
import { ClientRegistry } from './clients.ts';
import { createSaver, readState, type Saver, writeState } from './dataFile.ts';
import { interactionPages, zeroClickInteraction } from './interaction.ts';
import { generateKeys, type ServerKeys } from './keys.ts';
import { createProvider } from './provider.ts';
import { seedFirstRefreshToken } from './seed.ts';
import { watchTokenEndpoint } from './tokenEndpoint.ts';
import { TokenRequestLog } from './tokenRequestLog.ts';
import { TokenStore } from './tokenStore.ts';
import type { AuthorizationServer, AuthorizationServerOptions, InterceptionHook } from './types.ts';

export type * from './types.ts';

const HOST = '127.0.0.1';

/** The parts of a running server. */
interface Parts {
  options: AuthorizationServerOptions;
  clients: ClientRegistry;
  keys: ServerKeys;
  store: TokenStore;
  saver: Saver;
  log: TokenRequestLog;
  hook: InterceptionHook | undefined;
}

/** Starts a real OAuth 2.0 authorization server on the loopback interface, over plain http. */
export async function startAuthorizationServer(
  options: AuthorizationServerOptions,
): Promise<AuthorizationServer> {
  const parts = loadParts(options);
  const server = createServer();
  server.listen(0, HOST);
  await once(server, 'listening');
  // From here to the request handler nothing awaits, so every early connection gets a response.
  const issuer = `http://${HOST}:${(server.address() as AddressInfo).port}`;
  const provider = createProvider(issuer, { ...parts, accessTokenSeconds: options.accessTokenSeconds });
  mount(provider, parts);
  server.on('request', forOwnHost(provider.callback()));
  const running = describe(issuer, server, provider, parts);
  await checkClients(provider, parts.clients).catch(async (error: unknown) => {
    await running.close();
    throw error;
  });
  return running;
}

function loadParts(options: AuthorizationServerOptions): Parts {
  const { dataFile, now = Date.now } = options;
  const clients = new ClientRegistry(options.clients);
  const saved = dataFile === undefined ? undefined : readState(dataFile);
  const keys = saved?.keys ?? generateKeys();
  const saver = createSaver(async () => {
    if (dataFile !== undefined) await writeState(dataFile, { keys, models: store.snapshot() });
  });
  const store = new TokenStore(
    { now, graceMs: (clientId) => clients.graceMs(clientId), changed: saver.changed },
    saved?.models,
  );
  return { options, clients, keys, store, saver, log: new TokenRequestLog(now), hook: undefined };
}

/** The order matters: the data file contains what the provider did before a hook or the client sees it. */
function mount(provider: Provider, parts: Parts): void {
  const { clients, store, saver, log, options } = parts;
  const { now = Date.now } = options;
  const path = provider.pathFor('token');
  provider.use(watchTokenEndpoint({ path, clients, now, log, issued: store.issued, hook: () => parts.hook }));
  provider.use(async (_ctx, next) => {
    await next();
    await saver.flush();
  });
  provider.use(interactionPages(provider, parts.clients));
  provider.use(zeroClickInteraction(provider));
  reportErrors(provider, parts.options.onError ?? logError);
}

function reportErrors(provider: Provider, report: (error: Error) => void): void {
  provider.on('server_error', (_ctx, error) => report(error));
  // Koa's event for errors that are thrown around the provider, also by a hook. The types of the provider omit it.
  (provider as EventEmitter).on('error', (error: NodeJS.ErrnoException & { expose?: boolean }) => {
    // A client that disconnects, or sends a malformed request, does not count as a failure of the server.
    if (!error.expose && !['ECONNRESET', 'EPIPE', 'ECONNABORTED'].includes(error.code ?? '')) report(error);
  });
}

function logError(error: Error): void {
  console.error(`authorization server: ${error.message}`);
}

/** oidc-provider checks a client at its first use. This call makes a wrong declaration fail the start. */
async function checkClients(provider: Provider, clients: ClientRegistry): Promise<void> {
  for (const clientId of clients.ids()) {
    await provider.Client.find(clientId).catch((error: Error & { error_description?: string }) => {
      throw new Error(`client ${clientId}: ${error.error_description ?? error.message}`);
    });
  }
}

function describe(issuer: string, server: Server, provider: Provider, parts: Parts): AuthorizationServer {
  const { clients, store, saver, log } = parts;
  let closing: Promise<void> | undefined;
  return {
    issuer,
    tokenEndpoint: provider.urlFor('token'),
    resourceEndpoint: provider.urlFor('userinfo'),
    tokenRequests: log.requests,
    concurrentRequests: (clientId) => log.highest(clientId),
    issuedValues: () => [...store.issued],
    intercept: (hook) => {
      parts.hook = hook;
    },
    setClientSecret: (clientId, secret) => clients.setSecret(clientId, secret),
    seedRefreshToken: async (clientId) => {
      const token = await seedFirstRefreshToken(provider, clientId);
      await saver.flush();
      return token;
    },
    close: () => {
      closing ??= stop(server).then(() => saver.close());
      return closing;
    },
  };
}

async function stop(server: Server): Promise<void> {
  const closed = once(server, 'close');
  server.close();
  server.closeAllConnections();
  await closed;
}
