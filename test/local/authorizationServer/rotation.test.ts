import { describe, expect, it } from 'vitest';
import { localClient, manualClock, refresh, resourceStatus, startForTest } from './support.ts';

describe('single use', () => {
  it('treats a reuse as theft: it also revokes the newest access token of the family', async () => {
    const server = await startForTest();
    const seed = await server.seedRefreshToken('app');
    const rotated = await refresh(server, seed);
    await refresh(server, seed);
    expect(await resourceStatus(server, rotated.body.access_token)).toBe(401);
  });

  it('lets only one of two requests with the same token win, even if they run interleaved', async () => {
    const server = await startForTest();
    const seed = await server.seedRefreshToken('app');
    const { promise: bothArrived, resolve } = Promise.withResolvers<void>();
    server.intercept(async ({ number }) => {
      if (number === 2) resolve();
      await bothArrived;
      return undefined;
    });
    const responses = await Promise.all([refresh(server, seed), refresh(server, seed)]);
    server.intercept(undefined);
    expect(responses.map(({ status }) => status).sort()).toEqual([200, 400]);
    const winner = responses.find(({ status }) => status === 200);
    expect((await refresh(server, winner?.body.refresh_token)).status).toBe(400);
    expect(await resourceStatus(server, winner?.body.access_token)).toBe(401);
  });
});

describe('none', () => {
  const client = localClient({ rotation: 'none' });

  it('keeps one refresh token usable and repeats it in each response', async () => {
    const server = await startForTest({ clients: [client] });
    const seed = await server.seedRefreshToken('app');
    const responses = [await refresh(server, seed, client), await refresh(server, seed, client)];
    expect(responses.map(({ status }) => status)).toEqual([200, 200]);
    expect(responses.map(({ body }) => body.refresh_token)).toEqual([seed, seed]);
    expect(await resourceStatus(server, responses[0]?.body.access_token)).toBe(200);
    expect(await resourceStatus(server, responses[1]?.body.access_token)).toBe(200);
  });
});

describe('lifetimes', () => {
  it('expires an access token at its stated time, and a refresh token after 90 days without use', async () => {
    const clock = manualClock();
    const server = await startForTest({ now: clock.now, accessTokenSeconds: 30 });
    const response = await refresh(server, await server.seedRefreshToken('app'));
    expect(response.body).toMatchObject({ expires_in: 30, token_type: 'Bearer' });
    clock.advance(29);
    expect(await resourceStatus(server, response.body.access_token)).toBe(200);
    clock.advance(1);
    expect(await resourceStatus(server, response.body.access_token)).toBe(401);
    clock.advance(90 * 86_400);
    expect(await refresh(server, response.body.refresh_token)).toMatchObject({
      status: 400,
      body: { error: 'invalid_grant' },
    });
  });
});
