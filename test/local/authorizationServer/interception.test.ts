import { describe, expect, it } from 'vitest';
import type {
  AuthorizationServer,
  ExecutedResponse,
  HookResponse,
  Interception,
} from '../../../local/authorizationServer/server.ts';
import { postRefresh, refresh, resourceStatus, startForTest } from './support.ts';

async function startIntercepted(
  decision: Interception,
): Promise<{ server: AuthorizationServer; seed: string }> {
  const server = await startForTest();
  const seed = await server.seedRefreshToken('app');
  server.intercept(({ number }) => (number === 1 ? decision : { action: 'execute' }));
  return { server, seed };
}

/** Single-use tokens work until they are used, so a later refresh shows whether the first one was executed. */
async function wasExecuted(server: AuthorizationServer, seed: string): Promise<boolean> {
  return (await refresh(server, seed)).status === 400;
}

describe('before the token request is executed', () => {
  it('shows the hook the request as it arrived', async () => {
    const server = await startForTest();
    const seed = await server.seedRefreshToken('app');
    const seen: unknown[] = [];
    server.intercept(({ clientId, grantType, number, headers, form }) => {
      seen.push([clientId, grantType, number, headers['content-type'], form.get('refresh_token')]);
      return undefined;
    });
    await refresh(server, seed);
    const type = 'application/x-www-form-urlencoded;charset=UTF-8';
    expect(seen).toEqual([['app', 'refresh_token', 1, type, seed]]);
  });

  it('holds a request while the hook waits', async () => {
    const server = await startForTest();
    const seed = await server.seedRefreshToken('app');
    const arrived = Promise.withResolvers<void>();
    const release = Promise.withResolvers<void>();
    server.intercept(async () => {
      arrived.resolve();
      await release.promise;
      return undefined;
    });
    const response = refresh(server, seed);
    await arrived.promise;
    expect(server.tokenRequests).toMatchObject([{ status: undefined, executed: false, endedAt: undefined }]);
    release.resolve();
    expect((await response).status).toBe(200);
    expect(server.tokenRequests).toMatchObject([{ status: 200, executed: true }]);
  });

  it('executes a held request even if its sender gave up', async () => {
    const server = await startForTest();
    const seed = await server.seedRefreshToken('app');
    const arrived = Promise.withResolvers<void>();
    const release = Promise.withResolvers<void>();
    const executed = Promise.withResolvers<void>();
    server.intercept(async ({ number }) => {
      if (number > 1) return undefined;
      arrived.resolve();
      await release.promise;
      const alter = (response: ExecutedResponse): HookResponse => {
        executed.resolve();
        return response;
      };
      return { action: 'execute_then_alter', alter };
    });
    const abort = new AbortController();
    const body = new URLSearchParams({ grant_type: 'refresh_token', refresh_token: seed, client_id: 'app' });
    body.set('client_secret', 'the-client-secret');
    const given = fetch(server.tokenEndpoint, { method: 'POST', body, signal: abort.signal });
    await arrived.promise;
    abort.abort();
    await expect(given).rejects.toThrow('aborted');
    release.resolve();
    await executed.promise;
    expect(await wasExecuted(server, seed)).toBe(true);
  });

  it('responds instead of the provider, with any status, headers, body and content type', async () => {
    const { server, seed } = await startIntercepted({
      action: 'answer',
      answer: {
        status: 503,
        headers: { 'retry-after': '7' },
        body: '<h1>busy</h1>',
        contentType: 'text/html',
      },
    });
    const response = await postRefresh(server, seed);
    expect(response.status).toBe(503);
    expect(response.headers.get('retry-after')).toBe('7');
    expect(response.headers.get('content-type')).toBe('text/html');
    expect(await response.text()).toBe('<h1>busy</h1>');
    expect(server.tokenRequests).toMatchObject([{ status: 503, executed: false }]);
    expect(await wasExecuted(server, seed)).toBe(false);
  });

  it('sends objects as JSON, Buffers as they are, and no content type on request', async () => {
    const server = await startForTest();
    const bodies: Record<number, Interception> = {
      1: { action: 'answer', answer: { status: 400, body: { error: 'invalid_grant' } } },
      2: { action: 'answer', answer: { status: 200, body: Buffer.from([0xff, 0xfe]), contentType: null } },
    };
    server.intercept(({ number }) => bodies[number]);
    const json = await postRefresh(server, 'any');
    expect(json.headers.get('content-type')).toBe('application/json; charset=utf-8');
    expect(await json.json()).toEqual({ error: 'invalid_grant' });
    const bytes = await postRefresh(server, 'any');
    expect(bytes.headers.get('content-type')).toBeNull();
    expect([...new Uint8Array(await bytes.arrayBuffer())]).toEqual([0xff, 0xfe]);
  });

  it('destroys the connection and leaves the token unused', async () => {
    const { server, seed } = await startIntercepted({ action: 'destroy' });
    await expect(postRefresh(server, seed)).rejects.toThrow('fetch failed');
    expect(server.tokenRequests).toMatchObject([{ status: undefined, executed: false }]);
    expect(server.tokenRequests[0]?.endedAt).toBeTypeOf('number');
    expect(await wasExecuted(server, seed)).toBe(false);
  });
});

describe('after the token request was executed', () => {
  it('drops the response', async () => {
    const { server, seed } = await startIntercepted({ action: 'execute_then_destroy' });
    await expect(postRefresh(server, seed)).rejects.toThrow('fetch failed');
    expect(server.tokenRequests).toMatchObject([{ status: 200, executed: true }]);
    expect(await wasExecuted(server, seed)).toBe(true);
  });

  it('alters the response of the provider', async () => {
    const { server, seed } = await startIntercepted({
      action: 'execute_then_alter',
      alter: async ({ status, body }) => ({ status, body: { ...body, expires_in: '3600' } }),
    });
    const response = await refresh(server, seed);
    expect(response).toMatchObject({ status: 200, body: { expires_in: '3600' } });
    expect(await resourceStatus(server, response.body.access_token)).toBe(200);
  });

  it('replaces the response with a failure', async () => {
    const { server, seed } = await startIntercepted({
      action: 'execute_then_alter',
      alter: () => ({ status: 502, body: 'bad gateway', contentType: 'text/plain' }),
    });
    expect((await postRefresh(server, seed)).status).toBe(502);
    expect(await wasExecuted(server, seed)).toBe(true);
  });
});

describe('a raw writer', () => {
  it('writes bytes that no library would write: a response that is cut off in the middle', async () => {
    const { server, seed } = await startIntercepted({
      action: 'take_over',
      execute: true,
      write: (response, executed) => {
        const text = JSON.stringify(executed?.body);
        response.writeHead(200, { 'content-type': 'application/json', 'content-length': text.length });
        response.write(text.slice(0, 20), () => response.destroy());
      },
    });
    const response = await postRefresh(server, seed);
    await expect(response.text()).rejects.toThrow('terminated');
    expect(await wasExecuted(server, seed)).toBe(true);
  });

  it('writes without execution and without the headers of the provider', async () => {
    const { server, seed } = await startIntercepted({
      action: 'take_over',
      execute: false,
      write: (response, executed) => void response.writeHead(executed ? 500 : 302, { location: '/' }).end(),
    });
    const response = await fetch(server.tokenEndpoint, {
      method: 'POST',
      redirect: 'manual',
      body: new URLSearchParams({ grant_type: 'refresh_token' }),
    });
    expect([response.status, response.headers.get('cache-control')]).toEqual([302, null]);
    expect(await wasExecuted(server, seed)).toBe(false);
  });
});

it('reports a hook that throws, and responds with 500 without the error', async () => {
  const errors: Error[] = [];
  const server = await startForTest({ onError: (error) => errors.push(error) });
  server.intercept(() => {
    throw new Error('the test is wrong');
  });
  const response = await postRefresh(server, 'any');
  expect([response.status, await response.text()]).toEqual([500, 'Internal Server Error']);
  expect(errors.map(({ message }) => message)).toEqual(['the test is wrong']);
  expect(server.tokenRequests).toMatchObject([{ status: 500, executed: false }]);
});
