import { fork } from 'node:child_process';
import { once } from 'node:events';
import tls from 'node:tls';
import { composeParts } from '../../lib/compose.ts';
import { RIVAL_WAIT_MS } from '../../lib/rotation/core/times.ts';
import type { Ports } from '../../lib/rotation/ports.ts';
import { createRotator, type Rotator } from '../../lib/rotator.ts';
import type { Addresses, Commands } from './servers.ts';

/** The commands of the servers, as their messages allow. */
type Remote = {
  readonly [Name in keyof Commands]: (
    ...args: Parameters<Commands[Name]>
  ) => Promise<Awaited<ReturnType<Commands[Name]>>>;
};

/** Servers in a process of their own, and the rotators that use them. */
export interface Stage {
  readonly servers: Remote;
  readonly addresses: Addresses;
  /**
   * A rotator with the production adapters, as after a cold start.
   * @param isPaced keep to the quota of Key Vault: otherwise the quota would be all that is measured
   */
  rotator(entries: Readonly<Record<string, object>>, isPaced?: boolean): BenchRotator;
  close(): Promise<void>;
}

/** A rotator, and a second one that shares its adapters but does not wait. */
export interface BenchRotator extends Rotator {
  readonly ports: Ports;
  /** Does not wait for rivals, to get connections ready: no other process writes here. */
  readonly hasty: Rotator;
  /** The log lines that are not about a healthy rotation. */
  readonly complaints: readonly string[];
}

/** @param hosts the number of token endpoints */
export async function startStage(hosts: number): Promise<Stage> {
  const child = fork(new URL('servers.ts', import.meta.url), { stdio: 'inherit' });
  const waiting = new Map<number, PromiseWithResolvers<unknown>>();
  let asked = 0;
  child.on('message', (message: { id: number; result?: unknown; failure?: string }) => {
    const answer = waiting.get(message.id);
    waiting.delete(message.id);
    if (message.failure === undefined) answer?.resolve(message.result);
    else answer?.reject(new Error(message.failure));
  });
  const call = (command: string, args: readonly unknown[]) => {
    const id = ++asked;
    const answer = Promise.withResolvers<unknown>();
    waiting.set(id, answer);
    child.send({ id, command, args });
    return answer.promise;
  };
  const servers = new Proxy({} as Remote, {
    get:
      (_, command) =>
      (...args: readonly unknown[]) =>
        call(String(command), args),
  });
  const addresses = await servers.start(hosts);
  useServers(addresses);
  return {
    servers,
    addresses,
    rotator: (entries, isPaced = false) => rotatorOf(addresses, entries, isPaced),
    close: async () => {
      child.disconnect();
      await once(child, 'exit');
    },
  };
}

/** The name of a connection that is not due. */
export const idleName = (position: number) => `crm-${position}`;

const UNPACED = { take: async () => {}, giveBack: () => {} };

/** Lets this process trust the servers, and get tokens of the managed identity. */
export function useServers({ caCertificate, identity }: Addresses): void {
  tls.setDefaultCACertificates([...tls.getCACertificates('default'), caCertificate]);
  // The identity library reads these itself.
  process.env.IDENTITY_ENDPOINT = identity.url;
  process.env.IDENTITY_HEADER = identity.header;
}

/** A rotator in this process. @param monotonic its clock, in milliseconds */
export function rotatorOf(
  { vaults, storage, identity }: Addresses,
  entries: Readonly<Record<string, object>>,
  isPaced: boolean,
  monotonic?: () => number,
): BenchRotator {
  const complaints: string[] = [];
  const environment = {
    CREDENTIAL_VAULT_URL: vaults[0],
    TOKEN_VAULT_URL: vaults[0],
    CONNECTIONS: JSON.stringify({ connections: entries }),
    ROTATION_SCHEDULE: '*/10 * * * * *',
    ALLOW_LOOPBACK_HTTP: 'true',
    AzureWebJobsStorage__blobServiceUri: storage,
    IDENTITY_ENDPOINT: identity.url,
    IDENTITY_HEADER: identity.header,
  };
  const composed = composeParts(environment, (level, line) => {
    if (level === 'warn' || level === 'error') complaints.push(line);
  });
  const clock = { ...composed.ports.clock, ...(monotonic && { monotonic }) };
  const ports = { ...composed.ports, clock, ...(!isPaced && { pacer: UNPACED }) };
  const sleep = (ms: number, signal?: AbortSignal) =>
    ports.clock.sleep(ms === RIVAL_WAIT_MS ? 0 : ms, signal);
  return {
    ...createRotator(ports, Date.now),
    hasty: createRotator({ ...ports, clock: { ...ports.clock, sleep } }, Date.now),
    ports,
    complaints,
  };
}
