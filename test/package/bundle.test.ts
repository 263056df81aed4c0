import { readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Metafile } from 'esbuild';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openDataDirectory } from '../../local/dataDirectory.ts';
import { environmentOf } from '../../local/environment.ts';
import { startHostProcess } from '../../local/hostProcess.ts';
import { seedConnections } from '../../local/seed.ts';
import { startServers } from '../../local/servers.ts';
import { asFunctions, bundle } from '../../scripts/build/bundle.ts';
import { nextToken, rotateSoon, statusOf, statusWhere } from '../faults/process/stage.ts';
import { startForwardProxy } from '../support/forwardProxy.ts';
import { localConnection } from '../support/localConnection.ts';
import { type Built, buildElsewhere, ROOT, runNode } from './support.ts';

const WORKER = fileURLToPath(new URL('./stubbedWorker.ts', import.meta.url));

const CONNECTION = localConnection('bundled');

type Binding = Record<string, unknown>;
interface Registered {
  readonly functions: Record<string, Record<string, Binding>>;
  readonly hooks: string[];
  readonly network: string[];
  readonly files: string[];
}

let built: Built;
let main: string;
let registered: Registered;

beforeAll(async () => {
  built = await buildElsewhere();
  main = JSON.parse(await readFile(join(built.folder, 'package.json'), 'utf8')).main;
  // Node's permission model prevents the bundle from writing, starting processes and reading anything else.
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

test('the bundle registers exactly the six functions', () => {
  expect(Object.keys(registered.functions).toSorted()).toEqual([
    'connectionStatus',
    'health',
    'removeConnections',
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
  ['removeConnections', ['POST'], 'remove', 'admin'],
  ['connectionStatus', ['GET'], 'connections/{name?}', 'function'],
  ['health', ['GET', 'HEAD'], 'health', 'anonymous'],
])('%s answers %j at %s with the key level %s', (name, methods, route, authLevel) => {
  expect(trigger(name)).toMatchObject({ type: 'httpTrigger', methods, route, authLevel });
});

test('the bundle registers a hook for the end of the host, to save received tokens', () => {
  expect(registered.hooks).toEqual(['appTerminate']);
});

test('loading the bundle makes no network request', () => expect(registered.network).toEqual([]));

test('a cold start reads one file', () => expect(registered.files).toEqual([join(built.folder, main)]));

describe('the bundle', () => {
  let metafile: Metafile;
  beforeAll(async () => {
    ({ metafile } = await bundle(ROOT, asFunctions()));
  });

  test.each([
    '@azure/identity/',
    '@azure/storage-common/',
    'http-proxy-agent/',
    'https-proxy-agent/',
    'agent-base/',
    'undici/lib/dispatcher/client-h2',
    'undici/lib/milo/',
    'undici/lib/mock/',
    'undici/lib/web/',
  ])('has nothing of %s', (part) => {
    const files = Object.keys(metafile.outputs[`dist/${main}`]?.inputs ?? {});
    expect(files).toContain('node_modules/undici/lib/dispatcher/client.js');
    expect(files.filter((file) => `/${file}`.includes(`/node_modules/${part}`))).toEqual([]);
  });

  // Each of them is for HTTP/2 or a form. Look at what a new one is for: where it is used, the functions fail.
  test('is without parts of undici only where these are not used', () => {
    const uses = Object.entries(metafile.inputs).flatMap(([file, { imports }]) =>
      imports
        .filter(({ path }) => path.startsWith('unused:'))
        .map(({ path }) => `${basename(file)} ${path.slice('unused:'.length)}`),
    );
    expect(uses.toSorted()).toEqual([
      'client-h1.js ../web/fetch/body.js',
      'client.js ./client-h2.js',
      'request.js ../web/fetch/formdata',
      'request.js ../web/webidl',
    ]);
  });
});

/** Rotates on its schedule and at a request. */
async function rotateWithBundle(settings: Record<string, string> = {}) {
  const data = await openDataDirectory(undefined);
  const servers = await startServers([CONNECTION], data, false);
  await seedConnections([CONNECTION], servers, data);
  const environment = {
    ...(await environmentOf(servers, data, [CONNECTION], '* * * * * *')),
    FUNCTIONS_ENTRY: join(built.folder, main),
    FUNCTIONS_HOST_JSON: join(built.folder, 'host.json'),
    ...settings,
  };
  const lines: string[] = [];
  const host = await startHostProcess(environment, 0, (line) => lines.push(line));
  try {
    expect(await nextToken(servers, CONNECTION.name)).toBeDefined();
    const first = await statusWhere(host, CONNECTION.name, ({ state }) => state === 'fresh');
    expect(first).toMatchObject({ generation: 1 });
    await rotateSoon(host, CONNECTION.name);
    expect(await statusOf(host, CONNECTION.name)).toMatchObject({ generation: 2 });
  } finally {
    await host.stop();
    await servers.close();
    await data.close();
  }
  expect(await host.ended).toBe(0);
}

test('the bundle rotates: its timer, its vault and storage clients and its HTTP functions work', () =>
  rotateWithBundle());

test('the bundle rotates when its requests to Azure go through a proxy', async () => {
  const proxy = await startForwardProxy();
  await rotateWithBundle({ HTTPS_PROXY: proxy.url, NO_PROXY: '' });
  // Storage of the local stack is without TLS.
  expect(proxy.asked).toEqual(
    expect.arrayContaining([expect.stringMatching(/^http:/), expect.stringMatching(/^127\.0\.0\.1:\d+$/)]),
  );
});
