import { BlobServiceClient } from '@azure/storage-blob';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { accepted, readAccessToken } from '../../../local/requests.ts';
import { localConnection } from '../../support/localConnection.ts';
import { type Harness, startHarness } from './harness.ts';

let harness: Harness;

beforeAll(async () => {
  const connections = ['first', 'second'].map((name) => localConnection(name));
  harness = await startHarness(connections, (env) => {
    const account = /BlobEndpoint=([^;]+)/.exec(env.AzureWebJobsStorage ?? '')?.[1];
    env.CONNECTIONS = `${account}/configuration/connections.json`;
  });
});
afterAll(async () => harness.close());

/** Uploads the configuration to the same place as a deployment. */
async function upload(names: readonly string[]): Promise<void> {
  const { storage, authorization } = harness.servers;
  const container = BlobServiceClient.fromConnectionString(storage.connectionString).getContainerClient(
    'configuration',
  );
  await container.createIfNotExists();
  const entries = names.map((name) => [name, { tokenUri: authorization.tokenEndpoint }]);
  const text = JSON.stringify({ connections: Object.fromEntries(entries) });
  await container.getBlockBlobClient('connections.json').upload(text, Buffer.byteLength(text));
}

const works = async (name: string) => {
  const token = await readAccessToken(name, harness.servers);
  return token !== undefined && (await accepted(token, harness.servers));
};

test('a configuration in a blob costs one conditional request per sweep, and a change needs no restart', async () => {
  await upload(['first']);
  await harness.tick();
  expect([await works('first'), await works('second')]).toEqual([true, false]);

  harness.takeStorageRequests();
  await harness.tick();
  expect(harness.takeStorageRequests()).toEqual([
    expect.stringMatching(/^GET .*\/configuration\/connections\.json$/),
    expect.stringContaining('comp=list'),
  ]);

  await upload(['first', 'second']);
  await harness.tick();
  expect(await works('second')).toBe(true);
});
