import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { appendEntry } from '../../../cli/connectionsFile.ts';
import { readEnvironment } from '../../../lib/config/environment.ts';
import type { Settings } from '../../../lib/config/settings.ts';
import { GOOD_ENV } from '../config/support.ts';

const ENTRY = { tokenUri: 'https://login.example/token' };
let folder: string;
let path: string;
let settings: Settings;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'rotator-entries-'));
  path = join(folder, 'connections.json');
  await writeFile(path, '{"connections":{}}', { mode: 0o600 });
  settings = readEnvironment({ ...GOOD_ENV, CONNECTIONS: path });
});

afterEach(() => rm(folder, { recursive: true }));

const names = async () => Object.keys(JSON.parse(await readFile(path, 'utf8')).connections);

test('concurrent commands keep the entries of each other', async () => {
  const wanted = Array.from({ length: 8 }, (_, index) => `crm-${index}`);
  await Promise.all(wanted.map((name) => appendEntry(name, ENTRY, settings)));
  expect((await names()).toSorted()).toEqual(wanted);
  expect(await readdir(folder)).toEqual(['connections.json']);
  expect((await stat(path)).mode & 0o777).toBe(0o600);
});

test('an invalid entry leaves the file unchanged', async () => {
  await expect(appendEntry('crm', { tokenUri: 'nowhere' }, settings)).rejects.toMatchObject({
    code: 'connection_invalid',
  });
  expect(await names()).toEqual([]);
  expect(await readdir(folder)).toEqual(['connections.json']);
});
