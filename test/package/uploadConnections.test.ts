import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BlobServiceClient, BlockBlobClient, type ContainerClient } from '@azure/storage-blob';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { RotatorError } from '../../lib/errors.ts';
import { type Azurite, startAzurite } from '../../local/storage/azurite.ts';
import { asProgram, BUNDLE, bundle } from '../../scripts/build/bundle.ts';
import { uploadConnections } from '../../scripts/deploy/uploadConnections.ts';
import { ROOT, runNode } from './support.ts';

const GOOD = '{ "connections": { "a": { "tokenUri": "https://login.example.com/token" } } }\n';
const ENV = {
  CONNECTIONS_SOURCE: 'blob',
  CONNECTIONS_BLOB_URL: 'https://account.blob.core.windows.net/config/connections.json',
  CREDENTIAL_VAULT_URL: 'https://credentials.vault.azure.net',
  TOKEN_VAULT_URL: 'https://tokens.vault.azure.net',
};

let azurite: Azurite;
let container: ContainerClient;
beforeAll(async () => {
  azurite = await startAzurite();
  container = BlobServiceClient.fromConnectionString(azurite.connectionString).getContainerClient('config');
  await container.create();
});
afterAll(async () => azurite?.close());

/** Runs the upload with a file of this content, against its own blob. */
async function run(name: string, file: string | Uint8Array | undefined, env: Record<string, string> = ENV) {
  const said: string[] = [];
  const asked: string[] = [];
  const blob = container.getBlockBlobClient(name);
  const result = await uploadConnections(env, {
    readFile: async (path) => {
      asked.push(path);
      if (file === undefined) throw new Error('ENOENT');
      return Buffer.from(file);
    },
    blobAt: () => blob,
    wait: async () => {},
    say: (line) => said.push(line),
  }).then(
    () => undefined,
    (thrown: RotatorError) => thrown,
  );
  return { thrown: result, said: said.join('\n'), asked };
}

const stored = async (name: string) =>
  (await container.getBlobClient(name).exists())
    ? (await container.getBlobClient(name).downloadToBuffer()).toString()
    : undefined;

test('stores a valid file byte for byte, and a newer one over it', async () => {
  const first = await run('good.json', GOOD);
  expect(first).toEqual({
    thrown: undefined,
    said: expect.stringContaining('connections: 1'),
    asked: ['connections.json'],
  });
  expect(await stored('good.json')).toBe(GOOD);
  const { contentType } = await container.getBlobClient('good.json').getProperties();
  expect(contentType).toBe('application/json');
  await run('good.json', `\uFEFF${GOOD}`);
  expect(await stored('good.json')).toBe(`\uFEFF${GOOD}`);
});

test('uploads another file if CONNECTIONS_FILE names it', async () => {
  const { asked } = await run('other.json', GOOD, { ...ENV, CONNECTIONS_FILE: 'production.json' });
  expect(asked).toEqual(['production.json']);
});

test('stores a file without connections if ALLOW_NO_CONNECTIONS says so', async () => {
  const none = '{ "connections": {} }';
  const { said } = await run('none.json', none, { ...ENV, ALLOW_NO_CONNECTIONS: 'true' });
  expect(said).toContain('connections: 0');
  expect(await stored('none.json')).toBe(none);
});

test('reads and stores nothing if the connections are in the parameters', async () => {
  const result = await run('inline.json', GOOD, { ...ENV, CONNECTIONS_SOURCE: 'inline' });
  expect(result).toEqual({
    thrown: undefined,
    said: expect.stringContaining('no file to upload'),
    asked: [],
  });
  expect(await stored('inline.json')).toBeUndefined();
});

test('prints the warnings of the deployment, wherever the connections are', async () => {
  const WARNINGS = 'No address for alarms is set: set alarmEmails and deploy again.';
  const { said } = await run('warned.json', GOOD, { CONNECTIONS_SOURCE: 'inline', WARNINGS });
  expect(said).toContain(`Warning: ${WARNINGS}`);
});

describe('refuses a bad file with its cause, and keeps the stored file', () => {
  test.each<[string, string | Uint8Array | undefined, string, string]>([
    ['a wrong entry', GOOD.replace('tokenUri', 'tokenUrl'), 'tokenUrl', 'Rename tokenUrl to tokenUri.'],
    ['one wrong entry of two', GOOD.replace('{ "a"', '{ "b c": {}, "a"'), 'connections.b?c', 'Rename'],
    ['http', GOOD.replace('https', 'http'), 'connections.a.tokenUri must', 'https'],
    ['no JSON', GOOD.slice(0, 40), 'is not valid JSON (line 1, column', 'Correct it'],
    ['an empty file', '', 'is empty', 'Write {"connections"'],
    ['no connection', '{ "connections": {} }', 'has no connections', 'ALLOW_NO_CONNECTIONS to true'],
    ['no text', Uint8Array.of(0x7b, 0xff), 'is not valid UTF-8', 'Save'],
    ['too much', `${' '.repeat(4 * 1024 * 1024)}${GOOD}`, 'larger than 4 MB', 'Split'],
    ['no file', undefined, 'connections.json.', 'CONNECTIONS_FILE'],
  ])('%s', async (name, file, cause, fix) => {
    const before = 'as before';
    await container.getBlockBlobClient(name).upload(before, before.length);
    const { thrown, said } = await run(name, file);
    expect(thrown).toMatchObject({
      name: 'RotatorError',
      code: 'configuration_invalid',
      message: expect.stringContaining(cause),
      fix: expect.stringContaining(fix),
    });
    expect(said).toBe('');
    expect(await stored(name)).toBe(before);
  });

  const otherVault = GOOD.replace('" }', '", "vaults": { "token": "https://other.vault.azure.net" } }');
  test.each([
    ['ALLOWED_TOKEN_HOSTS', GOOD, 'login.example.com', 'other.example.com'],
    ['ALLOWED_VAULTS', otherVault, 'https://other.vault.azure.net', 'https://third.vault.azure.net'],
  ])('an entry beyond %s of the deployment', async (name, file, allowed, other) => {
    expect((await run(`${name}.json`, file, { ...ENV, [name]: allowed })).thrown).toBeUndefined();
    const { thrown } = await run(`${name}.json`, `${file} `, { ...ENV, [name]: other });
    expect(thrown).toMatchObject({ code: 'configuration_invalid', message: expect.stringContaining(name) });
    expect(await stored(`${name}.json`)).toBe(file);
  });

  test('http, even if the environment allows it to a rotator on this machine', async () => {
    const local = GOOD.replace('https://login.example.com', 'http://127.0.0.1:8080');
    expect((await run('local.json', local, { ...ENV, ALLOW_LOOPBACK_HTTP: 'true' })).thrown).toMatchObject({
      code: 'configuration_invalid',
    });
  });

  test.each(['CONNECTIONS_BLOB_URL', 'CREDENTIAL_VAULT_URL'])('%s is missing', async (variable) => {
    const { thrown } = await run('missing.json', GOOD, { ...ENV, [variable]: '' });
    expect(thrown).toMatchObject({ code: 'configuration_invalid', message: `${variable} is not set.` });
    expect(await stored('missing.json')).toBeUndefined();
  });
});

describe('a storage account that refuses', () => {
  /** Runs the upload against a server that answers 403 so many times, then 201. */
  async function refusing(times: number, code: string) {
    let requests = 0;
    const server = createServer((request, response) => {
      request.resume();
      requests += 1;
      if (requests > times) response.writeHead(201, { etag: '"1"' }).end();
      else response.writeHead(403, { 'x-ms-error-code': code }).end();
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const waits: number[] = [];
    const thrown = await uploadConnections(ENV, {
      readFile: async () => Buffer.from(GOOD),
      blobAt: () => new BlockBlobClient(`http://127.0.0.1:${port}/config/connections.json`),
      wait: async (ms) => waits.push(ms),
      say: () => {},
    }).catch((error: RotatorError) => error);
    server.closeAllConnections();
    server.close();
    return { thrown, requests, waited: waits.reduce((sum, ms) => sum + ms, 0) };
  }

  test('waits until a new role takes effect', async () => {
    expect(await refusing(3, 'AuthorizationPermissionMismatch')).toEqual({
      thrown: undefined,
      requests: 4,
      waited: 180_000,
    });
  });

  test('names a missing role after half an hour', async () => {
    const { thrown, waited } = await refusing(Number.POSITIVE_INFINITY, 'AuthorizationPermissionMismatch');
    expect(thrown).toMatchObject({ code: 'storage_forbidden', fix: expect.stringContaining('operators') });
    expect(waited).toBe(30 * 60_000);
  });

  test('reports a closed firewall immediately', async () => {
    const { thrown, requests } = await refusing(Number.POSITIVE_INFINITY, 'AuthorizationFailure');
    expect(thrown).toMatchObject({
      code: 'storage_forbidden',
      message: expect.stringContaining('firewall'),
      fix: expect.stringContaining('allowedIpRanges'),
    });
    expect(requests).toBe(1);
  });
});

test('the bundle of the upload needs no installed package', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'upload-bundle-'));
  const file = join(folder, 'upload.mjs');
  await writeFile(file, (await bundle(ROOT, asProgram('scripts/uploadConnections.ts'))).files[BUNDLE]);
  expect(await runNode([file], folder)).toMatchObject({
    code: 0,
    out: expect.stringContaining('there is no file to upload'),
  });
  await rm(folder, { recursive: true });
});
