import { randomUUID } from 'node:crypto';
import { BlobServiceClient } from '@azure/storage-blob';
import { afterAll, beforeAll, describe, vi } from 'vitest';
import { createRecordStore } from '../../lib/azure/blobRecords.ts';
import { blobNameOf, bodyOf } from '../../lib/azure/recordBlob.ts';
import { newRecord } from '../../lib/rotation/core/record.ts';
import { LEASE_MS } from '../../lib/rotation/core/times.ts';
import { type Azurite, startAzurite } from '../../local/storage/azurite.ts';
import { type BlobServer, startBlobServer } from '../bench/blobServer.ts';
import { World } from '../unit/rotation/world.ts';
import { describeRecords, type RecordsSide } from './recordsContract.ts';

let azurite: Azurite;
const benchServers: BlobServer[] = [];
beforeAll(async () => {
  azurite = await startAzurite();
});
afterAll(() => Promise.all([azurite, ...benchServers].map((server) => server.close())));

describe('the adapter of Blob Storage, on Azurite', () =>
  describeRecords(() => startAdapter(azurite.connectionString)));
describe('the adapter of Blob Storage, on the server of the benchmark', () =>
  describeRecords(async () => {
    // One for each test: they run at the same time, and each has its own clock.
    const clock = { now: Date.now() };
    const server = await startBlobServer({ now: () => clock.now });
    benchServers.push(server);
    return {
      ...(await startAdapter(server.connectionString)),
      now: () => clock.now,
      leaseExpires: async () => {
        clock.now += LEASE_MS;
      },
    };
  }));
describe('the records in memory', () => describeRecords(startMemory));

async function startAdapter(connectionString: string): Promise<RecordsSide> {
  const service = BlobServiceClient.fromConnectionString(connectionString);
  const name = `records-${randomUUID()}`;
  const container = service.getContainerClient(name);
  await container.create();
  const location = { kind: 'connectionString', connectionString } as const;
  const credential = { getToken: async () => null };
  const store = createRecordStore({ location, credential }, { container: name });
  return {
    store,
    now: Date.now,
    async leaseExpires() {
      // A lease that is acquired now expires later than the one that the caller waits for.
      await store.create(newRecord('witness'));
      await store.acquireLease('witness');
      const options = { timeout: 2 * LEASE_MS, interval: 200 };
      await vi.waitUntil(async () => (await store.acquireLease('witness')) !== 'taken', options);
    },
    operator: {
      overwrite: (record) => {
        const body = bodyOf(record);
        const blob = container.getBlockBlobClient(blobNameOf(record.connection));
        return blob.upload(body, Buffer.byteLength(body));
      },
      async delete(name) {
        const blob = container.getBlockBlobClient(blobNameOf(name));
        await blob.getBlobLeaseClient().breakLease(0);
        await blob.delete();
      },
    },
  };
}

async function startMemory(): Promise<RecordsSide> {
  const world = new World();
  world.clock.freeze(1_234);
  return {
    store: world.process().ports.records,
    now: world.now,
    leaseExpires: async () => world.clock.freeze(LEASE_MS),
    operator: {
      overwrite: async (record) => world.records.change(record.connection, () => record),
      delete: async (name) => world.records.lose(name),
    },
  };
}
