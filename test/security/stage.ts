import tls from 'node:tls';
import { inspect } from 'node:util';
import { BlobServiceClient } from '@azure/storage-blob';
import { createSecretVault } from '../../lib/azure/keyVaultSecrets.ts';
import type { Rotator } from '../../lib/rotator.ts';
import { createCertificateAuthority } from '../../local/keyVault/certificateAuthority.ts';
import { type Harness, startHarness } from '../integration/functions/harness.ts';
import { localConnection } from '../support/localConnection.ts';
import { bomb } from './attacks.ts';
import { canary } from './canaries.ts';
import { type Attack, type HostileServer, startHostileServer, startTlsFront } from './hostileServer.ts';
import { type Input, inputs, nameOf, type Variant } from './inputs.ts';
import { type Internet, simulateInternet } from './internet.ts';

/** A connection that meets a bad input. */
export interface Victim extends Variant {
  readonly connection: string;
  readonly input: Input;
}

/** The functions as in Azure, a healthy provider, and a hostile one for each bad input. */
export interface Stage {
  readonly harness: Harness;
  readonly rotator: Rotator;
  readonly server: HostileServer;
  readonly internet: Internet;
  readonly inputs: readonly Input[];
  readonly victims: readonly Victim[];
  close(): Promise<void>;
}

export const HEALTHY = 'healthy';
const BAD_ADDRESSES: Readonly<Record<string, readonly string[]>> = {
  'loopback.example': ['127.0.0.1'],
  'mixed.example': ['192.0.2.1', '127.0.0.1'],
  'metadata.example': ['169.254.169.254'],
  'platform.example': ['168.63.129.16'],
  'private.example': ['10.0.0.1'],
  'shared.example': ['100.64.0.1'],
};

export async function startStage(): Promise<Stage> {
  const internet = simulateInternet((host, count) =>
    host === 'rebinding.example' && count > 1 ? ['127.0.0.1'] : BAD_ADDRESSES[host],
  );
  const authority = await createCertificateAuthority();
  const certificate = await authority.issue(['*.hostile.example', 'rebinding.example', 'login.example']);
  const attacks = new Map<string, Attack>();
  const server = await startHostileServer(certificate, (path) => attacks.get(path));
  const bombs = [await bomb('gzip'), await bomb('br')];
  const table = inputs({ bombs, port: server.port, another: canary('another', 'stored') });
  const victims = table.flatMap(victimsOf);
  for (const { connection, attack } of victims) if (attack) attacks.set(connection, attack);
  let front: { port: number; close(): Promise<void> } | undefined;
  const frontCertificate = await authority.issue(['healthy.example']);
  const harness = await startHarness([localConnection(HEALTHY)], async (env, { authorization }) => {
    front = await startTlsFront(frontCertificate, new URL(authorization.tokenEndpoint));
    const { pathname } = new URL(authorization.tokenEndpoint);
    const healthy = { tokenUri: `https://healthy.example:${front.port}${pathname}` };
    const entries = victims.map((victim) => [
      victim.entryName ?? victim.connection,
      entryOf(victim, server.port),
    ]);
    env.CONNECTIONS = JSON.stringify({ connections: { ...Object.fromEntries(entries), [HEALTHY]: healthy } });
    // As in Azure, addresses of this machine are not allowed.
    delete env.ALLOW_LOOPBACK_HTTP;
  });
  tls.setDefaultCACertificates([...tls.getCACertificates('default'), authority.caCertificate]);
  for (const { connection } of victims) await seed(harness, connection);
  const { rotator } = await import('../../functions/rotator.ts');
  const close = async () => {
    await harness.close();
    await Promise.all([server.close(), front?.close()]);
  };
  return { harness, rotator: rotator(), server, internet, inputs: table, victims, close };
}

function victimsOf(input: Input, index: number, all: readonly Input[]): Victim[] {
  const row = index - all.findIndex(({ group }) => group === input.group);
  return input.variants.map((variant, at) => ({
    ...variant,
    input,
    connection: nameOf(input.group, row, at),
  }));
}

function entryOf({ connection, tokenUri }: Victim, port: number): object {
  const clientAuthentication = connection.endsWith('1') ? 'client_secret_post' : 'client_secret_basic';
  return {
    tokenUri: tokenUri ?? `https://${connection}.hostile.example:${port}/${connection}`,
    clientAuthentication,
  };
}

async function seed(harness: Harness, connection: string): Promise<void> {
  await harness.setSecret(`${connection}-client-id`, connection);
  await harness.setSecret(`${connection}-client-secret`, canary(connection, 'client-secret'));
  await harness.setSecret(`${connection}-refresh-token`, canary(connection, 'stored'));
}

/** Everything in the record container: names, metadata and contents. */
export async function storedBlobs({ harness }: Stage): Promise<string> {
  const service = BlobServiceClient.fromConnectionString(harness.servers.storage.connectionString);
  const found: unknown[] = [];
  for await (const { name: container } of service.listContainers()) {
    const client = service.getContainerClient(container);
    for await (const blob of client.listBlobsFlat({ includeMetadata: true })) {
      found.push(
        blob.name,
        blob.metadata,
        (await client.getBlobClient(blob.name).downloadToBuffer()).toString(),
      );
    }
  }
  return JSON.stringify(found);
}

/** Everything that a user with permission to list the vaults can read of these secrets: all except the values. */
export async function listedSecrets({ harness }: Stage, names: readonly string[]): Promise<string> {
  const { credentialVault, tokenVault, bearers } = harness.servers;
  const getToken = async () => ({ token: bearers.operator, expiresOnTimestamp: Date.now() + 3_600_000 });
  const found: unknown[] = [];
  for (const { tlsUrl = '' } of [credentialVault, tokenVault]) {
    const vault = createSecretVault(tlsUrl, { getToken });
    for (const name of names)
      for (const kind of ['refresh-token', 'access-token'])
        found.push(await vault.versions(`${name}-${kind}`));
  }
  return JSON.stringify(found);
}

/** Everything that a thrown or returned value shows if a caller inspects it. */
export function everythingOf(value: unknown): string {
  const looked = inspect(value, { depth: Number.POSITIVE_INFINITY, showHidden: true, getters: true });
  return [looked, JSON.stringify(value), String((value as { stack?: unknown } | undefined)?.stack)].join(
    '\n',
  );
}
