import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openDataDirectory } from '../../local/dataDirectory.ts';
import { startHostProcess } from '../../local/hostProcess.ts';
import { seedConnections } from '../../local/seed.ts';
import { startServers } from '../../local/servers.ts';
import { environmentOf } from '../../local/stack.ts';
import { nextToken, statusOf } from '../faults/process/stage.ts';
import { type Built, buildElsewhere } from './support.ts';

const CONNECTION = {
  name: 'bundled',
  rotation: 'single_use',
  clientAuthentication: 'client_secret_basic',
  description: '',
} as const;

let built: Built;
beforeAll(async () => {
  built = await buildElsewhere();
});
afterAll(async () => built?.remove());

test('the bundle rotates: its timer, its vault and storage clients and its HTTP functions work', async () => {
  const data = await openDataDirectory(undefined);
  const servers = await startServers([CONNECTION], data, false);
  await seedConnections([CONNECTION], servers, data);
  const { main } = JSON.parse(await readFile(join(built.folder, 'package.json'), 'utf8'));
  const environment = {
    ...(await environmentOf(servers, data, [CONNECTION], '* * * * * *')),
    FUNCTIONS_ENTRY: join(built.folder, main),
    FUNCTIONS_HOST_JSON: join(built.folder, 'host.json'),
  };
  const lines: string[] = [];
  const host = await startHostProcess(environment, 0, (line) => lines.push(line));
  try {
    expect(await nextToken(servers, CONNECTION.name)).toBeDefined();
    expect(await statusOf(host, CONNECTION.name)).toMatchObject({ state: 'fresh', generation: 1 });
    const forced = await fetch(`${host.url}/api/connections/bundled/rotate?force=true`, { method: 'POST' });
    expect([forced.status, await forced.json()]).toMatchObject([200, { result: 'rotated', generation: 2 }]);
  } finally {
    await host.stop();
    await servers.close();
    await data.close();
  }
  expect(await host.ended).toBe(0);
});
