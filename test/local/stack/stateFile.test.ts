import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import type { LocalStack } from '../../../cli/readLocalStack.ts';
import { removeState, writeState } from '../../../local/stateFile.ts';

/** The state file of another stack, which runs in the parent process, and whose functions listen if `listens` is true. */
async function stateOfAnother({
  listens,
  processId = process.ppid,
}: {
  listens: boolean;
  processId?: number;
}) {
  const directory = await mkdtemp(join(tmpdir(), 'rotator-state-'));
  onTestFinished(() => rm(directory, { recursive: true }));
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  if (listens) onTestFinished(() => void server.close());
  else await new Promise((resolve) => server.close(resolve));
  const path = join(directory, 'stack.json');
  await writeFile(path, JSON.stringify({ processId, hostUrl: `http://127.0.0.1:${port}` }), { mode: 0o600 });
  return { path, processIdIn: async () => JSON.parse(await readFile(path, 'utf8')).processId };
}

const OWN = { processId: process.pid, hostUrl: 'http://127.0.0.1:1' } as LocalStack;

test('a second stack neither overwrites nor removes the state file of one that runs', async () => {
  const { path, processIdIn } = await stateOfAnother({ listens: true });
  expect(await writeState(path, OWN)).toBe(false);
  await removeState(path, process.pid);
  expect(await processIdIn()).toBe(process.ppid);
});

test('replaces the state file of a stack that was killed, even if another program has its process id', async () => {
  const { path, processIdIn } = await stateOfAnother({ listens: false });
  expect(await writeState(path, OWN)).toBe(true);
  expect(await processIdIn()).toBe(process.pid);
  await removeState(path, process.pid);
  await expect(processIdIn()).rejects.toThrow('ENOENT');
});

test('reports a state file that cannot be written, with a fix', async () => {
  const path = `${fileURLToPath(import.meta.url)}/stack.json`;
  await expect(writeState(path, { processId: process.pid } as LocalStack)).rejects.toThrow(
    /Cannot write .* \(\w+\), .* Make the directory .* writable for you/,
  );
});
