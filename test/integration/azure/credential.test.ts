import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { createCredential } from '../../../lib/azure/credential.ts';
import { createFederatedToken } from '../../../lib/azure/federatedToken.ts';
import { createSecretVault } from '../../../lib/azure/keyVaultSecrets.ts';
import { signIn } from '../../../lib/azure/signIn.ts';
import { SignInFailed } from '../../../lib/azure/signInFailure.ts';
import { type ManagedIdentityServer, startManagedIdentity } from '../../../local/keyVault/managedIdentity.ts';
import { ALL_RIGHTS } from '../../../local/keyVault/server.ts';
import { errorOf, startTrustedVault } from './support.ts';

let identity: ManagedIdentityServer;
/** The status with which the proxy responds in place of the endpoint; 0 drops the connection. */
let fault: number | undefined;

// One endpoint for all tests: the identity library remembers the first one, and its tokens, for the whole process.
const front = createServer(async (request, response) => {
  if (fault === 0) return void response.destroy();
  if (fault)
    return void response.writeHead(fault, { 'content-type': 'application/json' }).end('{"message":"no"}');
  const headers = { 'x-identity-header': String(request.headers['x-identity-header']) };
  const answer = await fetch(new URL(request.url ?? '', identity.url), { headers });
  response.writeHead(answer.status, { 'content-type': 'application/json' }).end(await answer.text());
});

beforeAll(async () => {
  identity = await startManagedIdentity({ header: 'the-header' });
  await new Promise<void>((resolve) => front.listen(0, '127.0.0.1', resolve));
  const { port } = front.address() as AddressInfo;
  vi.stubEnv('IDENTITY_ENDPOINT', `http://127.0.0.1:${port}${new URL(identity.url).pathname}`);
  vi.stubEnv('IDENTITY_HEADER', 'the-header');
});

beforeEach(() => {
  fault = undefined;
});

afterAll(async () => {
  vi.unstubAllEnvs();
  front.close();
  await identity.close();
});

/** A vault that only managed identities may use, reached with the credential made for Azure. */
async function start(clientId?: string) {
  const server = await startTrustedVault({
    authorize: (token) => (identity.identityOf(token) ? ALL_RIGHTS : undefined),
    identify: (token) => identity.identityOf(token),
  });
  const credential = createCredential({ env: process.env, managedIdentityClientId: clientId });
  return { server, vault: createSecretVault(server.tlsUrl, credential) };
}

describe('in Azure', () => {
  it('the rotator is the managed identity with the given client id, and one token serves many calls', async () => {
    const clientId = randomUUID();
    const { server, vault } = await start(clientId);
    const before = identity.issuedTokens().length;
    await vault.put('token', 'one', { tags: {} });
    expect((await vault.get('token'))?.value).toBe('one');
    expect(server.requests.map(({ bearerIdentity }) => bearerIdentity)).toEqual([clientId, clientId]);
    expect(identity.issuedTokens().length - before).toBe(1);
  });

  it('the rotator is the system-assigned identity if no client id is given', async () => {
    const { server, vault } = await start();
    await vault.get('token');
    expect(server.requests[0]?.bearerIdentity).toBe('system-assigned');
  });

  it.each([400, 401, 403])('an identity that is refused with %i lacks permissions', async (status) => {
    fault = status;
    const { vault } = await start(randomUUID());
    const error = await errorOf(vault.get('token'));
    expect(error).toMatchObject({
      code: 'vault_forbidden',
      message: expect.stringContaining('the managed identity behind IDENTITY_ENDPOINT'),
    });
  });

  it.each([0, 429, 503])(
    'an identity endpoint that fails with %i is temporarily unavailable',
    async (status) => {
      fault = status;
      const { vault } = await start(randomUUID());
      expect((await errorOf(vault.get('token'))).code).toBe('vault_unavailable');
      fault = undefined;
      expect(await vault.get('token')).toBeUndefined();
    },
  );

  it.each([
    [
      401,
      'vault_forbidden',
      'Could not authenticate to https://v.vault.azure.net to use its secrets: the managed identity behind IDENTITY_ENDPOINT refused the request (HTTP 401).',
    ],
    [
      503,
      'vault_unavailable',
      'Could not authenticate to https://v.vault.azure.net to use its secrets: the managed identity behind IDENTITY_ENDPOINT did not respond.',
    ],
  ] as const)('a separate sign-in with the response %i fails with %s', async (status, code, message) => {
    fault = status;
    const credential = createCredential({ env: process.env, managedIdentityClientId: randomUUID() });
    const address = 'https://v.vault.azure.net';
    expect(await errorOf(signIn(credential, address))).toMatchObject({ code, message });
    fault = undefined;
    expect(await signIn(credential, address)).toBe('the managed identity behind IDENTITY_ENDPOINT');
  });

  it.each([
    [400, 'correct its client id in AZURE_CLIENT_ID'],
    [401, 'new IDENTITY_HEADER'],
    [502, 'NO_PROXY'],
    [0, 'restart the app'],
  ] as const)('the fix for the response %i of the endpoint says: %s', async (status, words) => {
    fault = status;
    const { vault } = await start(randomUUID());
    const { fix } = await errorOf(vault.get('token'));
    expect(fix).toContain(words);
    expect(fix).toContain('unset IDENTITY_ENDPOINT to sign in with az login');
  });
});

describe('the federated token', () => {
  const AUDIENCE = 'api://AzureADTokenExchange';
  const audienceOf = (token: string) =>
    JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()).aud;
  const federated = (env: Record<string, string | undefined> = process.env) =>
    createFederatedToken({ env, managedIdentityClientId: randomUUID() });

  it('is one of the managed identity for the token exchange, and serves several calls', async () => {
    const before = identity.issuedTokens().length;
    const tokenFor = federated();
    const token = await tokenFor(undefined);
    expect(audienceOf(token)).toBe(AUDIENCE);
    expect(await tokenFor(undefined)).toBe(token);
    expect(identity.issuedTokens().length - before).toBe(1);
  });

  it('is for the audience of the entry, as in another cloud', async () => {
    const audience = 'api://AzureADTokenExchangeChina';
    expect(audienceOf(await federated()(audience))).toBe(audience);
  });

  it.each([
    [400, 'correct its client id in AZURE_CLIENT_ID'],
    [401, 'Restart the app'],
    [403, 'Restart the app'],
    [503, 'Wait a few minutes'],
    [0, 'Wait a few minutes'],
  ] as const)('has its own error if the endpoint responds with %i', async (status, fix) => {
    fault = status;
    const error = await errorOf(federated()(undefined));
    expect(error).toMatchObject({ code: 'identity_unavailable', fix: expect.stringContaining(fix) });
    expect(error.message).toContain('the managed identity behind IDENTITY_ENDPOINT');
  });

  it.each(['https://vault.azure.net', 'api://other', 'api://AzureADTokenExchange/x', ''])(
    'is never for another service: %s',
    async (audience) => {
      const before = identity.issuedTokens().length;
      expect(await errorOf(federated()(audience))).toMatchObject({ code: 'identity_unavailable' });
      expect(identity.issuedTokens().length).toBe(before);
    },
  );

  it('is never that of a signed-in user', async () => {
    const error = await errorOf(federated({})(undefined));
    expect(error).toMatchObject({
      code: 'identity_unavailable',
      fix: expect.stringContaining('rotator rotate NAME --via URL'),
    });
    expect(error.message).toContain('IDENTITY_ENDPOINT is not set');
  });
});

it('outside Azure, uses the signed-in user and never a managed identity', async () => {
  vi.stubEnv('PATH', '');
  const before = identity.issuedTokens().length;
  const credential = createCredential({ env: {} });
  const failure = await credential.getToken('https://vault.azure.net/.default').catch((error) => error);
  expect(failure).toBeInstanceOf(SignInFailed);
  expect(identity.issuedTokens().length).toBe(before);
});
