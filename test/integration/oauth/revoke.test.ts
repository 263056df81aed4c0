import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { createRevocation } from '../../../lib/oauth/revoke.ts';
import { connectionNamed } from '../../unit/rotation/world/connection.ts';

const SECRET = { clientId: 'client', clientSecret: 'the-client-secret', refreshToken: 'the.refresh-token' };

interface Received {
  readonly authorization: string | undefined;
  readonly form: Record<string, string>;
}

/** A revocation endpoint that sends this response. */
async function endpoint(status: number, body = '', headers: Record<string, string> = {}) {
  const received: Received[] = [];
  const server = createServer(async (request, response) => {
    let text = '';
    for await (const chunk of request) text += chunk;
    received.push({
      authorization: request.headers.authorization,
      form: Object.fromEntries(new URLSearchParams(text)),
    });
    response.writeHead(status, headers).end(body);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  return { revocationUri: `http://127.0.0.1:${(server.address() as AddressInfo).port}/revoke`, received };
}

const revoke = (changes: Parameters<typeof connectionNamed>[1], allowLoopbackHttp = true) =>
  createRevocation({ allowLoopbackHttp })({ connection: connectionNamed('crm', changes), ...SECRET });
const oauthError = (error: string) => JSON.stringify({ error, error_description: SECRET.refreshToken });

describe('a revocation', () => {
  test.each(['client_secret_basic', 'client_secret_post'] as const)(
    'sends the token with the authentication of the client: %s',
    async (clientAuthentication) => {
      const { revocationUri, received } = await endpoint(200);
      expect(await revoke({ revocationUri, clientAuthentication })).toBeUndefined();
      const isBasic = clientAuthentication === 'client_secret_basic';
      const token = { token: SECRET.refreshToken, token_type_hint: 'refresh_token' };
      const client = { client_id: SECRET.clientId, client_secret: SECRET.clientSecret };
      expect(received).toEqual([
        {
          authorization: isBasic ? expect.stringMatching(/^Basic /) : undefined,
          form: isBasic ? token : { ...token, ...client },
        },
      ]);
    },
  );

  test.each([
    ['an empty 204', 204, ''],
    ['a token that is not valid any more', 400, oauthError('invalid_token')],
  ])('counts as done after %s', async (_, status, body) => {
    const { revocationUri } = await endpoint(status, body);
    expect(await revoke({ revocationUri })).toBeUndefined();
  });

  test.each([
    [503, '', 'returned HTTP 503.', 'Run rotator remove crm --revoke again.'],
    [429, '', 'returned HTTP 429.', 'Run rotator remove crm --revoke again.'],
    [
      401,
      oauthError('invalid_client'),
      'returned HTTP 401, invalid_client.',
      'Revoke the access of the client',
    ],
    [400, oauthError('unsupported_token_type'), 'HTTP 400, unsupported_token_type.', 'Revoke the access'],
    [400, oauthError(SECRET.clientSecret), 'returned HTTP 400.', 'Revoke the access'],
    [302, '', 'returned HTTP 302.', 'Revoke the access'],
    [404, '<html>', 'returned HTTP 404.', 'Revoke the access'],
  ])('that gets HTTP %i %s says so and repeats no secret', async (status, body, message, fix) => {
    const { revocationUri } = await endpoint(status, body, { location: 'http://127.0.0.1:1/' });
    const problem = await revoke({ revocationUri });
    expect(problem).toMatchObject({
      code: 'revocation_failed',
      message: expect.stringContaining(message),
      fix: expect.stringContaining(fix),
    });
    for (const secret of [SECRET.clientSecret, SECRET.refreshToken])
      expect(JSON.stringify(problem)).not.toContain(secret);
  });

  test('without an endpoint says what to do at the provider', async () => {
    expect(await revoke({})).toMatchObject({
      fix: expect.stringContaining('list of connected applications'),
    });
    expect(await revoke({ provider: 'dynamics365' })).toMatchObject({
      fix: 'Revoke the sign-in sessions of the user in the Entra admin center.',
    });
  });

  test('sends nothing without TLS, nor to this machine', async () => {
    const { revocationUri, received } = await endpoint(200);
    expect(await revoke({ revocationUri }, false)).toMatchObject({ code: 'revocation_failed' });
    expect(await revoke({ revocationUri: 'https://127.0.0.1:1/revoke' }, false)).toMatchObject({
      code: 'revocation_failed',
    });
    expect(received).toEqual([]);
  });
});
