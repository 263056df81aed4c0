import { setTimeout as sleep } from 'node:timers/promises';
import type { LocalConnection } from '../../../local/connections.ts';
import { type DataDirectory, openDataDirectory } from '../../../local/dataDirectory.ts';
import { environmentOf } from '../../../local/environment.ts';
import { type HostProcess, startHostProcess } from '../../../local/hostProcess.ts';
import { seedConnections } from '../../../local/seed.ts';
import { type Servers, startServers } from '../../../local/servers.ts';
import { type FaultHook, type FaultProxy, startFaultProxy } from './faultProxy.ts';

/** The local stack's servers, which all cases share, and any number of function hosts behind fault proxies. */
export interface Rig {
  readonly servers: Servers;
  /**
   * Starts a function host for some of the connections. It reaches each server through a separate proxy.
   * @param hook decides what happens to each of its requests
   * @param changes settings that differ from those of the local stack
   */
  startHost(
    connections: readonly LocalConnection[],
    hook: FaultHook,
    changes?: Readonly<Record<string, string>>,
  ): Promise<StruckHost>;
  /** Kills the hosts that still run, then closes the servers. */
  close(): Promise<void>;
}

/** A function host behind fault proxies. */
export interface StruckHost extends HostProcess {
  /** The lines that it printed. */
  readonly lines: readonly string[];
}

/** Every second, so that a case waits no longer than necessary. */
const SCHEDULE = '* * * * * *';

/** @param connections all connections that a host of this rig may rotate */
export async function startRig(connections: readonly LocalConnection[]): Promise<Rig> {
  const data = await openDataDirectory(undefined);
  const servers = await startServers(connections, data, false);
  await seedConnections(connections, servers, data);
  const cleanups: (() => Promise<void>)[] = [];
  return {
    servers,
    startHost: async (some, hook, changes = {}) => {
      const proxies = await startProxies(servers, hook);
      const own = await openDataDirectory(undefined);
      cleanups.push(() => closeAll([...proxies.all, own]));
      const environment = { ...(await environmentOf(proxies.servers, own, some, SCHEDULE)), ...changes };
      const lines: string[] = [];
      const host = await startHostProcess(environment, 0, (line) => lines.push(line));
      cleanups.unshift(() => host.kill());
      return { ...host, lines };
    },
    close: async () => {
      for (const cleanUp of cleanups) await cleanUp();
      await servers.close();
      await data.close();
    },
  };
}

async function startProxies(servers: Servers, hook: FaultHook) {
  const { authorization, credentialVault, tokenVault, storage, vaultTls } = servers;
  const all = await Promise.all([
    startFaultProxy('credential_vault', credentialVault.url, hook, vaultTls),
    startFaultProxy('token_vault', tokenVault.url, hook, vaultTls),
    startFaultProxy('storage', new URL(storage.blobServiceUrl).origin, hook),
    startFaultProxy('token_endpoint', new URL(authorization.tokenEndpoint).origin, hook),
  ]);
  const [credential, token, blobs, provider] = all.map(({ origin }) => origin);
  const through = (origin: string | undefined, address: string) =>
    address.replace(new URL(address).origin, origin ?? '');
  const connectionString = storage.connectionString.replace(
    storage.blobServiceUrl,
    through(blobs, storage.blobServiceUrl),
  );
  const proxied: Servers = {
    ...servers,
    credentialVault: { ...credentialVault, tlsUrl: credential ?? '' },
    tokenVault: { ...tokenVault, tlsUrl: token ?? '' },
    storage: { ...storage, connectionString },
    authorization: { ...authorization, tokenEndpoint: through(provider, authorization.tokenEndpoint) },
  };
  return { all, servers: proxied };
}

async function closeAll(all: readonly (FaultProxy | DataDirectory)[]): Promise<void> {
  for (const each of all) await each.close();
}

/** Stops a process for `ms` milliseconds. Ignores a process that was killed in the meantime. */
export async function stopFor(processId: number, ms: number): Promise<void> {
  try {
    process.kill(processId, 'SIGSTOP');
    await sleep(ms);
    process.kill(processId, 'SIGCONT');
  } catch {}
}
