import { spawnSync } from 'node:child_process';
import { chmod, chown, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { ensureOwnDirectory, readOwnFile } from '../../cli/ownFile.ts';
import { readLocalStack } from '../../cli/readLocalStack.ts';
import { replaceFile } from '../../cli/replaceFile.ts';
import { readState } from '../../local/authorizationServer/dataFile.ts';
import { openDataDirectory } from '../../local/dataDirectory.ts';
import { loadSecrets } from '../../local/keyVault/persistence.ts';
import { loadAccount } from '../../local/storage/account.ts';
import { startAzurite } from '../../local/storage/azurite.ts';

const OTHER_USER = 65_534;
const isRoot = process.getuid?.() === 0;

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'rotator-planted-'));
});

afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(folder, { recursive: true });
});

const fifo = (path: string) => expect(spawnSync('/bin/sh', ['-c', 'mkfifo "$0"', path]).status).toBe(0);
const give = (path: string) => chown(path, OTHER_USER, OTHER_USER);

/** What another user can put in the place of a file, if they could ever write to its directory. */
const PLANTED: [string, (path: string) => Promise<unknown>][] = [
  ['a FIFO', async (path) => fifo(path)],
  ['a directory', (path) => mkdir(path)],
  ['a link to a file', (path) => writeFile(`${path}.aim`, '{}').then(() => symlink(`${path}.aim`, path))],
  ['a link to a device', (path) => symlink('/dev/zero', path)],
  ['a link to nothing', (path) => symlink('/nowhere', path)],
  ['a file that all may change', (path) => writeFile(path, '{}').then(() => chmod(path, 0o666))],
  ['a file that a group may change', (path) => writeFile(path, '{}').then(() => chmod(path, 0o620))],
];
// Only root can make a file of another user.
if (isRoot) PLANTED.push(['a file of another user', (path) => writeFile(path, '{}').then(() => give(path))]);

describe.skipIf(process.platform === 'win32')('another user of the machine who planted', () => {
  test.each(PLANTED)('%s stops no start and is not read', async (_, plant) => {
    const path = join(folder, 'planted');
    await plant(path);
    for (const read of [readOwnFile, loadSecrets, readState])
      expect(() => read(path)).toThrow(/^Cannot use the file .*planted: (it|other users)/);
    expect(() => readLocalStack(path)).toThrow('No local stack is running');
    await plant(join(folder, 'account.json'));
    expect(() => loadAccount(folder)).toThrow('Cannot use the file');
  });

  test.each(PLANTED)('%s as the record of a process is refused with a fix', async (_, plant) => {
    await plant(join(folder, 'process.json'));
    await expect(openDataDirectory(folder)).rejects.toThrow(/process\.json: .*\. Remove it\.$/);
  });

  test.each(PLANTED)(
    '%s as a left directory in the temporary folder does not stop a start',
    async (_, plant) => {
      vi.stubEnv('TMPDIR', folder);
      await mkdir(join(folder, 'token-rotator-left'));
      await plant(join(folder, 'token-rotator-left', 'process.json'));
      await (await openDataDirectory(undefined)).close();
      expect(await readdir(folder)).toEqual(['token-rotator-left']);
    },
  );

  test.each(PLANTED)('%s in the place of a file gets no text that is written there', async (_, plant) => {
    const path = join(folder, 'planted');
    await plant(path);
    const written = await replaceFile(path, 'secret').then(
      () => true,
      () => false,
    );
    if (written) expect(readOwnFile(path)).toBe('secret');
    expect(await readFile(`${path}.aim`, 'utf8').catch(() => '{}')).toBe('{}');
  });
});

describe.skipIf(process.platform === 'win32')('a directory for secrets', () => {
  test.each([0o777, 0o1777, 0o770, 0o757])(
    'that other users can write to is refused: mode %o',
    async (mode) => {
      await chmod(folder, mode);
      for (const open of [openDataDirectory, startAzurite, ensureOwnDirectory])
        await expect(open(folder)).rejects.toThrow(
          `Cannot use the directory ${folder}: other users can write to it. Choose a directory of your own.`,
        );
      expect(await readdir(folder)).toEqual([]);
    },
  );

  test('behind a link is judged, not the link', async () => {
    await mkdir(join(folder, 'shared'));
    await chmod(join(folder, 'shared'), 0o777);
    await symlink(join(folder, 'shared'), join(folder, 'link'));
    await expect(openDataDirectory(join(folder, 'link'))).rejects.toThrow('other users can write to it');
  });

  test.runIf(isRoot)('of another user is refused', async () => {
    await give(folder);
    await expect(openDataDirectory(folder)).rejects.toThrow('it belongs to another user');
  });

  test('that is made for a start is for its owner only', async () => {
    const data = await openDataDirectory(join(folder, 'a', 'b'));
    expect(await data.write('file', 'text')).toBe(join(folder, 'a', 'b', 'file'));
    await data.close();
    const listed = spawnSync('stat', ['-c', '%a', join(folder, 'a'), join(folder, 'a', 'b')], {
      encoding: 'utf8',
    });
    if (process.platform === 'linux') expect(listed.stdout).toBe('700\n700\n');
  });
});
