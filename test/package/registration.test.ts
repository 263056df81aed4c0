import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Built, buildElsewhere, runNode } from './support.ts';

const WORKER = fileURLToPath(new URL('./stubbedWorker.ts', import.meta.url));

type Binding = Record<string, unknown>;
interface Registered {
  readonly functions: Record<string, Record<string, Binding>>;
  readonly hooks: string[];
  readonly network: string[];
}

let built: Built;
let registered: Registered;

beforeAll(async () => {
  built = await buildElsewhere();
  const { main } = JSON.parse(await readFile(join(built.folder, 'package.json'), 'utf8'));
  // Node's permission model forbids it to write, to start processes and to read anything else.
  const rights = ['--permission', `--allow-fs-read=${built.folder}`, `--allow-fs-read=${WORKER}`];
  const { code, out, err } = await runNode([...rights, '--import', WORKER, main], built.folder);
  expect({ code, err }).toEqual({ code: 0, err: '' });
  registered = JSON.parse(out);
});
afterAll(async () => built?.remove());

/** The one trigger of a function. */
function trigger(name: string): Binding | undefined {
  const [only, ...more] = Object.values(registered.functions[name] ?? {}).filter(({ type }) =>
    String(type).endsWith('Trigger'),
  );
  expect(more).toEqual([]);
  return only;
}

test('the bundle registers the five functions and no other', () => {
  expect(Object.keys(registered.functions).toSorted()).toEqual([
    'connectionStatus',
    'health',
    'rotateConnection',
    'rotateDue',
    'rotateOnSchedule',
  ]);
});

test('the timer takes its schedule from the settings and does not run when the host starts', () => {
  const timer = trigger('rotateOnSchedule');
  expect(timer).toMatchObject({ type: 'timerTrigger', schedule: '%ROTATION_SCHEDULE%' });
  expect(timer?.runOnStartup ?? false).toBe(false);
});

test.each([
  ['rotateConnection', ['POST'], 'connections/{name}/rotate', 'function'],
  ['rotateDue', ['POST'], 'rotate', 'function'],
  ['connectionStatus', ['GET'], 'connections/{name?}', 'function'],
  ['health', ['GET', 'HEAD'], 'health', 'anonymous'],
])('%s answers %j at %s with the key level %s', (name, methods, route, authLevel) => {
  expect(trigger(name)).toMatchObject({ type: 'httpTrigger', methods, route, authLevel });
});

test('what was received is saved when the host ends: the bundle hooks on to that', () => {
  expect(registered.hooks).toEqual(['appTerminate']);
});

test('loading the bundle asks nobody for anything', () => expect(registered.network).toEqual([]));
