import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import tls from 'node:tls';
import { BlobServiceClient } from '@azure/storage-blob';
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { createRecordStore } from '../../../lib/azure/blobRecords.ts';
import type { StorageAccess } from '../../../lib/azure/blobService.ts';
import { readConfigurationBlob } from '../../../lib/azure/configurationBlob.ts';
import { SignInFailed } from '../../../lib/azure/signInFailure.ts';
import type { ErrorCode } from '../../../lib/errors.ts';
import { createCertificateAuthority } from '../../../local/keyVault/certificateAuthority.ts';
import { type Azurite, startAzurite } from '../../../local/storage/azurite.ts';
import { answers, CANARY, errorOf, startProxy, startRelay, tokenOf } from './support.ts';

let azurite: Azurite;
beforeAll(async () => {
  azurite = await startAzurite();
  await service().createContainer('settings');
});
afterAll(() => azurite.close());

const service = () => BlobServiceClient.fromConnectionString(azurite.connectionString);
const unused = { getToken: () => Promise.reject(new Error('not for connection strings')) };

async function upload(name: string, body: string | Buffer): Promise<string> {
  const blob = service().getContainerClient('settings').getBlockBlobClient(name);
  await blob.upload(body, Buffer.byteLength(body));
  return blob.url;
}

function read(url: string, etag?: string, connectionString = azurite.connectionString) {
  return readConfigurationBlob(
    url,
    { location: { kind: 'connectionString', connectionString }, credential: unused },
    etag,
  );
}

/** A service with TLS that records every request and responds with 404, and the location of its account. */
async function startBearerService() {
  const { caCertificate, issue } = await createCertificateAuthority();
  tls.setDefaultCACertificates([...tls.getCACertificates('default'), caCertificate]);
  const requests: { url: string | undefined; authorization: string | undefined }[] = [];
  const server = createServer(await issue(['127.0.0.1']), ({ url, headers }, response) => {
    requests.push({ url, authorization: headers.authorization });
    response.writeHead(404, { 'x-ms-error-code': 'BlobNotFound' }).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const blobServiceUrl = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const storage: StorageAccess['location'] = { kind: 'identity', blobServiceUrl };
  return { requests, storage, blobServiceUrl };
}

describe('the blob with the connections', () => {
  it('is read once, and again only after a change, with one request each', async () => {
    const proxy = await startProxy(azurite);
    const url = (await upload('a/connections é.json', '\ufeff{"é":1}')).replace(
      azurite.blobServiceUrl,
      proxy.url,
    );
    const first = await read(url, undefined, proxy.connectionString);
    if (first === 'unchanged') expect.fail();
    expect(first.text).toBe('{"é":1}');
    expect(await read(url, first.etag, proxy.connectionString)).toBe('unchanged');
    await upload('a/connections é.json', '{}');
    expect(await read(url, first.etag, proxy.connectionString)).toMatchObject({ text: '{}' });
    expect(proxy.requests).toHaveLength(3);
  });

  it('is read again if the service closes the idle connection', async () => {
    const relay = await startRelay(azurite.blobServiceUrl);
    const url = (await upload('idle.json', '{}')).replace(azurite.blobServiceUrl, relay.url);
    const relayed = azurite.connectionString.replace(azurite.blobServiceUrl, relay.url);
    await read(url, undefined, relayed);
    expect(relay.closeAtNextRequest()).toBe(1);
    expect(await read(url, undefined, relayed)).toMatchObject({ text: '{}' });
  });

  it('may have 4 MB and no more', async () => {
    const most = 4 * 1024 * 1024;
    expect(await read(await upload('most', Buffer.alloc(most, ' ')))).toMatchObject({
      text: ' '.repeat(most),
    });
    const error = await errorOf(read(await upload('more', Buffer.alloc(most + 1, ' '))));
    expect(error).toMatchObject({ code: 'configuration_invalid', message: expect.stringContaining('4 MB') });
  });

  it('must be UTF-8', async () => {
    const error = await errorOf(read(await upload('latin', Buffer.from([0x7b, 0xe9, 0x7d]))));
    expect(error).toMatchObject({ code: 'configuration_invalid', message: expect.stringContaining('UTF-8') });
  });

  it.each(['none', '100%'])('must exist: %s', async (name) => {
    const error = await errorOf(read(`${azurite.blobServiceUrl}/settings/${name}`));
    expect(error).toMatchObject({
      code: 'configuration_invalid',
      message: expect.stringContaining('no blob'),
    });
  });

  it.each<[number, ErrorCode]>([
    [403, 'storage_forbidden'],
    [503, 'storage_unavailable'],
  ])('behind a %i is %s', async (status, code) => {
    const proxy = await startProxy(azurite);
    proxy.fault(answers(status));
    expect((await errorOf(read(`${proxy.url}/settings/x`, undefined, proxy.connectionString))).code).toBe(
      code,
    );
    expect(proxy.requests).toHaveLength(1);
  });

  it.each([
    ['The token is expired.', 'Synchronize the clock'],
    ['Issuer did not match.', 'Sign in to the tenant of the storage account'],
  ])('behind a 401 has the fix for its detail: %s', async (detail, words) => {
    const proxy = await startProxy(azurite);
    proxy.fault(answers(401, 'InvalidAuthenticationInfo', {}, detail));
    const error = await errorOf(read(`${proxy.url}/settings/x`, undefined, proxy.connectionString));
    expect(error).toMatchObject({ code: 'storage_forbidden', fix: expect.stringContaining(words) });
  });

  it.each([
    'https://example.com/settings/x',
    'https://example.com/tokenrotator/settings/x',
    'no address',
    'ACCOUNT/settings',
    'ACCOUNT/settings/',
    'ACCOUNT/settings/x?sig=canary-4f1d2c9e-value',
    'ACCOUNT/settings/x#y',
    'ACCOUNT-2/settings/x',
  ])('is not at %s: nothing is sent', async (address) => {
    const proxy = await startProxy(azurite);
    const url = address.replace('ACCOUNT', proxy.url);
    expect((await errorOf(read(url, undefined, proxy.connectionString))).code).toBe('configuration_invalid');
    expect(proxy.requests).toEqual([]);
  });
});

describe('by identity', () => {
  it('requests records and configuration with the token of the credential', async () => {
    const { requests, storage, blobServiceUrl } = await startBearerService();
    const credential = tokenOf('the-token');
    const store = createRecordStore({ location: storage, credential });
    expect(store.host).toBe('127.0.0.1');
    expect(await store.read('dynamics-prod')).toBeUndefined();
    await errorOf(readConfigurationBlob(`${blobServiceUrl}/settings/x`, { location: storage, credential }));
    expect(requests).toEqual([
      { url: '/token-rotator-records/dynamics-prod.json', authorization: 'Bearer the-token' },
      { url: '/settings/x', authorization: 'Bearer the-token' },
    ]);
  });

  it('fails with storage_forbidden if the credential is refused', async () => {
    const { storage } = await startBearerService();
    const refused = new SignInFailed({ what: 'was refused', fix: 'Sign in.' });
    const store = createRecordStore({
      location: storage,
      credential: { getToken: () => Promise.reject(refused) },
    });
    expect((await errorOf(store.list())).code).toBe('storage_forbidden');
  });

  it('does not wait for a credential that ignores the signal', async () => {
    const { storage } = await startBearerService();
    const access = { location: storage, credential: { getToken: () => new Promise<never>(() => {}) } };
    const error = await errorOf(createRecordStore(access, { timeoutMs: 100 }).list());
    expect(error.message).toContain('in time');
  });

  it.each([
    'https://example.com/settings/x',
    'https://account.blob.core.windows.net.example.com/settings/x',
    'http://account.blob.core.windows.net/settings/x',
    'https://user:pass@account.blob.core.windows.net/settings/x',
  ])('sends no token to %s', async (url) => {
    const { storage } = await startBearerService();
    const getToken = vi.fn(tokenOf('the-token').getToken);
    expect(
      (await errorOf(readConfigurationBlob(url, { location: storage, credential: { getToken } }))).code,
    ).toBe('configuration_invalid');
    expect(getToken).not.toHaveBeenCalled();
  });
});

it('an invalid connection string is not shown', async () => {
  const storage: StorageAccess['location'] = {
    kind: 'connectionString',
    connectionString: `AccountKey=${CANARY}`,
  };
  const error = await errorOf((async () => createRecordStore({ location: storage, credential: unused }))());
  expect(error.code).toBe('configuration_invalid');
});
