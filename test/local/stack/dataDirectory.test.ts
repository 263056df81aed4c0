import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { openDataDirectory } from '../../../local/dataDirectory.ts';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'rotator-data-'));
});

afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(folder, { recursive: true });
});

/** The id of a process that has ended. */
async function endedProcess(): Promise<number> {
  const child = spawn(process.execPath, ['--version'], { stdio: 'ignore' });
  await once(child, 'exit');
  return child.pid ?? 0;
}

const claimOf = (processId: number, host = hostname()) => JSON.stringify({ processId, host });

test('refuses a directory that another process works in, and names the process', async () => {
  await writeFile(join(folder, 'process.json'), claimOf(process.ppid));
  await expect(openDataDirectory(folder)).rejects.toThrow(
    `Another local stack runs with the data directory ${folder} (process ${process.ppid})`,
  );
});

test('takes over a directory whose process has ended, and frees it at the end', async () => {
  await writeFile(join(folder, 'process.json'), claimOf(await endedProcess()));
  const data = await openDataDirectory(folder);
  expect(await data.read('process.json')).toBe(claimOf(process.pid));
  await data.close();
  expect(await readdir(folder)).toEqual([]);
});

test('refuses a directory with files of others, and changes nothing in it', async () => {
  await writeFile(join(folder, 'connections.json'), '{}');
  await expect(openDataDirectory(folder)).rejects.toThrow(
    `${folder} has files that no local stack made. Choose an empty directory, or a new one.`,
  );
  expect(await readdir(folder)).toEqual(['connections.json']);
});

test('marks an empty directory, keeps it out of repositories, and opens it again', async () => {
  await (await openDataDirectory(folder)).close();
  expect(await readdir(folder)).toEqual(['.gitignore']);
  await writeFile(join(folder, 'seeded'), '');
  expect(await openDataDirectory(folder)).toHaveProperty('fresh', false);
});

test('removes only the directories that killed processes left behind', async () => {
  vi.stubEnv('TMPDIR', folder);
  const ended = await endedProcess();
  const owners: [string, string | undefined][] = [
    ['token-rotator-left', claimOf(ended)],
    ['token-rotator-alive', claimOf(process.ppid)],
    ['token-rotator-unknown', undefined],
    ['token-rotator-of-another-host', claimOf(ended, 'another-host')],
    ['something-else', claimOf(ended)],
  ];
  for (const [name, text] of owners) {
    await mkdir(join(folder, name));
    if (text) await writeFile(join(folder, name, 'process.json'), text);
  }
  await (await openDataDirectory(undefined)).close();
  expect((await readdir(folder)).toSorted()).toEqual(
    owners
      .map(([name]) => name)
      .slice(1)
      .toSorted(),
  );
});

test('reports a missing place for temporary files with a fix', async () => {
  vi.stubEnv('TMPDIR', join(folder, 'nowhere'));
  await expect(openDataDirectory(undefined)).rejects.toThrow(/nowhere \(ENOENT\)\. Set TMPDIR .*--data DIR/);
});

test('reports an unusable directory with a fix', async () => {
  await mkdir(join(folder, 'process.json'));
  await expect(openDataDirectory(folder)).rejects.toThrow(
    `Cannot use the file ${join(folder, 'process.json')}: it is not a regular file. Remove it.`,
  );
});
