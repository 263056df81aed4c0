import { once } from 'node:events';
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Agent, type Dispatcher } from 'undici';
import { describe, expect, it, onTestFinished } from 'vitest';
import { ResponseReader } from '../../../lib/azure/responseReader.ts';

/** A server, and a client with one connection to it. */
async function start(respond: RequestListener) {
  const server = createServer(respond);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const agent = new Agent({ connections: 1 });
  onTestFinished(async () => {
    await agent.destroy();
    server.closeAllConnections();
    server.close();
  });
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const ask = (reader: ResponseReader) => void agent.dispatch({ origin, path: '/', method: 'GET' }, reader);
  const arrival = async () => (await once(server, 'request')) as [IncomingMessage, ServerResponse];
  return { ask, arrival };
}

/** Sends a request. @returns the server's response to it, which the test writes */
async function arriving(reader: ResponseReader): Promise<ServerResponse> {
  const { ask, arrival } = await start(() => undefined);
  const arrived = arrival();
  ask(reader);
  const [, response] = await arrived;
  return response;
}

const never = () => false;
const always = () => true;

describe('a response', () => {
  it('is its status, its headers and its text', async () => {
    const { ask } = await start((_, response) => {
      response.writeHead(404, { 'x-why': 'none' });
      response.write('no ');
      response.end('“secret”');
    });
    const reader = new ResponseReader(undefined, never);
    ask(reader);
    const { status, headers, text } = await reader.result;
    expect({ status, why: headers['x-why'], text }).toEqual({
      status: 404,
      why: 'none',
      text: 'no “secret”',
    });
  });

  it('comes after interim ones', async () => {
    const { ask } = await start((_, response) => {
      response.writeProcessing();
      response.writeEarlyHints({ link: '</x>; rel=preload' });
      response.end('late');
    });
    const reader = new ResponseReader(undefined, (status) => status < 200);
    ask(reader);
    expect(await reader.result).toMatchObject({ status: 200, text: 'late' });
  });

  it('with a text without an end has none, and ends the connection', async () => {
    const reader = new ResponseReader(undefined, never);
    const response = await arriving(reader);
    const closed = once(response, 'close');
    response.writeHead(503);
    const megabyte = Buffer.alloc(1_000_000, ' ');
    let left = 20;
    const goOn = () => void (left-- > 0 ? response.write(megabyte, goOn) : response.end());
    goOn();
    const { status, text } = await reader.result;
    expect([status, text?.length]).toEqual([503, 0]);
    await closed;
  });

  it('that breaks off rejects', async () => {
    const { ask } = await start((_, response) => {
      response.writeHead(200, { 'content-length': '10' });
      response.write('half', () => response.destroy());
    });
    const reader = new ResponseReader(undefined, never);
    ask(reader);
    await expect(reader.result).rejects.toMatchObject({ code: 'UND_ERR_SOCKET' });
  });
});

describe('a body that is passed on', () => {
  it('arrives piece by piece', async () => {
    const reader = new ResponseReader(undefined, always);
    const response = await arriving(reader);
    response.write('one');
    const { body } = await reader.result;
    const pieces = body?.[Symbol.asyncIterator]();
    expect(`${(await pieces?.next())?.value}`).toBe('one');
    response.end('two');
    expect(`${(await pieces?.next())?.value}`).toBe('two');
    expect((await pieces?.next())?.done).toBe(true);
  });

  it('that breaks off fails where it is read', async () => {
    const { ask } = await start((_, response) => {
      response.writeHead(200, { 'content-length': '10' });
      response.write('half', () => response.destroy());
    });
    const reader = new ResponseReader(undefined, always);
    ask(reader);
    const { body } = await reader.result;
    await expect(body?.toArray()).rejects.toMatchObject({ code: 'UND_ERR_SOCKET' });
  });

  it('without a reader does no harm if it breaks off', async () => {
    const reader = new ResponseReader(undefined, always);
    const response = await arriving(reader);
    response.write('one');
    const { body } = await reader.result;
    // Not `once`, which listens for the error.
    const closed = new Promise((resolve) => body?.on('close', resolve));
    response.destroy();
    await closed;
    expect(body?.errored).toBeInstanceOf(Error);
  });

  it('that is not read to its end ends its connection', async () => {
    const reader = new ResponseReader(undefined, always);
    const response = await arriving(reader);
    const closed = once(response, 'close');
    response.write('one');
    (await reader.result).body?.destroy();
    await closed;
  });

  it('waits for its reader', () => {
    const calls: string[] = [];
    const controller = {
      pause: () => void calls.push('pause'),
      resume: () => void calls.push('resume'),
      abort: () => undefined,
    } as unknown as Dispatcher.DispatchController;
    const reader = new ResponseReader(undefined, always);
    reader.onRequestStart(controller);
    reader.onResponseStart(controller, 200, {});
    reader.onResponseData(controller, Buffer.alloc(10));
    expect(calls).toEqual([]);
    reader.onResponseData(controller, Buffer.alloc(1_000_000));
    expect(calls).toEqual(['pause']);
    return reader.result.then(({ body }) => {
      expect(body?.read()).toHaveLength(1_000_010);
      expect(calls).toEqual(['pause', 'resume']);
    });
  });
});

describe('a signal', () => {
  const reason = new Error('given up');

  it('that fires while the response is awaited ends the connection', async () => {
    const abort = new AbortController();
    const reader = new ResponseReader(abort.signal, never);
    const response = await arriving(reader);
    const closed = once(response, 'close');
    abort.abort(reason);
    await expect(reader.result).rejects.toBe(reason);
    await closed;
  });

  it('that fires while the request waits for a connection keeps it from being sent', async () => {
    const requests: ServerResponse[] = [];
    const { ask, arrival } = await start((_, response) => void requests.push(response));
    const arrived = arrival();
    const first = new ResponseReader(undefined, never);
    ask(first);
    await arrived;
    const abort = new AbortController();
    const second = new ResponseReader(abort.signal, never);
    ask(second);
    abort.abort(reason);
    await expect(second.result).rejects.toBe(reason);
    const third = new ResponseReader(undefined, never);
    ask(third);
    requests[0]?.end();
    await first.result;
    const [, last] = await arrival();
    last.end();
    await third.result;
    expect(requests).toHaveLength(2);
  });

  it('that has fired before rejects', async () => {
    await expect(new ResponseReader(AbortSignal.abort(reason), never).result).rejects.toBe(reason);
  });

  it('that fires in the middle of a body ends it', async () => {
    const abort = new AbortController();
    const reader = new ResponseReader(abort.signal, always);
    const response = await arriving(reader);
    response.write('one');
    const { body } = await reader.result;
    const read = body?.toArray();
    abort.abort(reason);
    await expect(read).rejects.toBe(reason);
  });
});
