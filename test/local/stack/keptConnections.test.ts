import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { LOCAL_CONNECTIONS } from '../../../local/connections.ts';
import { type DataDirectory, openDataDirectory } from '../../../local/dataDirectory.ts';
import { writeConnections } from '../../../local/keptConnections.ts';

const OLD = 'http://127.0.0.1:4001/token';
const NEW = 'http://127.0.0.1:4002/token';
const ELSEWHERE = 'https://login.example/token';
const NAMES = LOCAL_CONNECTIONS.map(({ name }) => name);

let folder: string;
let data: DataDirectory;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'rotator-kept-'));
  data = await openDataDirectory(folder);
});

afterEach(() => rm(folder, { recursive: true }));

const write = (tokenUri: string) => writeConnections(data, LOCAL_CONNECTIONS, tokenUri);
const entries = async () =>
  JSON.parse(await readFile(data.file('connections.json'), 'utf8')).connections as Record<
    string,
    { tokenUri: string; [more: string]: unknown }
  >;

async function change(changed: (file: { connections: Record<string, object> }) => void) {
  const file = JSON.parse(await readFile(data.file('connections.json'), 'utf8'));
  changed(file);
  await writeFile(data.file('connections.json'), JSON.stringify(file));
}

test('keeps the entries of a user at the next start, and moves them to the new port of the authorization server', async () => {
  await write(OLD);
  await change((file) => {
    file.connections.added = { tokenUri: OLD, scope: 'openid' };
    file.connections.revocable = { tokenUri: OLD, revocationUri: `${OLD}/revocation` };
    file.connections.elsewhere = { tokenUri: ELSEWHERE };
    file.connections['demo-grace'] = { ...file.connections['demo-grace'], renewBefore: 5 };
  });
  await write(NEW);
  const kept = await entries();
  expect(kept.added).toEqual({ tokenUri: NEW, scope: 'openid' });
  expect(kept.revocable).toEqual({ tokenUri: NEW, revocationUri: `${NEW}/revocation` });
  expect(kept.elsewhere).toEqual({ tokenUri: ELSEWHERE });
  expect(kept['demo-grace']).toMatchObject({ tokenUri: NEW, renewBefore: 5 });
  expect(NAMES.map((name) => kept[name]?.tokenUri)).toEqual(NAMES.map(() => NEW));
});

test('adds our entries to a file that existed before the first start', async () => {
  await writeFile(
    data.file('connections.json'),
    `\uFEFF{"$schema":"./x.json","connections":{"mine":{"tokenUri":"${ELSEWHERE}"}}}`,
  );
  await write(NEW);
  expect(Object.keys(await entries())).toEqual(['mine', ...NAMES]);
  expect(await readFile(data.file('connections.json'), 'utf8')).toContain('"$schema"');
});

test('moves no other entry with an entry of ours that a user pointed elsewhere', async () => {
  await write(OLD);
  await change((file) => {
    file.connections['demo-grace'] = { tokenUri: ELSEWHERE };
    file.connections.elsewhere = { tokenUri: ELSEWHERE };
  });
  await write(NEW);
  expect((await entries()).elsewhere).toEqual({ tokenUri: ELSEWHERE });
});

test.each([
  ['no JSON', '{"connections": {,}}', 'line 1, column 18'],
  ['another shape', '{"connections": []}', 'connections.schema.json'],
])('reports a file that is %s, and leaves it unchanged', async (_, text, expected) => {
  await writeFile(data.file('connections.json'), text);
  await expect(write(NEW)).rejects.toThrow(expected);
  await expect(write(NEW)).rejects.toThrow('the file is unchanged');
  expect(await readFile(data.file('connections.json'), 'utf8')).toBe(text);
});
