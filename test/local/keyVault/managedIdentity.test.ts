import { ManagedIdentityCredential } from '@azure/identity';
import { SecretClient } from '@azure/keyvault-secrets';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { startManagedIdentity } from '../../../local/keyVault/managedIdentity.ts';
import type { VaultRight } from '../../../local/keyVault/server.ts';
import { clientOptions, collect, NEW_YEAR, send, startVault } from './support.ts';

const HEADER = 'header-of-this-test';
const QUERY = 'api-version=2019-08-01&resource=https%3A%2F%2Fvault.azure.net';

async function startIdentity(now?: () => number) {
  const identity = await startManagedIdentity({ header: HEADER, ...(now ? { now } : {}) });
  onTestFinished(() => identity.close());
  return identity;
}

function ask(url: string, headers: Record<string, string> = { 'x-identity-header': HEADER }) {
  return send(url, { token: undefined, headers });
}

describe('the managed identity endpoint', () => {
  it('gives the real credential and the real client the rights of the identity', async () => {
    const identity = await startIdentity();
    vi.stubEnv('IDENTITY_ENDPOINT', identity.url);
    vi.stubEnv('IDENTITY_HEADER', identity.header);
    onTestFinished(() => void vi.unstubAllEnvs());
    const rights: Record<string, readonly VaultRight[]> = { rotator: ['get', 'set'], consumer: ['list'] };
    const vault = await startVault({
      authorize: (token) => rights[identity.identityOf(token) ?? ''],
      identify: identity.identityOf,
    });
    const clientFor = (clientId: string) =>
      new SecretClient(vault.tlsUrl, new ManagedIdentityCredential({ clientId }), clientOptions(vault));
    await clientFor('rotator').setSecret('token', 'value');
    const consumer = clientFor('consumer');
    expect(await collect(consumer.listPropertiesOfSecrets())).toHaveLength(1);
    await expect(consumer.getSecret('token')).rejects.toMatchObject({ statusCode: 403 });
    await expect(clientFor('stranger').getSecret('token')).rejects.toMatchObject({ statusCode: 401 });
    expect(vault.requests.map((request) => request.bearerIdentity)).toEqual([
      'rotator',
      'consumer',
      'consumer',
    ]);
    expect(identity.issuedTokens().length).toBeGreaterThanOrEqual(3);
  });

  it('responds as App Service does, with a new token each time', async () => {
    const identity = await startIdentity(() => NEW_YEAR * 1000);
    const first = await ask(`${identity.url}?${QUERY}&client_id=rotator`);
    expect(first).toMatchObject({
      status: 200,
      json: {
        client_id: 'rotator',
        expires_on: String(NEW_YEAR + 86_400),
        resource: 'https://vault.azure.net',
        token_type: 'Bearer',
      },
    });
    const second = await ask(`${identity.url}?${QUERY}`);
    expect(identity.identityOf(second.json.access_token)).toBe('system-assigned');
    expect(identity.issuedTokens()).toEqual([first.json.access_token, second.json.access_token]);
  });

  it('accepts a token until it expires, and no other', async () => {
    let now = NEW_YEAR * 1000;
    const identity = await startIdentity(() => now);
    const { json } = await ask(`${identity.url}?${QUERY}&client_id=rotator`);
    now += 86_399_000;
    expect(identity.identityOf(json.access_token)).toBe('rotator');
    now += 1000;
    expect(identity.identityOf(json.access_token)).toBeUndefined();
    expect(identity.identityOf('made up')).toBeUndefined();
  });

  it.each([
    ['no header', `?${QUERY}`, {}, 401],
    ['a wrong header', `?${QUERY}`, { 'x-identity-header': 'guess' }, 401],
    [
      'a wrong header of the same length',
      `?${QUERY}`,
      { 'x-identity-header': 'x'.repeat(HEADER.length) },
      401,
    ],
    ['no resource', '?api-version=2019-08-01', { 'x-identity-header': HEADER }, 400],
    ['no api-version', '?resource=x', { 'x-identity-header': HEADER }, 400],
    ['another path', `/other?${QUERY}`, { 'x-identity-header': HEADER }, 404],
  ])('gives no token to %s', async (_, suffix, headers, status) => {
    const identity = await startIdentity();
    expect((await ask(`${identity.url}${suffix}`, headers)).status).toBe(status);
    expect(identity.issuedTokens()).toEqual([]);
  });

  it('accepts GET only', async () => {
    const identity = await startIdentity();
    const headers = { 'x-identity-header': HEADER };
    const response = await send(`${identity.url}?${QUERY}`, { method: 'POST', token: undefined, headers });
    expect(response.status).toBe(405);
  });
});
