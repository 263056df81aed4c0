import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BlobServiceClient } from '@azure/storage-blob';
import { expect, it, onTestFinished, vi } from 'vitest';
import { startAzurite } from '../../../local/storage/azurite.ts';

// Each start takes two seconds, and several times that on a busy machine.
vi.setConfig({ testTimeout: 120_000 });

async function start(dataDirectory?: string) {
  const azurite = await startAzurite(dataDirectory);
  onTestFinished(() => azurite.close());
  return azurite;
}

async function directory(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'azurite-test-'));
  onTestFinished(() => rm(path, { recursive: true, force: true }));
  return path;
}

function isRunning(processId: number): boolean {
  try {
    return process.kill(processId, 0);
  } catch {
    return false;
  }
}

it('serves an account with its own key', async () => {
  const azurite = await start();
  const emulator = BlobServiceClient.fromConnectionString('UseDevelopmentStorage=true');
  // The SDK contains the emulator's well-known key; written here, it would look like a secret.
  const wellKnown = (Reflect.get(emulator.credential, 'accountKey') as Buffer).toString('base64');
  const service = BlobServiceClient.fromConnectionString(azurite.connectionString);
  await service.createContainer('one');
  const guessed = BlobServiceClient.fromConnectionString(
    azurite.connectionString.replace(/AccountKey=[^;]+/, `AccountKey=${wellKnown}`),
    { retryOptions: { maxTries: 1 } },
  );
  await expect(guessed.createContainer('two')).rejects.toMatchObject({ statusCode: 403 });
});

it('keeps account, port and blobs across a restart', async () => {
  const dataDirectory = await directory();
  const first = await startAzurite(dataDirectory);
  await BlobServiceClient.fromConnectionString(first.connectionString).createContainer('kept');
  await first.close();
  expect(isRunning(first.processId)).toBe(false);
  const second = await start(dataDirectory);
  expect(second.connectionString).toBe(first.connectionString);
  const container = BlobServiceClient.fromConnectionString(second.connectionString).getContainerClient(
    'kept',
  );
  expect(await container.exists()).toBe(true);
  expect((await stat(join(dataDirectory, 'account.json'))).mode & 0o777).toBe(0o600);
});

it('names the directory whose stored port is taken', async () => {
  const { blobServiceUrl } = await start();
  const dataDirectory = await directory();
  const port = Number(new URL(blobServiceUrl).port);
  await writeFile(join(dataDirectory, 'account.json'), JSON.stringify({ name: 'a', key: 'a', port }));
  await expect(startAzurite(dataDirectory)).rejects.toThrow(
    new RegExp(`^Port ${port} of 127.0.0.1, which the storage in ${dataDirectory} needs, is in use`),
  );
});

it('reports a damaged account file and leaves it unchanged', async () => {
  const dataDirectory = await directory();
  await (await startAzurite(dataDirectory)).close();
  const file = join(dataDirectory, 'account.json');
  await writeFile(file, '{');
  await expect(startAzurite(dataDirectory)).rejects.toThrow(/account\.json is damaged/);
  expect(await readFile(file, 'utf8')).toBe('{');
});

it('receives the message to end even if its parent ends before it listens to messages', async () => {
  const preload = new URL('../../../local/storage/preload.ts', import.meta.url).href;
  const code = `
    const end = (message) => process.exit(message === 'shutdown' ? 7 : 8);
    process.once('disconnect', () => setImmediate(() => process.once('message', end)));
    setInterval(() => {}, 1000);
    process.send('ready');`;
  const child = spawn(process.execPath, ['--import', preload, '--eval', code], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  await once(child, 'message');
  child.disconnect();
  expect(await once(child, 'exit')).toEqual([7, null]);
});

it('can be closed twice', async () => {
  const azurite = await startAzurite();
  await Promise.all([azurite.close(), azurite.close()]);
  await azurite.close();
});

it('ends with its parent, even if that is killed, and saves its data', async () => {
  const dataDirectory = await directory();
  const module = new URL('../../../local/storage/azurite.ts', import.meta.url).href;
  const code = `
    import { startAzurite } from ${JSON.stringify(module)};
    const azurite = await startAzurite(${JSON.stringify(dataDirectory)});
    console.log(JSON.stringify(azurite));
    setInterval(() => {}, 1000);`;
  const parent = spawn(process.execPath, ['--input-type=module-typescript', '--eval', code], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = await once(parent.stdout, 'data');
  const { processId, connectionString } = JSON.parse(String(line));
  await BlobServiceClient.fromConnectionString(connectionString).createContainer('kept');
  parent.kill('SIGKILL');
  await expect.poll(() => isRunning(processId), { timeout: 30_000 }).toBe(false);
  const next = await start(dataDirectory);
  const container = BlobServiceClient.fromConnectionString(next.connectionString).getContainerClient('kept');
  expect(await container.exists()).toBe(true);
});
