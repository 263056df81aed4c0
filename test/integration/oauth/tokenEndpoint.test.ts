import type { Socket } from 'node:net';
import { describe, expect, test } from 'vitest';
import { createTokenEndpoint } from '../../../lib/oauth/tokenEndpoint.ts';
import type { TokenRequestFailure } from '../../../lib/rotation/core/tokenRequest.ts';
import { type ConnectionChanges, connectionNamed } from '../../unit/rotation/world/connection.ts';
import { answerWith, startRawServer } from './rawServer.ts';

type Failed = Partial<TokenRequestFailure>;

const now = () => Date.UTC(2026, 0, 1);
const terms = { mayStillSend: () => true, waitMs: 20_000 };
const endpoint = createTokenEndpoint({ allowLoopbackHttp: true, now });
const credentials = { clientId: 'id', clientSecret: 'canary-secret~1', refreshToken: 'canary-refresh/1=' };

/** One token request to a server that responds in this way. */
async function requestWith(
  respond: (socket: Socket, request: string) => void,
  changes: ConnectionChanges = {},
) {
  const server = await startRawServer((socket, connection) => respond(socket, connection.text()));
  const connection = connectionNamed('crm', { tokenUri: server.url.href, ...changes });
  return { server, response: await endpoint.send({ connection, ...credentials }, terms) };
}

const json = (socket: Socket, status: number, body: unknown, headers = {}) =>
  socket.end(answerWith(status, JSON.stringify(body), headers));

describe('a token request', () => {
  test('returns both tokens and the lifetimes', async () => {
    const body = {
      access_token: 'a',
      refresh_token: 'r2',
      expires_in: 60,
      refresh_token_expires_in: 600,
      token_type: 'bearer',
    };
    const { response } = await requestWith((socket) => json(socket, 200, body));
    expect(response).toEqual({
      refreshToken: 'r2',
      refreshTokenLifetimeMs: 600_000,
      accessToken: { value: 'a', lifetimeMs: 60_000, expiresInIsDefault: false },
    });
  });

  test('returns no refresh token if the response has none', async () => {
    const { response } = await requestWith((socket) => json(socket, 200, { access_token: 'a' }), {
      behavior: { defaultExpiresInMs: 1_800_000 },
    });
    expect(response).toEqual({
      accessToken: { value: 'a', lifetimeMs: 1_800_000, expiresInIsDefault: true },
    });
  });

  test('sends the parameters and the authentication of the connection', async () => {
    const { server } = await requestWith((socket) => json(socket, 200, {}), {
      clientAuthentication: 'client_secret_post',
      parameters: { scope: 'a b' },
    });
    const body = server.connections[0]?.text().split('\r\n\r\n')[1];
    expect(Object.fromEntries(new URLSearchParams(body))).toEqual({
      grant_type: 'refresh_token',
      refresh_token: 'canary-refresh/1=',
      scope: 'a b',
      client_id: 'id',
      client_secret: 'canary-secret~1',
    });
  });
});

describe('what consumers can read never contains', () => {
  const issued = { access_token: 'a', refresh_token: 'received/refresh.2', expires_in: 60 };
  const scopes = {
    'the refresh token that was sent': 'read canary-refresh/1=',
    'the client secret, backwards': '1~terces-yranac',
    'the received refresh token, in hex': Buffer.from('received/refresh.2').toString('hex'),
    'a text that is not a scope': 'read  "all"',
  };
  test.each(Object.entries(scopes))('%s: the scope is left out', async (_, scope) => {
    const { response } = await requestWith((socket) => json(socket, 200, { ...issued, scope }));
    expect(response).toEqual({
      refreshToken: 'received/refresh.2',
      accessToken: { value: 'a', lifetimeMs: 60_000, expiresInIsDefault: false },
    });
  });

  const members = {
    'the refresh token that was sent': 'https://x.example/canary-refresh/1=',
    'the client secret, backwards': '1~terces-yranac',
    'the received refresh token, in hex': Buffer.from('received/refresh.2').toString('hex'),
    'the access token': 'https://x.example/?t=canary-access.3',
    'the client credentials in Base64': Buffer.from('id:canary-secret~1').toString('base64'),
    'a token of another kind': 'eyJhbGciOiJub25lIn0.eyJzdWIiOiJ4In0.c2ln',
    'a control character': 'https://x.example\u0000',
    'a text that is too long': `https://x.example/${'a'.repeat(300)}`,
  };
  test.each(Object.entries(members))('%s: the member gives no tag', async (_, instance_url) => {
    const { response } = await requestWith(
      (socket) =>
        json(socket, 200, {
          ...issued,
          access_token: 'canary-access.3',
          instance_url,
          org: 'https://y.example',
        }),
      { behavior: { response: { tags: ['instance_url', 'org'] } } },
    );
    expect(response.refreshToken).toBe('received/refresh.2');
    expect(response.accessToken?.tags).toEqual({ org: 'https://y.example' });
  });

  test.each(['canary-secret~1', 'x.canary-refresh/1=', 'received/refresh.2'])(
    'another secret: the access token %s is refused',
    async (access_token) => {
      const { response } = await requestWith((socket) => json(socket, 200, { ...issued, access_token }));
      expect(response).toMatchObject({
        refreshToken: 'received/refresh.2',
        failure: { code: 'response_unusable', message: expect.stringContaining('repeats another secret') },
      });
      expect(response.failure?.message).not.toContain(access_token);
    },
  );
});

describe('a refresh token is kept', () => {
  const kept: Record<string, (socket: Socket) => unknown> = {
    'next to an error': (socket) =>
      json(socket, 400, { refresh_token: 'r2-0123456789abcdef', error: 'invalid_grant' }),
    'with an error status': (socket) => json(socket, 500, { refresh_token: 'r2', access_token: 'a' }),
    'with a redirect': (socket) => json(socket, 302, { refresh_token: 'r2' }, { location: '/' }),
    'next to an access token that cannot be used': (socket) =>
      json(socket, 200, { refresh_token: 'r2', access_token: 'a', token_type: 'mac' }),
    'with the wrong content type': (socket) =>
      json(socket, 200, { refresh_token: 'r2' }, { 'content-type': 'text/html' }),
  };
  test.each(Object.entries(kept))('%s, and the failure is reported', async (_, respond) => {
    const { response } = await requestWith(respond);
    expect(response.refreshToken).toMatch(/^r2/);
    expect(response.accessToken).toBeUndefined();
    expect(response.failure).toBeDefined();
  });

  test.each(['This field is required.', 'required'])('unless it is words of a refusal: %s', async (said) => {
    const words = { refresh_token: said };
    const { response } = await requestWith((socket) => json(socket, 400, words));
    expect(response).not.toHaveProperty('refreshToken');
    const { response: granted } = await requestWith((socket) => json(socket, 200, words));
    expect(granted.refreshToken).toBe(said);
  });

  test('from a response that was interrupted after its JSON was complete, and so is the access token', async () => {
    const { response } = await requestWith((socket) => {
      const body = '{"access_token":"a","refresh_token":"r2"}';
      socket.end(
        `HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n${body.length.toString(16)}\r\n${body}\r\n`,
      );
    });
    expect(response).toMatchObject({ refreshToken: 'r2', accessToken: { value: 'a' } });
  });
});

describe('a failure', () => {
  test('with invalid_grant names the secret to set', async () => {
    const { response } = await requestWith((socket) => json(socket, 400, { error: 'invalid_grant' }));
    expect(response.failure).toMatchObject({
      class: 'reauthorization_required',
      fix: expect.stringContaining('crm-refresh-token'),
    });
  });

  test('is reported for a 200 response with an error', async () => {
    const body = { access_token: 'a', error: 'invalid_grant' };
    const { response } = await requestWith((socket) => json(socket, 200, body));
    expect(response).toEqual({
      failure: expect.objectContaining({ class: 'reauthorization_required' } satisfies Failed),
    });
  });

  test('with a date in Retry-After uses the clock of the caller', async () => {
    const headers = { 'retry-after': 'Thu, 01 Jan 2026 00:01:00 GMT' };
    const { response } = await requestWith((socket) => json(socket, 429, {}, headers));
    expect(response.failure).toMatchObject({
      class: 'retrying',
      code: 'provider_throttled',
      retryAfterMs: 60_000,
    });
  });

  test('after a connection reset has the class outcome_unknown', async () => {
    const { response } = await requestWith((socket) => socket.resetAndDestroy());
    expect(response.failure?.class).toBe('outcome_unknown');
  });

  test('has the class retrying if the request may no longer be sent', async () => {
    const server = await startRawServer((socket) => json(socket, 200, {}));
    const connection = connectionNamed('crm', { tokenUri: server.url.href });
    const response = await endpoint.send(
      { connection, ...credentials },
      { ...terms, mayStillSend: () => false },
    );
    expect(response).toEqual({
      failure: expect.objectContaining({ class: 'retrying', code: 'provider_unavailable' } satisfies Failed),
    });
    for (const { text } of server.connections) expect(text()).toBe('');
  });

  test('refuses http before anything is sent, unless http is allowed', async () => {
    const server = await startRawServer((socket) => json(socket, 200, {}));
    const connection = connectionNamed('crm', { tokenUri: server.url.href });
    const strict = createTokenEndpoint({ allowLoopbackHttp: false, now });
    expect(await strict.send({ connection, ...credentials }, terms)).toEqual({
      failure: expect.objectContaining({
        class: 'misconfigured',
        fix: expect.stringContaining('tokenUri'),
      } satisfies Failed),
    });
    expect(server.connections).toHaveLength(0);
  });

  const echoes: Record<string, (request: string) => object> = {
    'as its description': (request) => ({ error: 'invalid_grant', error_description: request }),
    'as its error': (request) => ({ error: request.slice(request.indexOf('\r\n\r\n') + 4) }),
    'as the authorization header': (request) => ({
      error: 'x',
      error_description: /Basic (\S+)/.exec(request)?.[1],
    }),
    'as a part of it': () => ({ error: 'x', error_description: 'unknown token canary-ref...' }),
    'next to new tokens': () => ({
      error: 'x',
      error_description: 'canary-new',
      refresh_token: 'canary-new',
      access_token: 'canary-new-a',
    }),
  };
  test.each(Object.entries(echoes))('shows no secret if the provider repeats one %s', async (_, body) => {
    for (const clientAuthentication of ['client_secret_basic', 'client_secret_post'] as const) {
      const { response } = await requestWith((socket, request) => json(socket, 400, body(request)), {
        clientAuthentication,
      });
      const shown = JSON.stringify(response.failure);
      expect(shown).not.toMatch(/canary/);
      expect(shown).not.toContain(Buffer.from('id:canary-secret~1').toString('base64').slice(0, 12));
    }
  });
});
