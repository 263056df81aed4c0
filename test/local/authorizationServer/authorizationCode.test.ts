import { describe, expect, it } from 'vitest';
import { obtainRefreshToken } from '../../../local/authorizationServer/authorizationCode.ts';
import { localClient, refresh, resourceStatus, startForTest } from './support.ts';

describe('obtainRefreshToken', () => {
  it.each(['client_secret_basic', 'client_secret_post'] as const)(
    'obtains tokens that work, with %s and a secret that needs encoding',
    async (clientAuthentication) => {
      const client = localClient({ clientId: 'an app', clientSecret: 's:3 %+&=/', clientAuthentication });
      const server = await startForTest({ clients: [client] });
      const tokens = await obtainRefreshToken({ issuer: server.issuer, client });
      expect(await resourceStatus(server, tokens.accessToken)).toBe(200);
      expect((await refresh(server, tokens.refreshToken, client)).status).toBe(200);
    },
  );

  it('works for a redirect URI on https that nobody serves', async () => {
    const client = localClient({ redirectUri: 'https://app.example/signed-in' });
    const server = await startForTest({ clients: [client] });
    const tokens = await obtainRefreshToken({ issuer: server.issuer, client });
    expect(await resourceStatus(server, tokens.accessToken)).toBe(200);
  });

  it('says what is missing where the scope asks for no refresh token', async () => {
    const server = await startForTest();
    const attempt = obtainRefreshToken({ issuer: server.issuer, client: localClient(), scope: 'openid' });
    await expect(attempt).rejects.toThrow('offline_access');
  });

  it('fails with the error code where the client secret is wrong, and names no secret', async () => {
    const server = await startForTest();
    const client = localClient({ clientSecret: 'not-the-secret' });
    const failure: unknown = await obtainRefreshToken({ issuer: server.issuer, client }).catch(
      (error) => error,
    );
    expect(String(failure)).toBe('Error: code exchange failed: invalid_client');
  });

  it('stops with an error where the client is unknown', async () => {
    const server = await startForTest();
    const client = localClient({ clientId: 'nobody' });
    await expect(obtainRefreshToken({ issuer: server.issuer, client })).rejects.toThrow(
      'login stopped at /auth with 400',
    );
  });

  it('takes a code only once', async () => {
    const server = await startForTest();
    const codeForms: URLSearchParams[] = [];
    server.intercept(({ form }) => {
      codeForms.push(form);
      return undefined;
    });
    const tokens = await obtainRefreshToken({ issuer: server.issuer, client: localClient() });
    const replay = await fetch(server.tokenEndpoint, { method: 'POST', body: codeForms[0] ?? '' });
    expect([replay.status, await replay.json()]).toMatchObject([400, { error: 'invalid_grant' }]);
    expect((await refresh(server, tokens.refreshToken)).status).toBe(400);
  });
});
