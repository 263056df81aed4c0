import { once } from 'node:events';
import { createServer, type IncomingMessage, type RequestOptions, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { authorizeByCode, type Browser } from '../../../lib/authorization/authorizeByCode.ts';
import { startLoopbackServer } from '../../../lib/authorization/loopbackServer.ts';
import type { AuthorizationRequest } from '../../../lib/authorization/request.ts';
import type { ErrorCode } from '../../../lib/errors.ts';
import { CAREFUL_BEHAVIOR } from '../../../lib/rotation/core/connection.ts';
import type { AuthorizationServer } from '../../../local/authorizationServer/server.ts';
import type { HookResponse } from '../../../local/authorizationServer/types.ts';
import { errorOf } from '../../support/thrown.ts';
import { BrowserUser, CLIENT, requestTo, startServer } from './support.ts';

let server: AuthorizationServer;

beforeAll(async () => {
  server = await startServer();
});

afterAll(() => server.close());

/** Signs in; `visit` does what the user does with the address. */
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

/** The status of the response to a request whose Host header may differ from the address. */
async function statusOf(url: URL, options: RequestOptions = {}): Promise<number | undefined> {
  const [response] = (await once(request(url, options).end(), 'response')) as [IncomingMessage];
  response.resume();
  return response.statusCode;
}

/** The browser returns with these parameters instead of those of the server. */
function returnWith(change: (parameters: URLSearchParams) => void) {
  return async (address: string) => {
    const parameters = new URL(address).searchParams;
    const back = new URL(parameters.get('redirect_uri') ?? '');
    back.searchParams.set('state', parameters.get('state') ?? '');
    change(back.searchParams);
    await (await fetch(back)).text();
  };
}

describe('the authorization code flow', () => {
  test('proves the identity of the client with an assertion, as the rotations do', async () => {
    const made: string[] = [];
    const clientAssertion = async () => {
      made.push('an-assertion');
      return 'an-assertion';
    };
    const request = await requestTo(server, {
      clientAuthentication: 'private_key_jwt',
      clientSecret: '',
      clientAssertion,
    });
    server.intercept(({ form }) => {
      server.intercept(undefined);
      const sent = ['client_id', 'client_assertion', 'client_secret'].map((name) => form.get(name));
      expect(sent).toEqual([CLIENT.clientId, 'an-assertion', null]);
      return { action: 'answer', answer: { status: 400, body: { error: 'invalid_client' } } };
    });
    const error = await errorOf(signIn(request, (address) => new BrowserUser().visit(address)));
    expect(error).toMatchObject({ code: 'client_rejected' });
    expect(made).toHaveLength(1);
  });

  test('returns a refresh token and the granted scope', async () => {
    const tokens = await signIn(await requestTo(server), (address) => new BrowserUser().visit(address));
    expect(tokens).toEqual({
      refreshToken: expect.any(String),
      scope: 'openid offline_access',
      redirectUri: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+\/callback$/),
    });
    expect(server.issuedValues()).toContain(tokens.refreshToken);
  });

  test('sends PKCE with S256 and another state each time', async () => {
    const seen: URLSearchParams[] = [];
    const look = (address: string) => {
      seen.push(new URL(address).searchParams);
      return new BrowserUser().visit(address);
    };
    await signIn(await requestTo(server), look);
    await signIn(await requestTo(server), look);
    expect(seen.map((each) => each.get('code_challenge_method'))).toEqual(['S256', 'S256']);
    expect(new Set(seen.map((each) => each.get('state'))).size).toBe(2);
    expect(new Set(seen.map((each) => each.get('code_challenge'))).size).toBe(2);
  });

  test.each<[string, (p: URLSearchParams) => void, ErrorCode, string]>([
    ['a denial', (p) => p.set('error', 'access_denied'), 'authorization_denied', 'consent was denied'],
    ['another error', (p) => p.set('error', 'server_error'), 'authorization_failed', 'server_error'],
    ['nothing at all', () => {}, 'authorization_failed', 'no usable response'],
    ['an unknown code', (p) => p.set('code', 'none'), 'authorization_failed', 'the code is not valid'],
    [
      'the issuer of another server',
      (p) => {
        p.set('code', 'none');
        p.set('iss', 'https://other.example');
      },
      'authorization_failed',
      'no usable response',
    ],
  ])('reports %s', async (_, change, code, text) => {
    const changed = (parameters: URLSearchParams) => {
      parameters.set('iss', server.issuer);
      change(parameters);
    };
    const error = await errorOf(signIn(await requestTo(server), returnWith(changed)));
    expect(error).toMatchObject({ code, message: expect.stringContaining(text) });
    expect(error.fix).not.toBe('');
  });

  test('sanitizes text of the provider', async () => {
    const change = (parameters: URLSearchParams) => {
      parameters.set('iss', server.issuer);
      parameters.set('error', 'access_denied');
      parameters.set('error_description', `\u001b[31m${CLIENT.clientSecret}\r\nfaked line`);
    };
    const { message } = await errorOf(signIn(await requestTo(server), returnWith(change)));
    expect(message).not.toContain(CLIENT.clientSecret);
    expect(message).toMatch(/^[ -~]*$/);
  });

  test('names the missing scope if there is no refresh token without offline_access', async () => {
    const request = await requestTo(server, { parameters: { scope: 'openid' } });
    const error = await errorOf(signIn(request, (address) => new BrowserUser().visit(address)));
    expect(error).toMatchObject({
      code: 'refresh_token_not_issued',
      message: expect.stringContaining('did not request the scope offline_access'),
    });
  });

  test('names the settings at the provider if it issues no refresh token for offline_access', async () => {
    const request = await requestTo(server, { parameters: { scope: 'openid offline_access' } });
    const error = await errorOf(signIn(request, (address) => new BrowserUser().visit(address)));
    expect(error).toMatchObject({
      code: 'refresh_token_not_issued',
      fix: expect.stringContaining("client's settings"),
    });
  });

  /** The exchange of a code gets this token response. @returns what it received, and the result of the sign-in */
  async function exchanged(answer: HookResponse, more: Partial<AuthorizationRequest> = {}) {
    const received = Promise.withResolvers<URLSearchParams>();
    server.intercept(({ form }) => {
      server.intercept(undefined);
      received.resolve(form);
      return { action: 'answer', answer };
    });
    const visit = returnWith((parameters) => {
      parameters.set('iss', server.issuer);
      parameters.set('code', 'a-code');
    });
    const result = signIn(await requestTo(server, more), visit);
    return { form: received.promise, result };
  }

  const REFRESH = 'refresh-0123456789abcdef';
  const TOKENS = { access_token: 'access-0123456789abcdef', refresh_token: REFRESH };
  test.each<[string, unknown]>([
    ['another label of a Bearer token', { ok: true, ...TOKENS, token_type: 'bot', expires_in: 43_200 }],
    ['no token type', TOKENS],
    ['a list of scopes', { ...TOKENS, token_type: 'bearer', scope: ['user:read', 'chat:read'] }],
    ['tokens below the body', { status: 0, body: TOKENS }],
    ['tokens of a user', { ok: true, authed_user: { id: 'U1', ...TOKENS, token_type: 'user' } }],
    ['a form', new URLSearchParams({ ...TOKENS, token_type: 'bearer' }).toString()],
    ['an ID token that belongs to another client', { ...TOKENS, token_type: 'bearer', id_token: 'e30.e30.' }],
  ])('reads a token response as a rotation does: %s', async (_, body) => {
    const { result } = await exchanged({ status: 200, body });
    expect((await result).refreshToken).toBe(REFRESH);
  });

  test.each<[string, HookResponse, ErrorCode, RegExp]>([
    [
      'a refused client with HTTP 200',
      { status: 200, body: { ok: false, error: 'bad_client_secret' } },
      'client_rejected',
      /the client id or the client secret is wrong/,
    ],
    [
      'an error in another shape',
      { status: 400, body: { errors: [{ message: 'The redirect URL does not match' }] } },
      'authorization_failed',
      /The redirect URL does not match/,
    ],
    [
      'a page',
      { status: 403, body: '<html><title>Blocked by the firewall</title></html>', contentType: 'text/html' },
      'authorization_failed',
      /HTTP 403 without tokens.*Blocked by the firewall/,
    ],
    [
      'an error of the device flow',
      { status: 400, body: { error: 'authorization_pending' } },
      'authorization_failed',
      /it returned the error authorization_pending/,
    ],
    ['nothing', { status: 200, body: '' }, 'authorization_failed', /HTTP 200 without tokens/],
    [
      'tokens in a refusal',
      { status: 400, body: { ...TOKENS, error: 'invalid_grant' } },
      'authorization_failed',
      /the code is not valid/,
    ],
  ])('reports %s', async (_, answer, code, message) => {
    const { result } = await exchanged(answer);
    const error = await errorOf(result);
    expect(error).toMatchObject({ code, message: expect.stringMatching(message) });
    expect(JSON.stringify(error)).not.toContain(REFRESH);
  });

  test.each(['code', 'code_verifier'])('shows nothing of the %s that a refusal repeats', async (name) => {
    let sent = '';
    server.intercept(({ form }) => {
      server.intercept(undefined);
      sent = form.get(name) ?? '';
      const body = { error: 'invalid_grant', error_description: `unknown: ${sent}` };
      return { action: 'answer', answer: { status: 400, body } };
    });
    const visit = returnWith((parameters) => {
      parameters.set('iss', server.issuer);
      parameters.set('code', 'the-code-of-this-sign-in');
    });
    const { message } = await errorOf(signIn(await requestTo(server), visit));
    expect(message).toContain('the code is not valid');
    expect(sent).not.toBe('');
    expect(message).not.toContain(sent);
  });

  test('sends the parameters of the token requests with the code, but no scope', async () => {
    const { form, result } = await exchanged(
      { status: 200, body: TOKENS },
      { tokenParameters: { client_key: 'id', expiring: '1' } },
    );
    await result;
    const sent = await form;
    expect(['client_key', 'expiring', 'code', 'scope'].map((name) => sent.get(name))).toEqual([
      'id',
      '1',
      'a-code',
      null,
    ]);
    expect(sent.get('code_verifier')).toMatch(/^\S{43,}$/);
  });

  test('sends JSON to a provider that wants it', async () => {
    const bodies: unknown[] = [];
    const provider = createServer(async (incoming, response) => {
      bodies.push(incoming.headers['content-type'], JSON.parse(await text(incoming)));
      response.end(JSON.stringify(TOKENS));
    }).listen(0, '127.0.0.1');
    await once(provider, 'listening');
    const { port } = provider.address() as AddressInfo;
    const request = await requestTo(server, { behavior: { ...CAREFUL_BEHAVIOR, requestFormat: 'json' } });
    const token_endpoint = `http://127.0.0.1:${port}/token`;
    const visit = returnWith((parameters) => {
      parameters.set('iss', server.issuer);
      parameters.set('code', 'a-code');
    });
    await signIn({ ...request, server: { ...request.server, token_endpoint } }, visit);
    provider.close();
    expect(bodies).toEqual([
      'application/json',
      expect.objectContaining({ grant_type: 'authorization_code', code: 'a-code' }),
    ]);
  });

  test('reports a wrong client secret as a rejected client', async () => {
    const request = await requestTo(server, { clientSecret: 'wrong-secret' });
    const error = await errorOf(signIn(request, (address) => new BrowserUser().visit(address)));
    expect(error).toMatchObject({ code: 'client_rejected' });
  });

  test('stops waiting for a browser that was closed after patienceMs', async () => {
    const error = await errorOf(signIn(await requestTo(server), () => {}, { patienceMs: 50 }));
    expect(error).toMatchObject({
      code: 'authorization_expired',
      message: expect.stringContaining('The browser did not return'),
    });
  });

  test('ends the wait after Ctrl-C', async () => {
    const stop = new AbortController();
    const error = await errorOf(signIn(await requestTo(server, { signal: stop.signal }), () => stop.abort()));
    expect(error).toMatchObject({ code: 'interrupted' });
  });

  test('opens no authorization endpoint that is not a valid https address', async () => {
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

  test('ignores every request that does not belong to the sign-in, and goes on waiting', async () => {
    const statuses: (number | undefined)[] = [];
    const visit = async (address: string) => {
      const parameters = new URL(address).searchParams;
      const back = new URL(parameters.get('redirect_uri') ?? '');
      const state = parameters.get('state') ?? '';
      const denied = (given: string) => new URL(`?error=access_denied${given}`, back);
      statuses.push(await statusOf(new URL('/favicon.ico', back)));
      statuses.push(await statusOf(denied(`&state=${state}`), { method: 'POST' }));
      statuses.push(await statusOf(denied(`&state=${state}`), { headers: { host: 'attacker.example' } }));
      statuses.push(
        await statusOf(denied(`&state=${state}`), { headers: { host: `attacker.example:${back.port}` } }),
      );
      for (const wrong of [
        '',
        '&state=',
        '&state=another',
        `&state=${state}&state=${state}`,
        `&state=${state}x`,
      ])
        statuses.push(await statusOf(denied(wrong)));
      await new BrowserUser().visit(address);
    };
    expect(await signIn(await requestTo(server), visit)).toHaveProperty('refreshToken');
    expect(statuses).toEqual([404, 404, 404, 404, 400, 400, 400, 400, 400]);
  });

  test('says at the end of the wait that only another sign-in came back', async () => {
    const change = (parameters: URLSearchParams) => parameters.set('state', 'another');
    const error = await errorOf(signIn(await requestTo(server), returnWith(change), { patienceMs: 2_000 }));
    expect(error).toMatchObject({
      code: 'authorization_expired',
      message: expect.stringContaining('their state does not match'),
    });
  });

  test('treats port 80 like any other port, and sends the redirect URI as it is registered', async () => {
    const outcome = await startLoopbackServer('http://127.0.0.1:80/callback', 'state').then(
      async (loopback) => {
        await loopback.close();
        return loopback.redirectUri;
      },
      // Not every user has permission to listen there.
      ({ message }: Error) => message,
    );
    expect(outcome).toMatch(
      /^(http:\/\/127\.0\.0\.1:80\/callback$|Cannot listen on port 80 of 127\.0\.0\.1 )/,
    );
  });

  test.each([
    'https://127.0.0.1/callback',
    'http://user:80@127.0.0.1/callback',
    'http://example.com/callback',
    'http://127.0.0.1/callback?a=b',
    'nonsense',
  ])('refuses a redirect URI that is not a plain http address of this machine: %s', async (redirectUri) => {
    const error = await errorOf(signIn(await requestTo(server), () => {}, { redirectUri }));
    expect(error).toMatchObject({
      code: 'configuration_invalid',
      fix: expect.stringContaining('--redirect-uri'),
    });
  });

  test('names a port that is in use', async () => {
    const other: Server = createServer();
    other.listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as AddressInfo;
    const redirectUri = `http://127.0.0.1:${port}/callback`;
    const error = await errorOf(signIn(await requestTo(server), () => {}, { redirectUri }));
    expect(error.message).toContain(`Cannot listen on port ${port} of 127.0.0.1 (EADDRINUSE)`);
    other.close();
  });
});
