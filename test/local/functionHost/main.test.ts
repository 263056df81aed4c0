import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { text as textOf } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { afterEach, expect, test } from 'vitest';

const path = (name: string) => fileURLToPath(new URL(name, import.meta.url));
let child: ChildProcess | undefined;

afterEach(() => child?.kill('SIGKILL'));

/** Starts the host with an IPC channel and captures its output; resolves when it listens. */
const PARENT = `
  const host = require('node:child_process').spawn(process.execPath, [process.argv[1]], {
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
  });
  host.stdout.once('data', () => console.log('listening'));
`;

function settings(env: Record<string, string> = {}): Record<string, string | undefined> {
  return {
    PATH: process.env.PATH,
    FUNCTIONS_PORT: '0',
    FUNCTIONS_ENTRY: path('./fixture/index.ts'),
    FUNCTIONS_HOST_JSON: path('./fixture/host.json'),
    FIXTURE_SCHEDULE: '0 0 0 1 1 *',
    ...env,
  };
}

/** Starts the host as a process with an IPC channel; `line` waits until it has printed that line. */
function startMain(env: Record<string, string> = {}) {
  const started = spawn(process.execPath, [path('../../../local/functionHost/main.ts')], {
    env: settings(env),
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  child = started;
  const lines: string[] = [];
  const errors: string[] = [];
  const stdout = createInterface({ input: started.stdout as NodeJS.ReadableStream });
  const stderr = createInterface({ input: started.stderr as NodeJS.ReadableStream });
  stdout.on('line', (text) => lines.push(text));
  const line = async (text: string) => {
    while (!lines.includes(text)) await once(stdout, 'line');
  };
  stderr.on('line', (text) => errors.push(text));
  // Not the child's own "close" event: it does not occur after the parent has disconnected.
  const ends = [once(started, 'exit'), once(stdout, 'close'), once(stderr, 'close')];
  const closed = Promise.all(ends).then(([exit]) => exit);
  return { child: started, lines, errors, closed, listening: listeningUrl(stdout, closed), line };
}

async function listeningUrl(reader: AsyncIterable<string> & NodeJS.EventEmitter, closed: Promise<unknown>) {
  const first = await Promise.race([once(reader, 'line'), closed]);
  return /^Functions listening on (http:\S+)$/.exec(String((first as unknown[])[0]))?.[1];
}

test('serves the functions, and exits with 0 on SIGTERM after the hooks, without losing a line of a function', async () => {
  const { child, lines, errors, closed, listening, line } = startMain();
  const url = await listening;
  const held = fetch(`${url}/api/held`).then((response) => response.text());
  await line('held function began');
  child.kill('SIGTERM');
  expect(await closed).toEqual([0, null]);
  expect(await held).toBe('held');
  expect(lines.slice(1)).toEqual(['held function began', 'fixture terminated']);
  expect(errors).toEqual([]);
});

test.each(['SIGINT', 'SIGTERM'] as const)('ignores a second %s', async (signal) => {
  const { child, lines, closed, listening } = startMain();
  await listening;
  child.kill('SIGTERM');
  child.kill(signal);
  expect(await closed).toEqual([0, null]);
  expect(lines.at(-1)).toBe('fixture terminated');
});

test('stops when its parent closes the IPC channel', async () => {
  const { child, lines, closed, listening } = startMain();
  await listening;
  child.disconnect();
  expect(await closed).toEqual([0, null]);
  expect(lines.at(-1)).toBe('fixture terminated');
});

test('stops after its parent was killed, even if no process reads its output', async () => {
  const main = path('../../../local/functionHost/main.ts');
  const parent = spawn(process.execPath, ['-e', PARENT, main], {
    env: settings(),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  child = parent;
  await once(parent.stdout, 'data');
  parent.kill('SIGKILL');
  // The host has the same stderr, so this pipe closes when both processes have ended.
  expect(await textOf(parent.stderr)).toBe('');
});

test('runs its timers on schedule', async () => {
  const { child, closed, line } = startMain({ FIXTURE_SCHEDULE: '* * * * * *' });
  await line('timer ran');
  child.kill('SIGTERM');
  expect(await closed).toEqual([0, null]);
});

test.each([
  [{ FUNCTIONS_PORT: '70710' }, 'FUNCTIONS_PORT is "70710"; set it to a number from 0 to 65535.'],
  [
    { FUNCTIONS_ENTRY: path('./fixture/unsupportedRoute.ts') },
    'Function "numbered": the local host does not support "{id:int}"',
  ],
  [
    { FUNCTIONS_ENTRY: path('./fixture/unsupportedHook.ts') },
    'The local host does not support the hook preInvocation',
  ],
  [{ FIXTURE_SCHEDULE: '' }, 'the setting FIXTURE_SCHEDULE is missing'],
  [{ FUNCTIONS_HOST_JSON: path('./fixture/index.ts') }, 'host.json is not valid JSON'],
  [{ FUNCTIONS_ENTRY: path('./fixture/state.ts') }, 'No function is registered'],
])('a failed start prints one line on stderr and exits with 1: %o', async (env, message) => {
  const { errors, closed } = startMain(env);
  expect(await closed).toEqual([1, null]);
  expect(errors).toEqual([expect.stringContaining(message)]);
});
