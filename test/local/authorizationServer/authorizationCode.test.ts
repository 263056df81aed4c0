import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { signIn } from '../../../local/authorizationServer/authorizationCode.ts';
import { localClient, refresh, resourceStatus, startForTest } from './support.ts';

describe('a sign-in', () => {
  it.each(['client_secret_basic', 'client_secret_post'] as const)(
    'obtains tokens that work, with %s and a secret that needs encoding',
    async (clientAuthentication) => {
      const client = localClient({ clientId: 'an app', clientSecret: 's:3 %+&=/', clientAuthentication });
      const server = await startForTest({ clients: [client] });
      const tokens = await signIn(server.issuer, client);
      expect(await resourceStatus(server, tokens.access_token)).toBe(200);
      expect((await refresh(server, tokens.refresh_token, client)).status).toBe(200);
    },
  );

  it('works for an https redirect URI that no server listens on', async () => {
    const client = localClient({ redirectUri: 'https://app.example/signed-in' });
    const server = await startForTest({ clients: [client] });
    const tokens = await signIn(server.issuer, client);
    expect(await resourceStatus(server, tokens.access_token)).toBe(200);
  });

  it('fails with the error code if the client secret is wrong, and names no secret', async () => {
    const server = await startForTest();
    const client = localClient({ clientSecret: 'not-the-secret' });
    const failure: unknown = await signIn(server.issuer, client).catch((error) => error);
    expect(inspect(failure)).toContain('invalid_client');
    expect(inspect(failure, { depth: 10 })).not.toContain('not-the-secret');
  });

  it('stops with an error if the client is unknown', async () => {
    const server = await startForTest();
    const client = localClient({ clientId: 'unknown' });
    await expect(signIn(server.issuer, client)).rejects.toThrow('login stopped at /auth with 400');
  });

  it('accepts a code only once', async () => {
    const server = await startForTest();
    const codeForms: URLSearchParams[] = [];
    server.intercept(({ form }) => {
      codeForms.push(form);
      return undefined;
    });
    const tokens = await signIn(server.issuer, localClient());
    const replay = await fetch(server.tokenEndpoint, { method: 'POST', body: codeForms[0] ?? '' });
    expect([replay.status, await replay.json()]).toMatchObject([400, { error: 'invalid_grant' }]);
    expect((await refresh(server, tokens.refresh_token)).status).toBe(400);
  });
});
