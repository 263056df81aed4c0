import { BlobServiceClient } from '@azure/storage-blob';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { accepted, readAccessToken } from '../../../local/requests.ts';
import { localConnection } from '../../support/localConnection.ts';
import { type Harness, startHarness } from './harness.ts';
import { logLines } from './logLines.ts';

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
async function upload(names: readonly string[], more = ''): Promise<void> {
  const { storage, authorization } = harness.servers;
  const container = BlobServiceClient.fromConnectionString(storage.connectionString).getContainerClient(
    'configuration',
  );
  await container.createIfNotExists();
  const entries = names.map((name) => [name, { tokenUri: authorization.tokenEndpoint }]);
  const text = `${JSON.stringify({ connections: Object.fromEntries(entries) })}${more}`;
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

test('a file that breaks later is shown with the last valid connections, which go on, until it is repaired', async () => {
  await upload(['first', 'second'], '}');
  await harness.tick();
  const broken = await harness.http('connectionStatus', 'GET', 'connections');
  expect(broken.body).toMatchObject({
    connections: [
      { name: 'first', state: 'fresh' },
      { name: 'second', state: 'fresh' },
    ],
    configuration: { code: 'configuration_invalid', since: expect.stringMatching(/Z$/) },
  });
  expect(await harness.http('health', 'GET', 'health')).toMatchObject({
    status: 200,
    body: { status: 'ok', configuration: { since: expect.stringMatching(/Z$/) } },
  });
  await upload(['first']);
  const repaired = await harness.http('connectionStatus', 'GET', 'connections');
  expect(repaired.body).toMatchObject({ connections: [{ name: 'first' }] });
  expect(repaired.body).not.toHaveProperty('configuration');
  const lines = logLines(harness.output).filter(({ event }) => /^con/.test(event));
  expect(lines.slice(-3)).toMatchObject([
    { event: 'configuration_invalid' },
    { event: 'configuration_loaded' },
    { event: 'connection_changed', connection: 'second', change: 'removed' },
  ]);
});

test('a new entry that names the secrets of another connection stops only itself', async () => {
  const { storage, authorization } = harness.servers;
  const { tokenEndpoint: tokenUri } = authorization;
  const thief = {
    tokenUri,
    secrets: {
      refreshToken: 'FIRST-refresh-token',
      clientId: 'first-client-id',
      clientSecret: 'first-client-secret',
    },
  };
  const text = JSON.stringify({ connections: { thief, first: { tokenUri } } });
  await BlobServiceClient.fromConnectionString(storage.connectionString)
    .getContainerClient('configuration')
    .getBlockBlobClient('connections.json')
    .upload(text, Buffer.byteLength(text));
  const { body } = await harness.http('connectionStatus', 'GET', 'connections');
  expect(body).toMatchObject({
    connections: [
      { name: 'first', state: 'fresh' },
      {
        name: 'thief',
        state: 'invalid',
        message: expect.stringContaining(
          'belongs to the connection first (connections.first.secrets.refreshToken)',
        ),
      },
    ],
  });
});
