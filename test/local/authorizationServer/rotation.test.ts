import { describe, expect, it } from 'vitest';
import { localClient, manualClock, refresh, resourceStatus, startForTest } from './support.ts';

describe('single use', () => {
  it('answers each refresh with another refresh token and a working access token', async () => {
    const server = await startForTest();
    const seed = await server.seedRefreshToken('app');
    const first = await refresh(server, seed);
    const second = await refresh(server, first.body.refresh_token);
    expect([first.status, second.status]).toEqual([200, 200]);
    expect(new Set([seed, first.body.refresh_token, second.body.refresh_token]).size).toBe(3);
    expect(await resourceStatus(server, second.body.access_token)).toBe(200);
  });

  it('takes a reuse for theft: the whole family dies, the newest access token included', async () => {
    const server = await startForTest();
    const seed = await server.seedRefreshToken('app');
    const rotated = await refresh(server, seed);
    const reuse = await refresh(server, seed);
    expect(reuse).toMatchObject({ status: 400, body: { error: 'invalid_grant' } });
    expect(await refresh(server, rotated.body.refresh_token)).toMatchObject({
      status: 400,
      body: { error: 'invalid_grant' },
    });
    expect(await resourceStatus(server, rotated.body.access_token)).toBe(401);
  });

  it('leaves other families alone when one is revoked', async () => {
    const server = await startForTest();
    const [dead, alive] = [await server.seedRefreshToken('app'), await server.seedRefreshToken('app')];
    await refresh(server, dead);
    await refresh(server, dead);
    expect((await refresh(server, alive)).status).toBe(200);
  });

  it('lets only one of two grants with the same token win, even where they run interleaved', async () => {
    const server = await startForTest();
    const seed = await server.seedRefreshToken('app');
    const { promise: bothArrived, resolve } = Promise.withResolvers<void>();
    server.intercept(async ({ number }) => {
      if (number === 2) resolve();
      await bothArrived;
      return undefined;
    });
    const answers = await Promise.all([refresh(server, seed), refresh(server, seed)]);
    server.intercept(undefined);
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 400]);
    const winner = answers.find(({ status }) => status === 200);
    expect((await refresh(server, winner?.body.refresh_token)).status).toBe(400);
    expect(await resourceStatus(server, winner?.body.access_token)).toBe(401);
  });
});

describe('grace', () => {
  const client = localClient({ rotation: 'grace', graceSeconds: 30 });

  it('lets the old refresh token work again until the grace since its first use is over', async () => {
    const clock = manualClock();
    const server = await startForTest({ clients: [client], now: clock.now });
    const seed = await server.seedRefreshToken('app');
    const first = await refresh(server, seed, client);
    clock.advance(29.9);
    const second = await refresh(server, seed, client);
    expect([first.status, second.status]).toEqual([200, 200]);
    expect(second.body.refresh_token).not.toBe(first.body.refresh_token);
    expect((await refresh(server, first.body.refresh_token, client)).status).toBe(200);
  });

  it('does not start the grace again with a second use', async () => {
    const clock = manualClock();
    const server = await startForTest({ clients: [client], now: clock.now });
    const seed = await server.seedRefreshToken('app');
    await refresh(server, seed, client);
    clock.advance(20);
    await refresh(server, seed, client);
    clock.advance(20);
    expect((await refresh(server, seed, client)).status).toBe(400);
  });

  it('revokes the family on a use after the grace', async () => {
    const clock = manualClock();
    const server = await startForTest({ clients: [client], now: clock.now, accessTokenSeconds: 600 });
    const seed = await server.seedRefreshToken('app');
    const rotated = await refresh(server, seed, client);
    clock.advance(30);
    expect(await resourceStatus(server, rotated.body.access_token)).toBe(200);
    expect(await refresh(server, seed, client)).toMatchObject({
      status: 400,
      body: { error: 'invalid_grant' },
    });
    expect((await refresh(server, rotated.body.refresh_token, client)).status).toBe(400);
    expect(await resourceStatus(server, rotated.body.access_token)).toBe(401);
  });

  it('gives a token that was never used no deadline', async () => {
    const clock = manualClock();
    const server = await startForTest({ clients: [client], now: clock.now });
    const seed = await server.seedRefreshToken('app');
    clock.advance(3_600);
    expect((await refresh(server, seed, client)).status).toBe(200);
  });
});

describe('none', () => {
  const client = localClient({ rotation: 'none' });

  it('keeps one refresh token usable and repeats it in each answer', async () => {
    const server = await startForTest({ clients: [client] });
    const seed = await server.seedRefreshToken('app');
    const answers = [await refresh(server, seed, client), await refresh(server, seed, client)];
    expect(answers.map(({ status }) => status)).toEqual([200, 200]);
    expect(answers.map(({ body }) => body.refresh_token)).toEqual([seed, seed]);
    expect(await resourceStatus(server, answers[0]?.body.access_token)).toBe(200);
    expect(await resourceStatus(server, answers[1]?.body.access_token)).toBe(200);
  });
});

describe('lifetimes', () => {
  it('ends an access token when it says, and a refresh token after 90 days without use', async () => {
    const clock = manualClock();
    const server = await startForTest({ now: clock.now, accessTokenSeconds: 30 });
    const answer = await refresh(server, await server.seedRefreshToken('app'));
    expect(answer.body).toMatchObject({ expires_in: 30, token_type: 'Bearer' });
    clock.advance(29);
    expect(await resourceStatus(server, answer.body.access_token)).toBe(200);
    clock.advance(1);
    expect(await resourceStatus(server, answer.body.access_token)).toBe(401);
    clock.advance(90 * 86_400);
    expect(await refresh(server, answer.body.refresh_token)).toMatchObject({
      status: 400,
      body: { error: 'invalid_grant' },
    });
  });
});
