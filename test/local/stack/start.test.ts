import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, expect, test } from 'vitest';

import { until } from '../../support/until.ts';

const START = fileURLToPath(new URL('../../../local/start.ts', import.meta.url));
const directories: string[] = [];
const children: ChildProcess[] = [];

afterAll(async () => {
  // The children of a failed test still run.
  for (const child of children) child.kill('SIGKILL');
  await Promise.all(directories.map((directory) => rm(directory, { recursive: true, force: true })));
});

interface Running {
  readonly child: ChildProcess;
  readonly output: () => string;
  readonly exit: Promise<number | null>;
  /** Resolves when the output contains the text. */
  seen(text: string): Promise<void>;
}

function start(...args: string[]): Running {
  return startWith({}, ...args);
}

function startWith(env: Readonly<Record<string, string>>, ...args: string[]): Running {
  const child = spawn(process.execPath, [START, ...args], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  children.push(child);
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk) => (output += chunk));
  const exit = once(child, 'close').then(([code]) => code as number | null);
  const seen = async (text: string) => {
    while (!output.includes(text))
      await Promise.race([
        once(child.stdout as NodeJS.ReadableStream, 'data'),
        exit.then(() => Promise.reject(new Error(output))),
      ]);
  };
  return { child, output: () => output, exit, seen };
}

async function temporaryDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'rotator-test-'));
  directories.push(directory);
  return directory;
}

/** Every long string in the files of the servers: it includes secrets and tokens, and many harmless strings. */
async function secretsIn(directory: string): Promise<string[]> {
  const vaults = ['credential-vault.json', 'token-vault.json'].map((file) => join(directory, file));
  const found: string[] = [];
  for (const file of vaults) {
    JSON.parse(await readFile(file, 'utf8'), (key, value) => {
      if (key === 'value' && typeof value === 'string') found.push(value);
      return value;
    });
  }
  const files = (await readdir(directory)).filter((file) => file.endsWith('.secret'));
  const secrets = await Promise.all(files.map((file) => readFile(join(directory, file), 'utf8')));
  return [...found, ...secrets].filter((value) => !value.startsWith('demo-') && value !== 'pending');
}

test('--rotations exits with 0 and prints no secret', async () => {
  const directory = await temporaryDirectory();
  const run = start('--rotations', '4', '--port', '0', '--data', directory);
  expect(await run.exit, run.output()).toBe(0);
  expect(run.output()).toContain('access token 4 of 4 works');
  const secrets = await secretsIn(directory);
  expect(secrets.length).toBeGreaterThan(10);
  expect(secrets.filter((secret) => run.output().includes(secret))).toEqual([]);
}, 120_000);

test('the printed commands work, and Ctrl-C stops everything', async () => {
  const run = start('--port', '0');
  await run.seen('demo-wrong-secret  blocked');
  await run.seen('demo-single-use    rotated');
  const command = (part: string) =>
    run
      .output()
      .split('\n')
      .find((line) => line.includes('  curl') && line.includes(part)) ?? '';
  const shell = async (line: string) =>
    JSON.parse((await promisify(execFile)('bash', ['-c', `${line} --silent --show-error`])).stdout);
  const rotate = command('rotate?force=true');
  await until(() => shell(rotate), { result: 'rotated', connection: 'demo-single-use' });
  const status =
    run
      .output()
      .split('\n')
      .find((line) => line.endsWith('/api/connections')) ?? '';
  const { connections } = await shell(status);
  expect(connections.map(({ name }: { name: string }) => name)).toContain('demo-single-use');
  expect((await shell(command('access-token'))).attributes.exp * 1000).toBeGreaterThan(Date.now());
  await shell(command('-X PUT'));
  const repaired = rotate.replace('demo-single-use', 'demo-wrong-secret');
  await until(() => shell(repaired), { result: 'rotated', connection: 'demo-wrong-secret' });
  run.child.kill('SIGINT');
  expect(await run.exit, run.output()).toBe(0);
}, 120_000);

test('reports a data directory that is a file', async () => {
  const file = fileURLToPath(import.meta.url);
  const run = start('--data', file);
  expect(await run.exit).toBe(1);
  expect(run.output()).toContain(`Cannot make the data directory ${file} (EEXIST)`);
});

test.skipIf(process.platform !== 'linux')('reports a data directory where none can be made', async () => {
  const run = start('--data', '/proc/x');
  expect(await run.exit).toBe(1);
  expect(run.output()).toContain('Cannot make the data directory /proc/x (ENOENT). Choose another one.');
});

test('ends quietly when the reader of its output closes the pipe, and leaves nothing behind', async () => {
  const directory = await temporaryDirectory();
  const run = startWith({ TMPDIR: directory }, '--port', '0');
  await run.seen('Starting the authorization server');
  run.child.stdout?.destroy();
  expect(await run.exit).toBe(0);
  expect(run.output()).toBe(
    'Starting the authorization server, two vaults, the storage account and the functions ...\n',
  );
  expect(await readdir(directory)).toEqual([]);
}, 60_000);

test('removes the temporary secrets of a stack that was killed', async () => {
  const directory = await temporaryDirectory();
  const first = startWith({ TMPDIR: directory }, '--port', '0');
  await first.seen('The rotator runs');
  first.child.kill('SIGKILL');
  await first.exit;
  const left = (await readdir(directory)).filter((name) => name.startsWith('token-rotator-'));
  expect(left).toHaveLength(1);
  const second = startWith({ TMPDIR: directory }, '--port', '0');
  await second.seen('The rotator runs');
  expect(await readdir(directory)).not.toContain(left[0]);
  // As when the terminal's window is closed.
  second.child.kill('SIGHUP');
  expect(await second.exit, second.output()).toBe(0);
  expect(await readdir(directory)).toEqual([]);
}, 120_000);

test('ends if its storage account ends, which only a new start repairs', async () => {
  const run = start('--port', '0', '--data', await temporaryDirectory());
  await run.seen('The rotator runs');
  const { pid } = run.child;
  const children = (await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8')).trim().split(' ');
  const lines = await Promise.all(children.map((each) => readFile(`/proc/${each}/cmdline`, 'utf8')));
  process.kill(Number(children[lines.findIndex((line) => line.includes('azurite'))]), 'SIGKILL');
  expect(await run.exit).toBe(1);
  expect(run.output()).toContain('The storage account ended unexpectedly by a signal. Stopping ...');
}, 60_000);

test('Ctrl-C during the start ends it, and leaves nothing behind', async () => {
  const directory = await temporaryDirectory();
  const run = startWith({ TMPDIR: directory }, '--port', '0');
  await run.seen('Starting the authorization server');
  run.child.kill('SIGINT');
  expect(await run.exit, run.output()).toBe(0);
  expect(run.output()).toContain('Stopping ...');
  expect(run.output()).not.toContain('The rotator runs');
  expect(await readdir(directory)).toEqual([]);
}, 60_000);

test('reports a second start with the same data, and ignores a stray setting of the shell', async () => {
  const directory = await temporaryDirectory();
  const stray = { VAULT_WRITES_PER_10_SECONDS: 'abc', REQUIRED_APP_ROLE: 'unknown', AZURE_CLIENT_ID: 'x' };
  const first = startWith(stray, '--port', '0', '--data', directory);
  await first.seen('demo-single-use    rotated');
  const second = start('--port', '0', '--data', directory);
  expect(await second.exit).toBe(1);
  expect(second.output()).toContain(`Another local stack runs with the data directory ${directory}`);
  first.child.kill('SIGTERM');
  expect(await first.exit, first.output()).toBe(0);
}, 120_000);

test.each([
  [['--data', ''], '--data requires the path of a directory, but the value is empty.'],
  [['--rotations', 'many'], '--rotations requires a whole number'],
  [['--port', '70000'], '--port requires a whole number'],
  [['--nonsense'], 'nonsense'],
])('refuses %s with a message and the usage', async (args, message) => {
  const run = start(...args);
  expect(await run.exit).toBe(2);
  expect(run.output()).toContain(message);
  expect(run.output()).toContain('Usage: npm start');
});
