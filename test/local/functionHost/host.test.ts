import { once } from 'node:events';
import { createConnection } from 'node:net';
import { app } from '@azure/functions';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { installFunctionsCore } from '../../../local/functionHost/coreApi.ts';
import { startFunctionHost } from '../../../local/functionHost/host.ts';
import { listen } from '../../../local/functionHost/httpListener.ts';
import { invokeHttp } from '../../../local/functionHost/invoke.ts';
import { resetState, state } from './fixture/state.ts';
import { type FixtureHost, startFixture } from './start.ts';

let host: FixtureHost;

beforeEach(async () => {
  resetState();
  host = await startFixture();
});
afterEach(() => {
  state.gate.resolve();
  return host.close();
});

test('refuses a second registration of a name', () => {
  const register = () => app.http('probe', { authLevel: 'anonymous', handler: () => ({}) });
  expect(register).toThrow('Function "probe" is registered twice; names must be unique.');
});

test('invokes handlers through the library without a listener', async () => {
  const registry = installFunctionsCore();
  const url = new URL('http://functions.test/api/items/one?q=1');
  const request = { method: 'GET', url, headers: {}, params: { id: 'one' }, body: new Uint8Array() };
  const response = await invokeHttp(registry, 'item', request, () => {});
  expect(response.status).toBe(200);
  expect(JSON.parse(Buffer.from(response.body).toString())).toMatchObject({
    params: { id: 'one' },
    query: [['q', '1']],
  });
  await expect(invokeHttp(registry, 'unknown', request, () => {})).rejects.toThrow('"unknown"');
});

test('close lets a running request finish, runs the hooks once and refuses new ones', async () => {
  const running = fetch(`${host.url}/api/held`);
  await state.begun.promise;
  await Promise.all([host.close(), host.close()]);
  // The fixture's appTerminate hook opens the gate: hooks do not wait for running functions.
  expect(state.events).toEqual(['appTerminate', 'held function ended']);
  const response = await running;
  expect([response.status, await response.text()]).toEqual([200, 'held']);
  await expect(fetch(`${host.url}/api/probe`)).rejects.toThrow();
});

test('close does not wait for a client that stalls', async () => {
  const { hostname, port } = new URL(host.url);
  const socket = createConnection(Number(port), hostname);
  await once(socket, 'connect');
  socket.write(
    'POST /api/size HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\nExpect: 100-continue\r\n\r\n',
  );
  // "100 Continue" shows that the host has begun to read the body.
  await once(socket, 'data');
  const ended = once(socket, 'close').catch(() => undefined);
  await host.close();
  await ended;
  expect(state.events).toEqual(['appTerminate']);
});

test('without a port, the host takes the usual one or a free one: two hosts can run at the same time', async () => {
  const invoke = () => Promise.reject(new Error('was called'));
  const listeners = await Promise.all([1, 2].map(() => listen(undefined, () => undefined, invoke)));
  const ports = listeners.map(({ url }) => new URL(url).port);
  await Promise.all(listeners.map((listener) => listener.close()));
  expect(new Set(ports).size).toBe(2);
});

test('the error names a port that is in use', async () => {
  const taken = Number(new URL(host.url).port);
  const fixture = (name: string) => new URL(`./fixture/${name}`, import.meta.url);
  const second = startFunctionHost({
    entry: fixture('index.ts'),
    hostJson: fixture('host.json'),
    port: taken,
    env: { FIXTURE_SCHEDULE: '0 0 0 1 1 *' },
    log: () => {},
  });
  await expect(second).rejects.toThrow(`Port ${taken} is in use`);
});

// This test is the last one, because a hook cannot be removed.
test('the host closes even if a hook fails', async () => {
  app.hook.appTerminate(() => Promise.reject(new Error('hook broke')));
  await host.close();
  expect(host.lines).toEqual(['An appTerminate hook failed: hook broke']);
});
