import { once } from 'node:events';
import { request as httpRequest } from 'node:http';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { type FixtureHost, startFixture } from './start.ts';

const LARGEST_BODY_BYTES = 1024 * 1024;

let host: FixtureHost;

beforeAll(async () => {
  host = await startFixture();
});
afterAll(() => host.close());
beforeEach(() => {
  host.lines.length = 0;
});

const call = (path: string, init?: RequestInit) => fetch(`${host.url}${path}`, init);
const json = async (path: string, init?: RequestInit) =>
  (await call(path, init)).json() as Promise<Record<string, unknown>>;

/** The status for a target that fetch would rewrite. */
async function statusOf(path: string, headers: Record<string, string> = {}): Promise<number | undefined> {
  const sent = httpRequest(host.url, { path, headers }).end();
  return new Promise((resolve, reject) => {
    sent
      .on('error', reject)
      .on('response', (response) => resolve(text(response).then(() => response.statusCode)));
  });
}

test('a handler sees method, params, query, headers and body', async () => {
  const sent = { method: 'POST', headers: { 'x-sent': 'header' }, body: 'näh' };
  expect(await json('/api/items/a%20b/7?q=1&q=2&empty=', sent)).toEqual({
    method: 'POST',
    params: { id: 'a b', part: '7' },
    path: '/api/items/a%20b/7',
    query: [
      ['q', '1,2'],
      ['empty', ''],
    ],
    header: 'header',
    body: 'näh',
  });
});

test('JSON responses have their status, headers and length', async () => {
  const response = await call('/api/items/one');
  expect(response.status).toBe(200);
  expect(response.headers.get('content-type')).toBe('application/json');
  expect(response.headers.get('x-fixture')).toBe('yes');
  expect(Number(response.headers.get('content-length'))).toBe((await response.text()).length);
});

test.each([
  ['an unknown path', 'GET', '/api/unknown'],
  ['a path without the prefix', 'GET', '/items/one'],
  ['a method that is not registered, as in Azure', 'DELETE', '/api/items/one'],
  ['HEAD if only GET is registered, as in Azure', 'HEAD', '/api/items/one'],
  ['a missing parameter', 'GET', '/api/items'],
  ['an empty parameter', 'GET', '/api/items//2'],
  ['a segment too many', 'GET', '/api/items/one/2/3'],
  ['the root', 'GET', '/'],
])('responds with 404 and no body to %s', async (_, method, path) => {
  const response = await call(path, { method });
  expect([response.status, await response.text()]).toEqual([404, '']);
});

test('HEAD returns the headers of the response and no body', async () => {
  const response = await call('/api/probe', { method: 'HEAD' });
  expect([response.status, response.headers.get('etag'), await response.text()]).toEqual([200, '"1"', '']);
});

test('resolves a path with dots', async () => {
  expect(await statusOf('/api/items/../probe')).toBe(200);
  expect(await statusOf('/API/Probe/')).toBe(200);
  expect(await statusOf('//api/probe')).toBe(404);
});

test('reads a body of 1 MB, and responds with 413 to one byte more', async () => {
  const send = (size: number) => call('/api/size', { method: 'POST', body: new Uint8Array(size) });
  expect(await (await send(LARGEST_BODY_BYTES)).text()).toBe(String(LARGEST_BODY_BYTES));
  const refused = await send(LARGEST_BODY_BYTES + 1);
  expect([refused.status, await refused.text()]).toEqual([413, '']);
});

test('a client can send its whole body before it reads the response', async () => {
  const sent = httpRequest(`${host.url}/api/size`, { method: 'POST' });
  const responded = once(sent, 'response');
  await new Promise<void>((resolve) => sent.end(Buffer.alloc(16 * LARGEST_BODY_BYTES), resolve));
  const [response] = await responded;
  expect(response.resume().statusCode).toBe(413);
});

test('limits a body without a length, too', async () => {
  const body = new Blob([new Uint8Array(LARGEST_BODY_BYTES + 1)]).stream();
  expect((await call('/api/size', { method: 'POST', body, duplex: 'half' } as RequestInit)).status).toBe(413);
});

test('responds with 500 and no body if a handler throws, and logs one line with the message only', async () => {
  const response = await call('/api/throws');
  expect([response.status, await response.text()]).toEqual([500, '']);
  expect(host.lines).toEqual(['Function "throws" failed: broken in two lines']);
});

test('treats a malformed response as a failure of the function', async () => {
  expect((await call('/api/badResponse')).status).toBe(500);
  expect(host.lines).toEqual([
    expect.stringContaining('Function "badResponse" failed: The HTTP response must be an object'),
  ]);
});
