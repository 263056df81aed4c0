import { describe, expect, test } from 'vitest';
import { httpTokenRequest } from '../../../lib/oauth/httpTokenRequest.ts';
import type { ClientAuthentication } from '../../../lib/rotation/core/connection.ts';
import { connectionNamed } from '../rotation/world/connection.ts';

function request(parameters: Record<string, string>, clientAuthentication: ClientAuthentication) {
  const connection = connectionNamed('crm', { parameters, clientAuthentication });
  return httpTokenRequest({ connection, clientId: 'id', clientSecret: 'the secret', refreshToken: 'r/1+2=' });
}

describe('the request to the token endpoint', () => {
  test('has the grant type, the refresh token, the parameters of the connection and the client', () => {
    const { body, headers } = request({ scope: 'a b', resource: 'https://x/' }, 'client_secret_post');
    expect(Object.fromEntries(new URLSearchParams(body))).toEqual({
      grant_type: 'refresh_token',
      refresh_token: 'r/1+2=',
      scope: 'a b',
      resource: 'https://x/',
      client_id: 'id',
      client_secret: 'the secret',
    });
    expect(headers).toEqual({
      accept: 'application/json',
      'accept-encoding': 'identity',
      'content-type': 'application/x-www-form-urlencoded',
      'user-agent': 'key-vault-token-rotator',
    });
  });

  test('has the secret only in the Authorization header for client_secret_basic', () => {
    const { body, headers } = request({}, 'client_secret_basic');
    expect(body).toBe('grant_type=refresh_token&refresh_token=r%2F1%2B2%3D');
    expect(headers.authorization).toMatch(/^Basic /);
  });

  test('is JSON if the provider wants it, with the same members', () => {
    const behavior = { requestFormat: 'json' } as const;
    for (const clientAuthentication of ['client_secret_basic', 'client_secret_post'] as const) {
      const changes = { parameters: { scope: 'a "b"' }, clientAuthentication };
      const sent = { clientId: 'id', clientSecret: 'the secret', refreshToken: 'r/1+2=' };
      const form = httpTokenRequest({ connection: connectionNamed('crm', changes), ...sent });
      const json = httpTokenRequest({
        connection: connectionNamed('crm', { ...changes, behavior }),
        ...sent,
      });
      expect(JSON.parse(json.body)).toEqual(Object.fromEntries(new URLSearchParams(form.body)));
      expect(json.headers).toEqual({ ...form.headers, 'content-type': 'application/json' });
    }
  });

  const reserved = {
    grant_type: 'password',
    refresh_token: 'another',
    client_id: 'another',
    client_secret: 'another',
    client_assertion: 'x',
    client_assertion_type: 'x',
  };
  test.each(Object.entries(reserved))('a connection cannot set %s by its parameters', (name, value) => {
    for (const method of ['client_secret_basic', 'client_secret_post'] as const) {
      expect(request({ [name]: value }, method).body).toBe(request({}, method).body);
    }
  });
});
