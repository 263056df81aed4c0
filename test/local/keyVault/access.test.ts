import { describe, expect, it } from 'vitest';
import { API, clientOf, collect, put, send, startVault } from './support.ts';

describe('authentication', () => {
  it('challenges a request without a token and does not record it', async () => {
    const vault = await startVault();
    const response = await send(`${vault.url}/secrets/token?${API}`, { token: undefined });
    expect(response).toMatchObject({ status: 401, json: { error: { code: 'Unauthorized' } } });
    expect(response.headers['www-authenticate']).toMatch(
      /^Bearer authorization="https:\/\/login\.microsoftonline\.com\/[0-9a-f-]{36}", resource="https:\/\/vault\.azure\.net"$/,
    );
    expect(vault.requests).toEqual([]);
  });

  it.each([
    ['an unknown token', 'Bearer unknown'],
    ['another scheme', 'Basic b2ZmaWNlcjo='],
    ['an empty token', 'Bearer '],
  ])('refuses %s with 401', async (_, authorization) => {
    const vault = await startVault();
    const headers = { authorization };
    const response = await send(`${vault.url}/secrets/token?${API}`, { token: undefined, headers });
    expect(response.status).toBe(401);
    expect(vault.requests).toEqual([]);
  });

  it('accepts the real client after the challenge, and receives its complete body', async () => {
    const vault = await startVault();
    await clientOf(vault).setSecret('token', 'value');
    expect(vault.requests).toEqual([
      {
        method: 'PUT',
        path: '/secrets/token',
        operation: 'setSecret',
        secretName: 'token',
        bearerIdentity: 'the officer',
        status: 200,
        executed: true,
      },
    ]);
  });

  it('returns a 401 that the real client reports', async () => {
    const vault = await startVault();
    await expect(clientOf(vault, 'unknown').getSecret('token')).rejects.toMatchObject({
      statusCode: 401,
    });
  });
});

describe('authorization', () => {
  it('allows each right its own operations only', async () => {
    const vault = await startVault();
    await put(`${vault.url}/secrets/token?${API}`, { value: 'value' });
    const reader = clientOf(vault, 'reader');
    const lister = clientOf(vault, 'lister');
    const writer = clientOf(vault, 'writer');
    const forbidden = { statusCode: 403, code: 'Forbidden' } as const;

    expect((await reader.getSecret('token')).value).toBe('value');
    await expect(reader.setSecret('token', 'x')).rejects.toMatchObject(forbidden);
    await expect(collect(reader.listPropertiesOfSecrets())).rejects.toMatchObject({ statusCode: 403 });
    await expect(reader.beginDeleteSecret('token')).rejects.toMatchObject(forbidden);

    expect(await collect(lister.listPropertiesOfSecretVersions('token'))).toHaveLength(1);
    expect(await collect(lister.listDeletedSecrets())).toEqual([]);
    await expect(lister.getSecret('token')).rejects.toMatchObject(forbidden);

    await writer.setSecret('token', 'second');
    await expect(writer.updateSecretProperties('token', '', {})).rejects.toMatchObject(forbidden);
    await expect(writer.purgeDeletedSecret('token')).rejects.toMatchObject(forbidden);
    expect(vault.issuedValues()).toEqual(['value', 'second']);
  });

  it.each([
    ['GET', 'secrets/token', 'writer', 'getSecret/action'],
    ['GET', 'secrets', 'writer', 'readMetadata/action'],
    ['GET', 'secrets/token/versions', 'writer', 'readMetadata/action'],
    ['PUT', 'secrets/token', 'reader', 'setSecret/action'],
    ['PATCH', 'secrets/token', 'writer', 'update/action'],
    ['DELETE', 'secrets/token', 'writer', 'delete'],
    ['GET', 'deletedsecrets', 'writer', 'readMetadata/action'],
    ['GET', 'deletedsecrets/token', 'writer', 'getSecret/action'],
    ['POST', 'deletedsecrets/token/recover', 'writer', 'recover/action'],
    ['DELETE', 'deletedsecrets/token', 'writer', 'purge/action'],
  ])(
    'names the missing action of %s /%s in the words of the service',
    async (method, path, token, action) => {
      const vault = await startVault();
      const response = await send(`${vault.url}/${path}?${API}`, { method, token });
      expect(response.status).toBe(403);
      expect(response.json.error).toMatchObject({
        code: 'Forbidden',
        innererror: { code: 'ForbiddenByRbac' },
      });
      expect(response.json.error.message).toContain(`'Microsoft.KeyVault/vaults/secrets/${action}'`);
      expect(vault.requests).toMatchObject([
        { status: 403, executed: false, bearerIdentity: `the ${token}` },
      ]);
    },
  );
});

describe('the record of requests', () => {
  it('contains the operation, the secret and the version, but never a value', async () => {
    const vault = await startVault();
    const client = clientOf(vault);
    const { version = '' } = (await client.setSecret('token', 'canary-value')).properties;
    await client.updateSecretProperties('token', version, { tags: { a: 'b' } });
    await client.getSecret('token', { version });
    await collect(client.listPropertiesOfSecretVersions('token'));
    await collect(client.listPropertiesOfSecrets());
    await (await client.beginDeleteSecret('token')).pollUntilDone();
    await (await client.beginRecoverDeletedSecret('token')).pollUntilDone();
    const steps = vault.requests.map((request) => `${request.operation} ${request.status}`);
    expect(steps).toEqual([
      'setSecret 200',
      'updateSecret 200',
      'getSecret 200',
      'listVersions 200',
      'listSecrets 200',
      'deleteSecret 200',
      'getDeleted 200',
      'getSecret 404',
      'recover 200',
      'getSecret 200',
    ]);
    expect(vault.requests[1]).toMatchObject({ secretName: 'token', version });
    expect(JSON.stringify(vault.requests)).not.toContain('canary-value');
  });

  it('can be cleared', async () => {
    const vault = await startVault();
    await send(`${vault.url}/secrets?${API}`);
    vault.clearRequests();
    expect(vault.requests).toEqual([]);
  });
});
