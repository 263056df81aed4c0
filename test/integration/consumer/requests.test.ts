import { Readable } from 'node:stream';
import { Agent, type Dispatcher, interceptors, request, fetch as undiciFetch } from 'undici';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import {
  createTokenReader,
  fetchWithToken,
  type TokenReader,
  TokenUnavailable,
  tokenCredential,
} from '../../../lib/consumer/index.ts';
import { tokenInterceptor } from '../../../lib/consumer/interceptor.ts';
import { dispatchController } from '../../support/dispatchController.ts';
import { START, startApi, startReading } from './support.ts';

/** A reader that returns the first token until it is rejected, then the next one. */
function readerOf(...tokens: string[]) {
  const get = vi.fn(async ({ rejected }: { rejected?: string } = {}) => {
    if (rejected === tokens[0] && tokens.length > 1) tokens.shift();
    return { token: tokens[0] ?? '', expiresAt: 1 };
  });
  return { get } satisfies TokenReader;
}

const EXPIRED = new TokenUnavailable('token_expired', 'It has expired.', 'Look.');
const NO_TOKEN: TokenReader = { get: () => Promise.reject(EXPIRED) };

type Answer = { status: number; text: string };
type Send = (
  url: string,
  init?: { method?: string; body?: unknown; signal?: AbortSignal },
) => Promise<Answer>;
type Prepare = (reader: TokenReader, api: string, redirects?: boolean) => Send;

const withFetch: Prepare = (reader, api) => {
  const send = fetchWithToken(reader, api);
  return async (url, init) => {
    const answer = await send(url, init as RequestInit);
    return { status: answer.status, text: await answer.text() };
  };
};

const withAgent: Prepare = (reader, api, redirects = true) => {
  const agent = new Agent();
  onTestFinished(() => agent.destroy());
  const both = redirects ? [interceptors.redirect({ maxRedirections: 3 })] : [];
  const dispatcher = agent.compose(tokenInterceptor(reader, api), ...both);
  return async (url, init) => {
    const { statusCode, body } = await request(url, { dispatcher, ...(init as { method: 'GET' }) });
    return { status: statusCode, text: await body.text() };
  };
};

describe.each([
  ['fetchWithToken', withFetch],
  ['tokenInterceptor', withAgent],
])('%s', (_, prepare) => {
  test('puts the header on requests to the API', async () => {
    const api = await startApi(new Set(['one']));
    expect(await prepare(readerOf('one'), api.url)(`${api.url}/a?b=c`)).toEqual({
      status: 200,
      text: 'hello ',
    });
    expect(api.requests).toEqual([{ method: 'GET', path: '/a?b=c', authorization: 'Bearer one', body: '' }]);
  });

  test('replaces an existing header', async () => {
    const api = await startApi(new Set(['one']));
    const headers = { Authorization: 'Bearer mine', accept: 'text/plain' };
    const init = { headers } as object;
    expect((await prepare(readerOf('one'), api.url)(api.url, init)).status).toBe(200);
  });

  test.each([
    ['GET without a body', 'GET', undefined, ''],
    ['POST of text', 'POST', 'text', 'text'],
    ['PUT of bytes', 'PUT', Buffer.from('bytes'), 'bytes'],
  ])('on 401 reads the token again and repeats a %s once', async (_name, method, body, received) => {
    const api = await startApi(new Set(['two']));
    const answer = await prepare(readerOf('one', 'two'), api.url)(api.url, { method, body });
    expect(answer).toEqual({ status: 200, text: `hello ${received}` });
    expect(api.requests.map((each) => each.authorization)).toEqual(['Bearer one', 'Bearer two']);
    expect(api.requests.map((each) => each.body)).toEqual([received, received]);
  });

  test('returns a second 401 to the caller', async () => {
    const api = await startApi(new Set());
    const reader = readerOf('one', 'two', 'three');
    expect(await prepare(reader, api.url)(api.url)).toEqual({ status: 401, text: 'who are you?' });
    expect(api.requests).toHaveLength(2);
    expect(reader.get).toHaveBeenCalledTimes(2);
  });

  test('does not repeat a request with the refused token', async () => {
    const api = await startApi(new Set());
    expect(await prepare(readerOf('one'), api.url)(api.url)).toEqual({ status: 401, text: 'who are you?' });
    expect(api.requests).toHaveLength(1);
  });

  test('does not repeat a stream', async () => {
    const api = await startApi(new Set(['two']));
    const body = Readable.from(['once']);
    const init = { method: 'POST', body, duplex: 'half' };
    expect((await prepare(readerOf('one', 'two'), api.url)(api.url, init)).status).toBe(401);
    expect(api.requests.map((each) => each.body)).toEqual(['once']);
  });

  test('does not repeat a request that failed for another reason', async () => {
    const api = await startApi(new Set(), (_request, response) => {
      response.writeHead(403).end();
      return true;
    });
    expect((await prepare(readerOf('one', 'two'), api.url)(api.url)).status).toBe(403);
    expect(api.requests).toHaveLength(1);
  });

  test('sends no token to another origin, neither directly nor by a redirect', async () => {
    const stranger = await startApi(new Set(), (_request, response) => {
      response.writeHead(200).end();
      return true;
    });
    const api = await startApi(new Set(), ({ url }, response) => {
      response.writeHead(Number(url?.slice(1)), { location: `${stranger.url}/stolen` }).end();
      return true;
    });
    const send = prepare(readerOf('one'), api.url);
    await send(`${stranger.url}/asked`);
    for (const status of [301, 302, 303, 307, 308]) await send(`${api.url}/${status}`);
    expect(stranger.requests).toHaveLength(6);
    expect(stranger.requests.map((each) => each.authorization)).toEqual(Array(6).fill(undefined));
    expect(api.requests.map((each) => each.authorization)).toEqual(Array(5).fill('Bearer one'));
  });

  test('does not execute a redirected request twice', async () => {
    const api = await startApi(new Set(), ({ url }, response) => {
      if (url === '/done') return false;
      response.writeHead(303, { location: '/done' }).end();
      return true;
    });
    await prepare(readerOf('one', 'two'), api.url)(api.url, { method: 'POST', body: 'order' });
    expect(api.requests.filter(({ method }) => method === 'POST')).toHaveLength(1);
  });

  test('fails with the error of the reader if there is no token', async () => {
    const api = await startApi(new Set());
    await expect(prepare(NO_TOKEN, api.url)(api.url)).rejects.toThrow(EXPIRED);
    expect(api.requests).toEqual([]);
  });

  test('returns the 401 if the vault has no newer token', async () => {
    const api = await startApi(new Set());
    const get: TokenReader['get'] = ({ rejected } = {}) =>
      rejected ? NO_TOKEN.get() : Promise.resolve({ token: 'one', expiresAt: 1 });
    expect((await prepare({ get }, api.url)(api.url)).status).toBe(401);
  });

  test('ends when the caller aborts', async () => {
    const api = await startApi(new Set(), () => true);
    const stop = new AbortController();
    const answer = prepare(readerOf('one'), api.url)(api.url, { signal: stop.signal });
    await vi.waitFor(() => expect(api.requests).toHaveLength(1));
    stop.abort();
    await expect(answer).rejects.toMatchObject({ name: 'AbortError' });
  });

  test('ends when the caller aborts while the vault hangs at the second read', async () => {
    const api = await startApi(new Set(['two']));
    const stop = new AbortController();
    const get: TokenReader['get'] = async ({ rejected, signal } = {}) => {
      if (!rejected) return { token: 'one', expiresAt: 1 };
      stop.abort();
      signal?.throwIfAborted();
      return new Promise(() => {});
    };
    const answer = fetchWithToken({ get }, api.url)(api.url, { signal: stop.signal });
    await expect(answer).rejects.toMatchObject({ name: 'AbortError' });
  });

  test('ends when the caller aborts while the token is read again', async () => {
    const api = await startApi(new Set(['two']));
    const stop = new AbortController();
    const get: TokenReader['get'] = async ({ rejected } = {}) => {
      if (rejected) stop.abort();
      return { token: rejected ? 'two' : 'one', expiresAt: 1 };
    };
    const answer = prepare({ get }, api.url)(api.url, { signal: stop.signal });
    await expect(answer).rejects.toMatchObject({ name: 'AbortError' });
    expect(api.requests).toHaveLength(1);
  });

  test.each(['http://api.example', 'ftp://127.0.0.1', 'http://127.0.0.1.example'])(
    'is not created for %s',
    (address) => expect(() => prepare(readerOf('one'), address)).toThrow(/https only/),
  );

  test.each(['https://api.example/v1', 'http://localhost:1', 'http://[::1]'])(
    'is created for %s',
    (address) => {
      expect(() => prepare(readerOf('one'), address)).not.toThrow();
    },
  );
});

describe('fetchWithToken', () => {
  test('repeats forms and requests without a body, but not the body of a Request', async () => {
    const api = await startApi(new Set(['two', 'three']));
    const form = fetchWithToken(readerOf('one', 'two'), api.url);
    expect(await (await form(api.url, { method: 'POST', body: new URLSearchParams('a=b') })).text()).toBe(
      'hello a=b',
    );
    expect((await fetchWithToken(readerOf('one', 'two'), api.url)(new Request(api.url))).status).toBe(200);
    const withBody = new Request(api.url, { method: 'POST', body: 'text' });
    expect((await fetchWithToken(readerOf('one', 'two'), api.url)(withBody)).status).toBe(401);
  });

  test('keeps the headers of a Request', async () => {
    const api = await startApi(new Set(['one']), ({ headers }, response) => {
      response.writeHead(headers.accept === 'text/csv' ? 200 : 406).end();
      return true;
    });
    const asked = new Request(api.url, { headers: { accept: 'text/csv' } });
    expect((await fetchWithToken(readerOf('one'), api.url)(asked)).status).toBe(200);
  });
});

describe('tokenInterceptor', () => {
  test.each([
    ['a flat list', ['x-a', '1', 'authorization', 'mine']],
    ['pairs', new Map([['x-a', '1']])],
    ['lists of values', { 'x-a': ['1'], 'x-b': undefined }],
    ['none', undefined],
  ])('takes headers as %s', async (_, headers) => {
    const seen: (string | undefined)[] = [];
    const api = await startApi(new Set(['one']), ({ headers }) => {
      seen.push(headers['x-a'] as string | undefined);
      return false;
    });
    const answer = await withAgent(readerOf('one'), api.url)(api.url, { headers } as object);
    expect(answer.status).toBe(200);
    expect(seen).toEqual([headers && '1']);
  });

  test('serves undici’s own fetch, which streams every body', async () => {
    const api = await startApi(new Set(['two']));
    const agent = new Agent();
    onTestFinished(() => agent.destroy());
    const dispatcher = agent.compose(tokenInterceptor(readerOf('one', 'two'), api.url));
    expect((await undiciFetch(api.url, { dispatcher })).status).toBe(200);
  });

  test('passes on a long 401 in full', async () => {
    const page = 'x'.repeat(300_000);
    const api = await startApi(new Set(), (_request, response) => {
      response.writeHead(401).end(page);
      return true;
    });
    expect((await withAgent(readerOf('one'), api.url)(api.url)).text).toBe(page);
  });

  test('aborts an endless 401 for the second request', async () => {
    const ended = Promise.withResolvers<void>();
    const api = await startApi(new Set(['two']), ({ headers }, response) => {
      if (headers.authorization === 'Bearer two') return false;
      response.on('close', ended.resolve).writeHead(401).write('and so on');
      return true;
    });
    expect((await withAgent(readerOf('one', 'two'), api.url)(api.url)).status).toBe(200);
    await ended.promise;
  });

  test('pauses a 401 while it looks in the vault, because the body may be long', async () => {
    const asked = Promise.withResolvers<void>();
    const get: TokenReader['get'] = ({ rejected } = {}) => {
      if (!rejected) return Promise.resolve({ token: 'one', expiresAt: 1 });
      asked.resolve();
      return new Promise(() => {});
    };
    const controller = dispatchController();
    const dispatch: Dispatcher.Dispatch = (_options, handler) => {
      handler.onResponseStart?.(controller, 401, {});
      return true;
    };
    const options = { origin: 'https://api.example', path: '/', method: 'GET' };
    tokenInterceptor({ get }, 'https://api.example')(dispatch)(options, {});
    await asked.promise;
    expect(controller.paused).toBe(true);
  });
});

describe('a caller that aborts while the vault hangs', () => {
  const hanging = createTokenReader({
    vaultUrl: 'https://vault.example',
    connection: 'crm',
    credential: { getToken: () => new Promise(() => {}) },
  });
  const stopped = AbortSignal.abort();

  test('stops waiting with fetch', async () => {
    const send = fetchWithToken(hanging, 'https://api.example');
    const soon = AbortSignal.timeout(20);
    await expect(send('https://api.example', { signal: soon })).rejects.toMatchObject({
      name: 'TimeoutError',
    });
    const request = new Request('https://api.example', { signal: stopped });
    await expect(send(request)).rejects.toMatchObject({ name: 'AbortError' });
  });

  test.each([
    ['of the platform', stopped],
    ['of the SDK', { aborted: true, addEventListener: () => {}, removeEventListener: () => {} }],
  ])('stops waiting with a credential and a signal %s', async (_, abortSignal) => {
    const answer = tokenCredential(hanging).getToken('https://api.example/.default', { abortSignal });
    await expect(answer).rejects.toMatchObject({ name: 'AbortError' });
  });
});

describe('tokenCredential', () => {
  test('returns the token of the reader, and makes the client ask each time', async () => {
    const answer = await tokenCredential(readerOf('one')).getToken('https://api.example/.default');
    expect(answer).toMatchObject({ token: 'one', expiresOnTimestamp: 1 });
    expect(answer?.refreshAfterTimestamp).toBeLessThan(Date.now());
  });
});

test('after a provider revokes the old token, the first 401 leads to the new token in the vault', async () => {
  const { reader, publish, at } = await startReading();
  await publish({ value: 'one', issuedAt: START, lifetime: 3600 });
  const api = await startApi(new Set(['one']));
  const send = fetchWithToken(reader, api.url);
  expect((await send(api.url)).status).toBe(200);
  await publish({ value: 'two', issuedAt: START + 10, lifetime: 3600 });
  const revoked = await startApi(new Set(['two']));
  at(10);
  expect((await fetchWithToken(reader, revoked.url)(revoked.url)).status).toBe(200);
});
