import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { authorizeByCode, type Browser } from '../../../lib/authorization/authorizeByCode.ts';
import { startLoopbackServer } from '../../../lib/authorization/loopbackServer.ts';
import type { AuthorizationRequest } from '../../../lib/authorization/request.ts';
import type { ErrorCode } from '../../../lib/errors.ts';
import type { AuthorizationServer } from '../../../local/authorizationServer/server.ts';
import { errorOf } from '../../support/thrown.ts';
import { CLIENT, Person, requestTo, startServer } from './support.ts';

let server: AuthorizationServer;

beforeAll(async () => {
  server = await startServer();
});

afterAll(() => server.close());

/** Signs in as `visit` does with the address that the person is shown. */
function signIn(
  request: AuthorizationRequest,
  visit: (address: string) => unknown,
  more: Partial<Browser> = {},
) {
  const open = (url: string) => void visit(url);
  return authorizeByCode(request, {
    open,
    redirectUri: 'http://127.0.0.1/callback',
    patienceMs: 10_000,
    ...more,
  });
}

/** The browser comes back with these parameters, whatever the server would have answered. */
function comeBack(change: (parameters: URLSearchParams) => void) {
  return async (address: string) => {
    const parameters = new URL(address).searchParams;
    const back = new URL(parameters.get('redirect_uri') ?? '');
    back.searchParams.set('state', parameters.get('state') ?? '');
    change(back.searchParams);
    await (await fetch(back)).text();
  };
}

describe('the authorization code flow', () => {
  test('brings a refresh token and the granted scope', async () => {
    const tokens = await signIn(await requestTo(server), (address) => new Person().visit(address));
    expect(tokens).toEqual({ refreshToken: expect.any(String), scope: 'openid offline_access' });
    expect(server.issuedValues()).toContain(tokens.refreshToken);
  });

  test('sends PKCE with S256 and another state each time', async () => {
    const seen: URLSearchParams[] = [];
    const look = (address: string) => {
      seen.push(new URL(address).searchParams);
      return new Person().visit(address);
    };
    await signIn(await requestTo(server), look);
    await signIn(await requestTo(server), look);
    expect(seen.map((each) => each.get('code_challenge_method'))).toEqual(['S256', 'S256']);
    expect(new Set(seen.map((each) => each.get('state'))).size).toBe(2);
    expect(new Set(seen.map((each) => each.get('code_challenge'))).size).toBe(2);
  });

  test.each<[string, (p: URLSearchParams) => void, ErrorCode, string]>([
    ['a wrong state', (p) => p.set('state', 'another'), 'authorization_failed', 'its state is another one'],
    ['no state', (p) => p.delete('state'), 'authorization_failed', 'its state is another one'],
    ['a denial', (p) => p.set('error', 'access_denied'), 'authorization_denied', 'consent was denied'],
    ['another error', (p) => p.set('error', 'server_error'), 'authorization_failed', 'server_error'],
    ['nothing at all', () => {}, 'authorization_failed', 'no usable answer'],
    ['a code that is none', (p) => p.set('code', 'none'), 'authorization_failed', 'the code is refused'],
    [
      'the issuer of another server',
      (p) => {
        p.set('code', 'none');
        p.set('iss', 'https://other.example');
      },
      'authorization_failed',
      'no usable answer',
    ],
  ])('%s is told', async (_, change, code, text) => {
    const answer = (parameters: URLSearchParams) => {
      parameters.set('iss', server.issuer);
      change(parameters);
    };
    const error = await errorOf(signIn(await requestTo(server), comeBack(answer)));
    expect(error).toMatchObject({ code, message: expect.stringContaining(text) });
    expect(error.fix).not.toBe('');
  });

  test('text of the provider is made safe', async () => {
    const answer = (parameters: URLSearchParams) => {
      parameters.set('iss', server.issuer);
      parameters.set('error', 'access_denied');
      parameters.set('error_description', `\u001b[31m${CLIENT.clientSecret}\r\nfaked line`);
    };
    const { message } = await errorOf(signIn(await requestTo(server), comeBack(answer)));
    expect(message).not.toContain(CLIENT.clientSecret);
    expect(message).toMatch(/^[ -~]*$/);
  });

  test('without offline_access there is no refresh token, and the missing scope is named', async () => {
    const request = await requestTo(server, { parameters: { scope: 'openid' } });
    const error = await errorOf(signIn(request, (address) => new Person().visit(address)));
    expect(error).toMatchObject({
      code: 'refresh_token_not_issued',
      message: expect.stringContaining('offline_access was not asked for'),
    });
  });

  test('where the provider keeps it back although it was asked for, its settings are named', async () => {
    const request = await requestTo(server, { parameters: { scope: 'openid offline_access' } });
    const error = await errorOf(signIn(request, (address) => new Person().visit(address)));
    expect(error).toMatchObject({
      code: 'refresh_token_not_issued',
      fix: expect.stringContaining("client's settings"),
    });
  });

  test('a wrong client secret is told apart', async () => {
    const request = await requestTo(server, { clientSecret: 'wrong-secret' });
    const error = await errorOf(signIn(request, (address) => new Person().visit(address)));
    expect(error).toMatchObject({ code: 'client_rejected' });
  });

  test('a browser that was closed is waited for no longer than the patience', async () => {
    const error = await errorOf(signIn(await requestTo(server), () => {}, { patienceMs: 50 }));
    expect(error).toMatchObject({
      code: 'authorization_expired',
      message: expect.stringContaining('Nobody came back'),
    });
  });

  test('Ctrl-C ends the waiting', async () => {
    const stop = new AbortController();
    const error = await errorOf(signIn(await requestTo(server, { signal: stop.signal }), () => stop.abort()));
    expect(error).toMatchObject({ code: 'interrupted' });
  });

  test('nobody is sent to an authorization endpoint that is no https address', async () => {
    const request = await requestTo(server);
    for (const authorization_endpoint of [
      'file:///etc/passwd',
      'http://login.example/',
      'javascript:alert(1)',
    ]) {
      const changed = { ...request, server: { ...request.server, authorization_endpoint } };
      const opened: string[] = [];
      const error = await errorOf(signIn(changed, (address) => opened.push(address)));
      expect([error.code, opened]).toEqual(['authorization_failed', []]);
    }
  });

  test('only the redirect path counts', async () => {
    const visit = async (address: string) => {
      const back = new URL(new URL(address).searchParams.get('redirect_uri') ?? '');
      expect((await fetch(new URL('/favicon.ico', back))).status).toBe(404);
      expect((await fetch(back, { method: 'POST' })).status).toBe(404);
      await new Person().visit(address);
    };
    expect(await signIn(await requestTo(server), visit)).toHaveProperty('refreshToken');
  });

  test('the port 80 is a port like any other, and the redirect URI is sent as it is registered', async () => {
    const outcome = await startLoopbackServer('http://127.0.0.1:80/callback').then(
      async (loopback) => {
        await loopback.close();
        return loopback.redirectUri;
      },
      // Not every user may listen there.
      ({ message }: Error) => message,
    );
    expect(outcome).toMatch(/^(http:\/\/127\.0\.0\.1:80\/callback$|Port 80 of 127\.0\.0\.1 )/);
  });

  test.each([
    'https://127.0.0.1/callback',
    'http://user:80@127.0.0.1/callback',
    'http://example.com/callback',
    'http://127.0.0.1/callback?a=b',
    'nonsense',
  ])('a redirect URI that is no plain address of this machine is refused: %s', async (redirectUri) => {
    const error = await errorOf(signIn(await requestTo(server), () => {}, { redirectUri }));
    expect(error).toMatchObject({
      code: 'configuration_invalid',
      fix: expect.stringContaining('--redirect-uri'),
    });
  });

  test('a port that is taken is named', async () => {
    const other: Server = createServer();
    other.listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as AddressInfo;
    const redirectUri = `http://127.0.0.1:${port}/callback`;
    const error = await errorOf(signIn(await requestTo(server), () => {}, { redirectUri }));
    expect(error.message).toContain(`Port ${port} of 127.0.0.1 cannot be listened to (EADDRINUSE)`);
    other.close();
  });
});
