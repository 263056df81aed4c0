import type { TokenCredential } from '@azure/identity';
import { BlobServiceClient } from '@azure/storage-blob';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createRecordStore } from '../../../lib/azure/blobRecords.ts';
import type { ErrorCode } from '../../../lib/errors.ts';
import { type Azurite, startAzurite } from '../../../local/storage/azurite.ts';
import { recordNamed } from '../../unit/rotation/world/record.ts';
import { answers, CANARY, errorOf, startProxy, startRelay } from './support.ts';

let azurite: Azurite;
const unused: TokenCredential = { getToken: () => Promise.reject(new Error('not for connection strings')) };

beforeAll(async () => {
  azurite = await startAzurite();
});
afterAll(() => azurite.close());
beforeEach(() => containerOf(azurite.connectionString).deleteIfExists());

const RECORD = recordNamed('dynamics-prod');

/** The container as others see it. */
function containerOf(connectionString: string) {
  return BlobServiceClient.fromConnectionString(connectionString).getContainerClient('token-rotator-records');
}

function storeOf(connectionString: string, options = {}) {
  const location = { kind: 'connectionString', connectionString } as const;
  return createRecordStore({ location, credential: unused }, options);
}

/** A store behind a counting proxy; its container exists. */
async function start(options: { timeoutMs?: number; pageSize?: number } = {}) {
  const proxy = await startProxy(azurite);
  const container = containerOf(proxy.connectionString);
  await container.createIfNotExists();
  proxy.requests.length = 0;
  return { proxy, container, store: storeOf(proxy.connectionString, options) };
}

async function leased(store: ReturnType<typeof createRecordStore>, name: string): Promise<string> {
  const lease = await store.acquireLease(name);
  return typeof lease === 'string' ? expect.fail(lease) : lease.leaseId;
}

describe('a record', () => {
  it.each([
    '',
    '{',
    '{}',
    '[]',
    'null',
    JSON.stringify({ ...RECORD, schema: 2 }),
    `${JSON.stringify(RECORD)}${' '.repeat(1_000_001)}`,
  ])('with an invalid body (%#) is unreadable', async (body) => {
    const { container, store } = await start();
    await container.getBlockBlobClient('dynamics-prod.json').upload(body, Buffer.byteLength(body));
    const error = await errorOf(store.read('dynamics-prod'));
    expect(error.code).toBe('record_unreadable');
    expect(error.message).toContain('dynamics-prod.json');
  });
});

describe('a list', () => {
  it('follows the pages of the service', async () => {
    const { proxy, store } = await start({ pageSize: 2 });
    for (const name of ['a', 'b', 'c', 'd', 'e']) await store.create(recordNamed(name));
    proxy.requests.length = 0;
    expect([...(await store.list()).summaries.keys()]).toEqual(['a', 'b', 'c', 'd', 'e']);
    expect(proxy.requests).toHaveLength(3);
  });

  it('shows a record with foreign metadata as due, and no other blobs', async () => {
    const { container, store } = await start();
    for (const [name, metadata] of [
      ['bare.json', {}],
      ['broken.json', { phase: 'odd', generation: 'x', next: '1', connection: '%' }],
      ['other.txt', {}],
    ] as const) {
      await container.getBlockBlobClient(name).upload('', 0, { metadata });
    }
    await store.create(recordNamed('fine'));
    const due = { phase: 'idle', generation: 0, nextAttemptAt: 0 } as const;
    expect(Object.fromEntries((await store.list()).summaries)).toEqual({ bare: due, broken: due, fine: due });
  });
});

describe('a list that is not complete', () => {
  it('without a Date does no harm when its connection ends: nothing is left open', async () => {
    const { proxy, store } = await start();
    await store.create(RECORD);
    const closed = Promise.withResolvers<void>();
    proxy.fault((_, response) => {
      response.sendDate = false;
      response.writeHead(200, { 'content-type': 'application/xml', 'content-length': '100000' });
      response.write('<?xml version="1.0"?><EnumerationResults>');
      response.on('close', closed.resolve);
      return 'handled';
    });
    const error = await errorOf(store.list());
    expect(error).toMatchObject({ code: 'storage_unavailable', message: expect.stringContaining('Date') });
    await closed.promise;
  });

  it('whose page continues with itself ends with an error', async () => {
    const { proxy, store } = await start();
    proxy.fault((_, response) => {
      response.writeHead(200, { 'content-type': 'application/xml' });
      response.end('<EnumerationResults><Blobs /><NextMarker>again</NextMarker></EnumerationResults>');
      return 'handled';
    });
    expect((await errorOf(store.list())).message).toContain('continues with itself');
    expect(proxy.requests).toHaveLength(2);
  });

  it('shows no records that are gone', async () => {
    const { container, store } = await start();
    await store.create(RECORD);
    expect((await store.list()).summaries.size).toBe(1);
    await container.getBlockBlobClient('dynamics-prod.json').delete();
    expect((await store.list()).summaries.size).toBe(0);
  });
});

describe('without a container', () => {
  const store = () => storeOf(azurite.connectionString);

  it('a list creates it and is empty', async () => {
    const { now, summaries } = await store().list();
    expect(summaries.size).toBe(0);
    expect(now).toBeGreaterThan(0);
    expect(await containerOf(azurite.connectionString).exists()).toBe(true);
  });

  it('a record is absent', async () => {
    expect(await store().acquireLease('dynamics-prod')).toBe('absent');
    expect(await store().read('dynamics-prod')).toBeUndefined();
    expect(await store().write(RECORD, '00000000-0000-4000-8000-000000000000')).toBe(false);
  });

  it('a call fails if the new one disappears immediately, without an endless loop', async () => {
    const { proxy, store } = await start();
    proxy.fault((request, response) => {
      const making = request.method === 'PUT' && request.url?.includes('restype=container');
      return making ? undefined : answers(404, 'ContainerNotFound')(request, response);
    });
    for (const call of [() => store.list(), () => store.create(RECORD)]) {
      proxy.requests.length = 0;
      const error = await errorOf(call());
      expect(error).toMatchObject({
        code: 'storage_unavailable',
        message: expect.stringContaining('disappeared'),
      });
      expect(proxy.requests).toHaveLength(3);
    }
  });

  it('a new record creates it', async () => {
    await store().create(RECORD);
    expect(await store().read('dynamics-prod')).toEqual(RECORD);
  });
});

it('names its account by the host without the port', () => {
  expect(storeOf(azurite.connectionString).host).toBe('127.0.0.1');
});

it('sends one request for each call', async () => {
  const { proxy, store } = await start();
  const counted: string[] = [];
  const count = async <T>(what: string, call: Promise<T>): Promise<T> => {
    const result = await call;
    counted.push(`${what} ${proxy.requests.splice(0).length}`);
    return result;
  };
  await count('create', store.create(RECORD));
  await count('list', store.list());
  const leaseId = await count('acquire', leased(store, 'dynamics-prod'));
  await count('read', store.read('dynamics-prod'));
  await count('write', store.write(RECORD, leaseId));
  await count('renew', store.renewLease('dynamics-prod', leaseId));
  await count('release', store.releaseLease('dynamics-prod', leaseId));
  expect(counted).toEqual(['create 1', 'list 1', 'acquire 1', 'read 1', 'write 1', 'renew 1', 'release 1']);
});

describe('over an idle connection that the service closes', () => {
  it.each<[string, (store: ReturnType<typeof createRecordStore>) => Promise<unknown>, unknown]>([
    ['the record is read again', (store) => store.read('dynamics-prod'), RECORD],
    ['the list is read again', async (store) => (await store.list()).summaries.size, 1],
    [
      'no lease is taken again, because the first request may have taken it',
      (store) => store.acquireLease('dynamics-prod').catch(({ code }) => code),
      'storage_unavailable',
    ],
  ])('%s', async (_, call, expected) => {
    const relay = await startRelay(azurite.blobServiceUrl);
    const relayed = azurite.connectionString.replace(azurite.blobServiceUrl, relay.url);
    const store = storeOf(relayed);
    await store.create(RECORD);
    expect(relay.closeAtNextRequest()).toBeGreaterThan(0);
    expect(await call(store)).toEqual(expected);
  });
});

describe('a storage account', () => {
  it.each<[number, string, ErrorCode]>([
    [401, 'NoAuthenticationInformation', 'storage_forbidden'],
    [403, 'AuthorizationPermissionMismatch', 'storage_forbidden'],
    [403, 'AuthorizationFailure', 'storage_forbidden'],
    [404, 'ResourceNotFound', 'storage_unavailable'],
    [409, 'ContainerBeingDeleted', 'storage_unavailable'],
    [500, 'InternalError', 'storage_unavailable'],
    [503, 'ServerBusy', 'storage_unavailable'],
  ])(
    'that responds with %i %s to every request fails with %s after one request',
    async (status, storageCode, code) => {
      const { proxy, store } = await start();
      proxy.fault(answers(status, storageCode));
      const calls = [
        () => store.list(),
        () => store.read('dynamics-prod'),
        () => store.create(RECORD),
        () => store.acquireLease('dynamics-prod'),
        () => store.renewLease('dynamics-prod', 'x'),
        () => store.releaseLease('dynamics-prod', 'x'),
        () => store.write(RECORD, 'x'),
      ];
      for (const call of calls) {
        expect(await errorOf(call())).toMatchObject({ code, message: expect.stringContaining(storageCode) });
      }
      expect(proxy.requests).toHaveLength(calls.length);
    },
  );

  it('reports how long to wait', async () => {
    const { proxy, store } = await start();
    proxy.fault(answers(503, 'ServerBusy', { 'retry-after': '3' }));
    expect((await errorOf(store.list())).retryAfterMs).toBe(3_000);
  });

  it('that drops each connection is unavailable after the second request', async () => {
    const { proxy, store } = await start();
    proxy.fault((request) => {
      request.destroy();
      return 'handled';
    });
    expect((await errorOf(store.list())).code).toBe('storage_unavailable');
    expect(proxy.requests).toHaveLength(2);
  });

  it('that cuts a body short is unavailable', async () => {
    const { proxy, store } = await start();
    await store.create(RECORD);
    proxy.fault((_, response) => {
      response.writeHead(200, { 'content-length': '1000' });
      response.write(CANARY);
      setImmediate(() => response.destroy());
      return 'handled';
    });
    expect((await errorOf(store.read('dynamics-prod'))).code).toBe('storage_unavailable');
  });

  it('that does not respond in time is unavailable', async () => {
    const { proxy, store } = await start({ timeoutMs: 200 });
    proxy.fault(() => new Promise(() => {}));
    const error = await errorOf(store.renewLease('dynamics-prod', 'x'));
    expect(error).toMatchObject({ code: 'storage_unavailable', message: expect.stringContaining('in time') });
  });

  it('whose response has no Date is unavailable, because times would have no meaning', async () => {
    const { proxy, store } = await start();
    proxy.fault((_, response) => {
      response.sendDate = false;
      response.writeHead(201, { 'x-ms-lease-id': 'x' }).end();
      return 'handled';
    });
    expect((await errorOf(store.acquireLease('dynamics-prod'))).message).toContain('Date');
  });

  it('refuses a wrong key', async () => {
    const key = Buffer.from(CANARY).toString('base64');
    const store = storeOf(azurite.connectionString.replace(/AccountKey=[^;]+/, `AccountKey=${key}`));
    const error = await errorOf(store.list());
    expect(error.code).toBe('storage_forbidden');
    expect(`${error.message}${error.fix}`).not.toContain(key);
  });
});
