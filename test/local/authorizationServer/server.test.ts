import { once } from 'node:events';
import { connect } from 'node:net';
import { Agent, request } from 'undici';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { signIn } from '../../../local/authorizationServer/authorizationCode.ts';
import { startAuthorizationServer } from '../../../local/authorizationServer/server.ts';
import { localClient, postRefresh, refresh, resourceStatus, startForTest } from './support.ts';

describe('client authentication', () => {
  it.each(['client_secret_basic', 'client_secret_post'] as const)(
    'responds to a wrong secret by %s with 401 invalid_client and does not consume the token',
    async (clientAuthentication) => {
      const client = localClient({ clientAuthentication });
      const server = await startForTest({ clients: [client] });
      const seed = await server.seedRefreshToken('app');
      const wrong = await refresh(server, seed, { ...client, clientSecret: 'wrong' });
      expect(wrong).toMatchObject({ status: 401, body: { error: 'invalid_client' } });
      expect((await refresh(server, seed, client)).status).toBe(200);
      expect(server.tokenRequests.map(({ clientId, status }) => [clientId, status])).toEqual([
        ['app', 401],
        ['app', 200],
      ]);
    },
  );

  it('cannot change the secret of an undeclared client', async () => {
    const server = await startForTest();
    expect(() => server.setClientSecret('unknown', 'changed')).toThrow('no client unknown');
  });

  it('refuses the refresh token of another client', async () => {
    const other = localClient({ clientId: 'other' });
    const server = await startForTest({ clients: [localClient(), other] });
    const seed = await server.seedRefreshToken('app');
    expect(await refresh(server, seed, other)).toMatchObject({
      status: 400,
      body: { error: 'invalid_grant' },
    });
    expect((await refresh(server, seed)).status).toBe(200);
  });
});

describe('the start fails for an invalid declaration', () => {
  it.each([
    [
      'a secret that is not ASCII',
      [localClient({ clientSecret: 'pässword' })],
      'client app: invalid client_secret',
    ],
    ['a client twice', [localClient(), localClient()], 'client app is declared twice'],
    [
      'grace without seconds',
      [localClient({ rotation: 'grace' })],
      'client app: set graceSeconds for rotation "grace" only',
    ],
    [
      'seconds without grace',
      [localClient({ graceSeconds: 5 })],
      'client app: set graceSeconds for rotation "grace" only',
    ],
  ])('%s', async (_name, clients, message) => {
    await expect(startForTest({ clients })).rejects.toThrow(message);
  });
});

describe('the record of the server', () => {
  it('counts the refresh token requests in flight of each client separately, including held ones', async () => {
    const other = localClient({ clientId: 'other', rotation: 'none' });
    const reusable = localClient({ rotation: 'none' });
    const server = await startForTest({ clients: [reusable, other] });
    const [seed, otherSeed] = [await server.seedRefreshToken('app'), await server.seedRefreshToken('other')];
    await refresh(server, seed);
    await refresh(server, seed);
    expect(server.concurrentRequests('app')).toBe(1);

    const allArrived = Promise.withResolvers<void>();
    server.intercept(async ({ number }) => {
      if (number === 6) allArrived.resolve();
      await allArrived.promise;
      return undefined;
    });
    await Promise.all(
      [seed, seed, seed].map((token) => refresh(server, token)).concat(refresh(server, otherSeed, other)),
    );
    expect([server.concurrentRequests('app'), server.concurrentRequests('other')]).toEqual([3, 1]);
    server.intercept(undefined);
    await refresh(server, seed);
    expect([server.concurrentRequests('app'), server.concurrentRequests('unknown')]).toEqual([3, 0]);
  });

  it('counts a client that waits for each response only once', async () => {
    const server = await startForTest();
    let token = await server.seedRefreshToken('app');
    for (let i = 0; i < 25; i += 1) token = (await refresh(server, token)).body.refresh_token ?? '';
    expect(server.concurrentRequests('app')).toBe(1);
  });

  it('lists token requests with times and without secrets, including malformed ones and unknown clients', async () => {
    const server = await startForTest();
    const { tokenEndpoint } = server;
    await refresh(server, await server.seedRefreshToken('app'));
    await fetch(tokenEndpoint, { method: 'POST', body: new URLSearchParams({ grant_type: 'password' }) });
    await fetch(tokenEndpoint, { method: 'POST', headers: { 'content-type': 'text/plain' }, body: 'x' });
    const huge = new URLSearchParams({ grant_type: 'refresh_token', padding: 'x'.repeat(1_000_000) });
    expect((await fetch(tokenEndpoint, { method: 'POST', body: huge })).status).toBe(413);
    await fetch(tokenEndpoint);
    expect(server.tokenRequests.map(({ grantType, status }) => [grantType, status])).toEqual([
      ['refresh_token', 200],
      ['password', 400],
      [undefined, 400],
    ]);
    for (const { startedAt, endedAt } of server.tokenRequests)
      expect(endedAt).toBeGreaterThanOrEqual(startedAt);
    const listed = JSON.stringify(server.tokenRequests);
    for (const secret of [...server.issuedValues(), 'the-client-secret'])
      expect(listed).not.toContain(secret);
  });

  it('contains every issued value', async () => {
    const server = await startForTest();
    const codes: (string | null)[] = [];
    server.intercept(({ form }) => {
      codes.push(form.get('code'));
      return undefined;
    });
    const tokens = await signIn(server.issuer, localClient());
    const { body } = await refresh(server, tokens.refresh_token);
    const { id_token: idToken } = body as { id_token?: string };
    const seen = [
      codes[0],
      tokens.refresh_token,
      tokens.access_token,
      body.refresh_token,
      body.access_token,
      idToken,
    ];
    expect(new Set(seen).size).toBe(6);
    expect(server.issuedValues()).toEqual(expect.arrayContaining(seen));
  });
});

it('seeds hundreds of connections quickly and forgets none', async () => {
  const server = await startForTest();
  const seeds = await Promise.all(Array.from({ length: 500 }, () => server.seedRefreshToken('app')));
  expect(new Set(seeds).size).toBe(500);
  const last = await refresh(server, seeds.at(-1));
  expect((await refresh(server, seeds[0])).status).toBe(200);
  expect(await resourceStatus(server, last.body.access_token)).toBe(200);
  await expect(server.seedRefreshToken('unknown')).rejects.toThrow('no client unknown');
});

it('prints nothing at the start, during a login, a refresh or an error, and at the end', async () => {
  onTestFinished(() => void vi.restoreAllMocks());
  const methods = ['log', 'info', 'warn', 'error'] as const;
  const printed = methods.map((method) => vi.spyOn(console, method));
  const server = await startAuthorizationServer({ clients: [localClient()], accessTokenSeconds: 30 });
  const tokens = await signIn(server.issuer, localClient());
  await refresh(server, tokens.refresh_token);
  await refresh(server, 'unknown');
  await fetch(`${server.issuer}/auth`, { headers: { accept: 'text/html' } });
  await fetch(`${server.issuer}/interaction/none`);
  await fetch(server.resourceEndpoint, {
    headers: { origin: 'http://example.com', authorization: 'Bearer x' },
  });
  server.intercept(() => ({ action: 'destroy' }));
  await postRefresh(server, 'any').catch(() => undefined);
  await server.close();
  expect(printed.flatMap((spy) => spy.mock.calls)).toEqual([]);
});

describe('close', () => {
  it('does not wait for kept-alive connections, and accepts a second call', async () => {
    const server = await startForTest();
    const agent = new Agent({ keepAliveTimeout: 600_000 });
    const { body } = await request(`${server.issuer}/jwks`, { dispatcher: agent });
    await body.dump();
    const silent = connect(Number(new URL(server.issuer).port), '127.0.0.1');
    await once(silent, 'connect');
    const closed = once(silent, 'close');
    await Promise.all([server.close(), server.close()]);
    await closed;
    await agent.close();
  });

  it('does not wait for a request that a hook holds', async () => {
    const server = await startForTest();
    const arrived = Promise.withResolvers<void>();
    const release = Promise.withResolvers<undefined>();
    server.intercept(() => {
      arrived.resolve();
      return release.promise;
    });
    const response = postRefresh(server, 'any').catch((error: Error) => error.message);
    await arrived.promise;
    await server.close();
    expect(await response).toBe('fetch failed');
    release.resolve(undefined);
  });
});
