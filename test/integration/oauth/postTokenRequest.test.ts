import { lookup as resolve } from 'node:dns';
import { once } from 'node:events';
import type { LookupFunction } from 'node:net';
import { performance } from 'node:perf_hooks';
import { Worker } from 'node:worker_threads';
import { gzipSync } from 'node:zlib';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { Reach } from '../../../lib/oauth/egress.ts';
import { postTokenRequest, type SendOptions } from '../../../lib/oauth/postTokenRequest.ts';
import { answerWith, startRawServer } from './rawServer.ts';

const request = { headers: { 'user-agent': 'test', 'content-type': 'x/y' }, body: 'refresh_token=r1' };
const SHORT: Terms = { waitMs: 400 };
/** So long that no test reaches it. */
const LONG: Terms = { waitMs: 20_000 };
const LONGEST_BODY = 256 * 1024;
const json = '{"access_token":"a","refresh_token":"r2"}';

const ANYWHERE: Reach = new Set(['public', 'loopback']);

type Terms = SendOptions & { readonly waitMs: number };
const send = (url: URL, { waitMs, ...options } = LONG, mayStillSend = () => true) =>
  postTokenRequest(url, request, ANYWHERE, { mayStillSend, waitMs }, options);
const textOf = (body: Uint8Array | undefined) => Buffer.from(body ?? []).toString();

describe('a request', () => {
  test('is sent with its headers, its length and the path and query of the address', async () => {
    const server = await startRawServer((socket) => socket.end(answerWith(200, json)));
    await send(new URL('/oauth/token?a=b', server.url));
    const [head, body] = server.connections[0]?.text().split('\r\n\r\n') ?? [];
    expect(head?.split('\r\n')[0]).toBe('POST /oauth/token?a=b HTTP/1.1');
    expect(head?.split('\r\n').slice(1).sort()).toEqual([
      'connection: close',
      'content-length: 16',
      'content-type: x/y',
      `host: 127.0.0.1:${server.port}`,
      'user-agent: test',
    ]);
    expect(body).toBe(request.body);
  });

  test('has its own connection, which closes with it', async () => {
    const server = await startRawServer((socket) =>
      socket.write(answerWith(200, json, { connection: 'keep-alive' })),
    );
    await send(server.url);
    await send(server.url);
    expect(server.connections).toHaveLength(2);
    await Promise.all(server.connections.map(({ closed }) => closed));
  });

  test('leaves no timer that would keep the process alive', async () => {
    const timers = () => process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length;
    const server = await startRawServer((socket) => socket.end(answerWith(200, json)));
    const before = timers();
    await send(server.url);
    expect(timers()).toBeLessThanOrEqual(before);
  });
});

describe('a response', () => {
  test('has its status, its headers and its body', async () => {
    const headers = { 'Content-Type': 'text/html', 'Retry-After': '7' };
    const server = await startRawServer((socket) => socket.end(answerWith(429, 'wait', headers)));
    const result = await send(server.url);
    expect(result).toMatchObject({
      kind: 'response',
      status: 429,
      contentType: 'text/html',
      retryAfter: '7',
    });
    expect(result.kind === 'response' && textOf(result.body)).toBe('wait');
  });

  test.each([301, 302, 303, 307, 308])('with status %i is not followed', async (status) => {
    const elsewhere = await startRawServer((socket) => socket.end(answerWith(200, json)));
    const headers = { location: elsewhere.url.href };
    const server = await startRawServer((socket) => socket.end(answerWith(status, '', headers)));
    expect(await send(server.url)).toMatchObject({ kind: 'response', status });
    expect(server.connections).toHaveLength(1);
    expect(elsewhere.connections).toHaveLength(0);
  });

  test('is decoded if it has a coding that the request did not accept', async () => {
    const packed = answerWith(200, gzipSync(json), { 'content-encoding': 'gzip' });
    const server = await startRawServer((socket) => socket.end(packed));
    const result = await send(server.url);
    expect(result.kind === 'response' && textOf(result.body)).toBe(json);
  });

  test('may come after interim responses', async () => {
    const server = await startRawServer((socket) =>
      socket.end(`${'HTTP/1.1 103 Early\r\nlink: x\r\n\r\n'.repeat(3)}${answerWith(200, json)}`),
    );
    expect(await send(server.url)).toMatchObject({ kind: 'response', status: 200 });
  });

  test('may have 2,000 headers of 50 KB in total', async () => {
    const headers = Object.fromEntries(
      Array.from({ length: 2_000 }, (_, index) => [`x-${index}`, 'v'.repeat(20)]),
    );
    const server = await startRawServer((socket) => socket.end(answerWith(200, json, headers)));
    expect(await send(server.url)).toMatchObject({ kind: 'response', status: 200 });
  });

  test('may be as long as the limit', async () => {
    const server = await startRawServer((socket) => socket.end(answerWith(200, 'x'.repeat(LONGEST_BODY))));
    expect(await send(server.url)).toMatchObject({ kind: 'response' });
  });
});

describe('there is no response', () => {
  test('if the connection is reset', async () => {
    const server = await startRawServer((socket) => socket.resetAndDestroy());
    expect(await send(server.url)).toEqual({ kind: 'no_response', why: 'ECONNRESET' });
    expect(server.connections).toHaveLength(1);
  });

  test('if the connection is closed', async () => {
    const server = await startRawServer((socket) => socket.end());
    expect(await send(server.url)).toEqual({ kind: 'no_response', why: 'UND_ERR_SOCKET' });
    expect(server.connections).toHaveLength(1);
  });

  test('if the connection is closed within the headers', async () => {
    const server = await startRawServer((socket) => socket.end('HTTP/1.1 200 OK\r\ncontent-'));
    expect(await send(server.url)).toMatchObject({ kind: 'no_response' });
  });

  test('if it is shorter than its length; the received part is passed on', async () => {
    const cut = answerWith(200, json).subarray(0, -5);
    const server = await startRawServer((socket) => socket.end(cut));
    const result = await send(server.url);
    expect(result).toMatchObject({ kind: 'no_response', received: { status: 200 } });
    expect(result.kind === 'no_response' && textOf(result.received?.body)).toBe(json.slice(0, -5));
  });

  test('if its last chunk is missing', async () => {
    const head = 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n';
    const server = await startRawServer((socket) =>
      socket.end(`${head}${json.length.toString(16)}\r\n${json}\r\n`),
    );
    const result = await send(server.url);
    expect(result).toMatchObject({ kind: 'no_response' });
    expect(result.kind === 'no_response' && textOf(result.received?.body)).toBe(json);
  });

  test('if it is too long; the connection is closed and at most the limit is kept', async () => {
    const server = await startRawServer((socket) => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n');
      const pour = () => {
        while (!socket.destroyed && socket.write('x'.repeat(65_536)));
      };
      socket.on('drain', pour);
      pour();
    });
    const result = await send(server.url);
    expect(result).toMatchObject({ kind: 'no_response', why: 'UND_ERR_RES_EXCEEDED_MAX_SIZE' });
    expect(result.kind === 'no_response' && result.received?.body.length).toBeLessThanOrEqual(LONGEST_BODY);
    await server.connections[0]?.closed;
  });

  test('if its headers are endless', async () => {
    const server = await startRawServer((socket) => {
      socket.write('HTTP/1.1 200 OK\r\n');
      const pour = () => {
        while (!socket.destroyed && socket.write(`x-header: ${'x'.repeat(1_000)}\r\n`));
      };
      socket.on('drain', pour);
      pour();
    });
    expect(await send(server.url)).toMatchObject({ kind: 'no_response', why: 'UND_ERR_HEADERS_OVERFLOW' });
  });

  test('if it is not valid HTTP', async () => {
    const server = await startRawServer((socket) => socket.end('220 smtp.example.com ESMTP\r\n'));
    expect(await send(server.url)).toMatchObject({
      kind: 'no_response',
      why: 'HTTPParserError (Expected HTTP/, RTSP/ or ICE/)',
    });
  });
});

describe('the deadlines', () => {
  test('give up a response that has not begun in time, and close the connection', async () => {
    const server = await startRawServer(() => undefined);
    const startedAt = performance.now();
    expect(await send(server.url, SHORT)).toEqual({ kind: 'no_response', why: 'ANSWER_TIMEOUT' });
    expect(performance.now() - startedAt).toBeGreaterThan(399);
    await server.connections[0]?.closed;
  });

  test('do not accept interim responses as a response', async () => {
    const server = await startRawServer((socket) => {
      const timer = setInterval(() => socket.write('HTTP/1.1 103 Early\r\nlink: x\r\n\r\n'), 5);
      socket.on('close', () => clearInterval(timer));
    });
    expect(await send(server.url, SHORT)).toEqual({ kind: 'no_response', why: 'ANSWER_TIMEOUT' });
  });

  test('give up a slow response; the received part is passed on', async () => {
    const server = await startRawServer((socket) => {
      socket.write('HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n');
      const timer = setInterval(() => socket.write('x'), 5);
      socket.on('close', () => clearInterval(timer));
    });
    const startedAt = performance.now();
    expect(await send(server.url, SHORT)).toMatchObject({
      kind: 'no_response',
      why: 'BODY_TIMEOUT',
      received: { status: 200 },
    });
    expect(performance.now() - startedAt).toBeGreaterThan(399);
    await server.connections[0]?.closed;
  });

  test('let a process that was blocked past all of them read the waiting response', async () => {
    const flag = new Int32Array(new SharedArrayBuffer(4));
    const response = answerWith(200, json).toString();
    const worker = new Worker(new URL('./answeringThread.ts', import.meta.url), {
      workerData: { flag: flag.buffer, response, delayMs: 600 },
    });
    onTestFinished(async () => void (await worker.terminate()));
    const [port] = await once(worker, 'message');
    const block = () => {
      Atomics.store(flag, 0, 1);
      Atomics.notify(flag, 0);
      // The worker responds now; this thread continues when every deadline is over.
      while (Atomics.load(flag, 0) !== 2) Atomics.wait(flag, 0, 1, 1_000);
      Atomics.wait(flag, 0, 2, 600);
    };
    // The worker sends its message before the deadline, which is due before the event loop polls the socket.
    worker.once('message', block);
    expect(await send(new URL(`http://127.0.0.1:${port}/token`), { waitMs: 1_000 })).toMatchObject({
      kind: 'response',
      status: 200,
    });
  });
});

describe('nothing is sent', () => {
  test('if the connection is refused', async () => {
    const server = await startRawServer(() => undefined);
    const url = new URL(server.url);
    url.port = '1';
    expect(await send(url)).toEqual({ kind: 'not_sent', refused: false, why: 'ECONNREFUSED' });
  });

  test('if the name cannot be resolved, or its address is not allowed', async () => {
    const lookup: LookupFunction = (_, __, done) =>
      done(Object.assign(new Error('no'), { code: 'ENOTFOUND' }), '');
    expect(await send(new URL('https://login.example.com/'), { ...LONG, lookup })).toEqual({
      kind: 'not_sent',
      refused: false,
      why: 'ENOTFOUND',
    });
  });

  test('if the connection comes too late to leave time for a response', async () => {
    const server = await startRawServer((socket) => socket.end(answerWith(200, json)));
    const url = new URL(server.url);
    url.hostname = 'localhost';
    const asked = Promise.withResolvers<() => void>();
    const lookup: LookupFunction = (_, options, done) =>
      asked.resolve(() => resolve('127.0.0.1', options, done));
    const startedAt = performance.now();
    const result = await send(url, { ...SHORT, lookup });
    expect(result).toEqual({ kind: 'not_sent', refused: false, why: 'CONNECT_TIMEOUT' });
    expect(performance.now() - startedAt).toBeLessThan(390);
    const connected = server.connection();
    (await asked.promise)();
    const late = await connected;
    await late.closed;
    expect(late.text()).toBe('');
  });

  test('if the process was blocked while it connected', async () => {
    const server = await startRawServer((socket) => socket.end(answerWith(200, json)));
    const url = new URL(server.url);
    url.hostname = 'localhost';
    const lookup: LookupFunction = (_, options, done) => {
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 220);
      resolve('127.0.0.1', options, done);
    };
    expect(await send(url, { ...SHORT, lookup })).toMatchObject({ kind: 'not_sent', why: 'CONNECT_TIMEOUT' });
    for (const { text } of server.connections) expect(text()).toBe('');
  });

  test('if the request may no longer be sent, which is checked once after the connection is established', async () => {
    const server = await startRawServer((socket) => socket.end(answerWith(200, json)));
    const connected = server.connection();
    let asked = 0;
    const result = await send(server.url, LONG, () => {
      asked += 1;
      return false;
    });
    expect(result).toEqual({ kind: 'not_sent', refused: true, why: 'REFUSED' });
    expect(asked).toBe(1);
    const connection = await connected;
    await connection.closed;
    expect(connection.text()).toBe('');
    expect(server.connections).toHaveLength(1);
  });

  test('if that check throws', async () => {
    const server = await startRawServer((socket) => socket.end(answerWith(200, json)));
    const connected = server.connection();
    const result = await send(server.url, LONG, () => {
      throw new Error('canary');
    });
    expect(result).toEqual({ kind: 'not_sent', refused: false, why: 'Error' });
    const connection = await connected;
    await connection.closed;
    expect(connection.text()).toBe('');
  });

  test('if the scheme of the address is not supported', async () => {
    expect(await send(new URL('file:///etc/passwd'))).toMatchObject({ kind: 'not_sent', refused: false });
  });
});
