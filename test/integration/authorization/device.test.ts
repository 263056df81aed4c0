import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { authorizeByDevice, type DeviceCode } from '../../../lib/authorization/authorizeByDevice.ts';
import type { AuthorizationRequest } from '../../../lib/authorization/request.ts';
import type { AuthorizationServer } from '../../../local/authorizationServer/server.ts';
import { errorOf } from '../../support/thrown.ts';
import { BrowserUser, requestTo, startServer } from './support.ts';

let server: AuthorizationServer;

beforeEach(async () => {
  server = await startServer();
});

afterEach(() => server.close());

/** Polls without waiting; `visit` runs before the nth poll. */
function authorize(
  request: AuthorizationRequest,
  visits: readonly ((code: DeviceCode) => unknown)[] = [],
  patienceMs?: number,
) {
  const slept: number[] = [];
  let code: DeviceCode | undefined;
  let now = 0;
  const clock = {
    monotonic: () => now,
    sleep: async (ms: number) => {
      now += ms;
      if (code) await visits[slept.length]?.(code);
      slept.push(ms);
    },
  };
  const show = (shown: DeviceCode) => {
    code = shown;
  };
  const tokens = authorizeByDevice(request, { show, patienceMs }, clock);
  return { tokens, slept, code: () => code };
}

const nothing = () => {};
const consent = ({ address, userCode }: DeviceCode) => new BrowserUser().enter(address, userCode);

/** The nth poll gets the nth error as its response (undefined: it gets no response). */
function respondToPolls(errors: readonly (string | undefined)[]) {
  let polls = 0;
  server.intercept(() => {
    const at = polls++;
    if (at >= errors.length) return undefined;
    const error = errors[at];
    if (error === undefined) return { action: 'destroy' };
    return { action: 'answer', answer: { status: 400, body: { error } } };
  });
}

describe('the device flow', () => {
  test('returns a refresh token after the user has consented', async () => {
    const { tokens, slept } = authorize(await requestTo(server), [nothing, consent]);
    expect(await tokens).toMatchObject({ refreshToken: expect.any(String) });
    expect(slept).toEqual([5_000, 5_000]);
  });

  test('adds five seconds to the interval after each slow_down, permanently', async () => {
    respondToPolls(['slow_down', 'authorization_pending', 'slow_down']);
    const { tokens, slept } = authorize(await requestTo(server), [nothing, nothing, nothing, consent]);
    await tokens;
    expect(slept).toEqual([5_000, 10_000, 10_000, 15_000]);
  });

  test('polls less often after a lost response', async () => {
    respondToPolls([undefined]);
    const { tokens, slept } = authorize(await requestTo(server), [nothing, consent]);
    await tokens;
    expect(slept).toEqual([5_000, 10_000]);
  });

  test('reports a denied consent', async () => {
    const deny = ({ address, userCode }: DeviceCode) => new BrowserUser().enter(address, userCode, 'deny');
    const { tokens } = authorize(await requestTo(server), [deny]);
    expect(await errorOf(tokens)).toMatchObject({ code: 'authorization_denied' });
  });

  test('reports an expired code, by the server or by the clock', async () => {
    respondToPolls(['expired_token']);
    const byServer = authorize(await requestTo(server));
    expect(await errorOf(byServer.tokens)).toMatchObject({ code: 'authorization_expired' });
    const byClock = authorize(await requestTo(server));
    expect(await errorOf(byClock.tokens)).toMatchObject({ code: 'authorization_expired' });
    expect(byClock.slept.length).toBeLessThanOrEqual(600 / 5);
  });

  test('waits no longer than the user asked for, and names that time', async () => {
    const { tokens, slept, code } = authorize(await requestTo(server), [], 12_000);
    expect(await errorOf(tokens)).toMatchObject({ code: 'authorization_expired' });
    expect(slept).toEqual([5_000, 5_000, 2_000]);
    expect(code()?.expiresInMs).toBe(12_000);
  });

  test('ends the polling after Ctrl-C', async () => {
    const stop = new AbortController();
    const { tokens } = authorize(await requestTo(server, { signal: stop.signal }), [() => stop.abort()]);
    expect(await errorOf(tokens)).toMatchObject({ code: 'interrupted' });
  });

  test('reports a wrong client secret before it shows a code', async () => {
    const { tokens, slept } = authorize(await requestTo(server, { clientSecret: 'wrong-secret' }));
    expect(await errorOf(tokens)).toMatchObject({ code: 'client_rejected' });
    expect(slept).toEqual([]);
  });

  test('sanitizes the text of the server before it shows it to the user', async () => {
    const request = await requestTo(server);
    const code = { device_code: 'd', user_code: 'AB\u001b[31mCD', expires_in: 600 };
    let verification_uri = 'https://login.example/\u001b[31m';
    const fake = createServer((_, response) => {
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify({ ...code, verification_uri }));
    });
    fake.listen(0, '127.0.0.1');
    await once(fake, 'listening');
    const device_authorization_endpoint = `http://127.0.0.1:${(fake.address() as AddressInfo).port}/`;
    const shown: DeviceCode[] = [];
    const begin = () => {
      const stop = new AbortController();
      const clock = { monotonic: () => 0, sleep: async () => stop.abort() };
      const changed = {
        ...request,
        server: { ...request.server, device_authorization_endpoint },
        signal: stop.signal,
      };
      return authorizeByDevice(changed, { show: (code) => void shown.push(code) }, clock);
    };
    expect(await errorOf(begin())).toMatchObject({
      message: expect.stringContaining('not a valid https address'),
    });
    verification_uri = 'file:///etc/passwd';
    expect(await errorOf(begin())).toMatchObject({
      message: expect.stringContaining('not a valid https address'),
    });
    verification_uri = 'https://login.example/device';
    expect(await errorOf(begin())).toMatchObject({ code: 'interrupted' });
    expect(shown).toEqual([{ address: verification_uri, userCode: 'AB[31mCD', expiresInMs: 600_000 }]);
    fake.close();
  });

  test('sends nothing to an endpoint without TLS on another machine', async () => {
    const request = await requestTo(server);
    const device_authorization_endpoint = 'http://login.example/device';
    const { tokens } = authorize({
      ...request,
      server: { ...request.server, device_authorization_endpoint },
    });
    expect(await errorOf(tokens)).toMatchObject({
      message: 'The address login.example must use https; nothing was sent.',
    });
  });

  test('ignores a scope that is not valid', async () => {
    server.intercept(() => ({
      action: 'execute_then_alter',
      alter: (response) => ({ ...response, body: { ...response.body, scope: 'openid \u001b[31m' } }),
    }));
    const { tokens } = authorize(await requestTo(server), [consent]);
    expect(await tokens).toMatchObject({ scope: undefined });
  });

  test('reports a server without the endpoint', async () => {
    const request = await requestTo(server);
    const { device_authorization_endpoint: _none, ...without } = request.server;
    const { tokens } = authorize({ ...request, server: without });
    expect(await errorOf(tokens)).toMatchObject({ fix: expect.stringContaining('--device-endpoint') });
  });
});
