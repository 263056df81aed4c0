/** The rotator that is measured. It is bundled, as it is deployed, so nothing here may need the place of its file. */
import tls from 'node:tls';
import { composeParts } from '../../lib/compose.ts';
import { RIVAL_WAIT_MS } from '../../lib/rotation/core/times.ts';
import type { Ports } from '../../lib/rotation/ports.ts';
import { createRotator, type Rotator } from '../../lib/rotator.ts';
import type { Addresses } from './servers.ts';

/** A rotator, and a second one that shares its adapters but does not wait. */
export interface BenchRotator extends Rotator {
  readonly ports: Ports;
  /** Does not wait for rivals, to get connections ready: no other process writes here. */
  readonly hasty: Rotator;
  /** The log lines that are not about a healthy rotation. */
  readonly complaints: readonly string[];
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
