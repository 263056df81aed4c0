import { createServer } from 'node:https';
import type { AddressInfo, LookupFunction } from 'node:net';
import tls from 'node:tls';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createHttpClient } from '../../../lib/azure/httpClient.ts';
import { createSecretVault } from '../../../lib/azure/keyVaultSecrets.ts';
import { createCertificateAuthority } from '../../../local/keyVault/certificateAuthority.ts';
import { CANARY, errorOf, startRelay, startTrustedVault, tokenOf } from './support.ts';

const TAGS = { 'managed-by': 'key-vault-token-rotator', connection: 'dynamics-prod' };
const EXPIRES = Date.parse('2026-03-01T00:00:00Z');

async function start() {
  const server = await startTrustedVault();
  return { server, vault: createSecretVault(server.tlsUrl, tokenOf('officer')) };
}

describe('versions', () => {
  it('that fail on a later page fail as a whole', async () => {
    const { server, vault } = await start();
    for (let i = 0; i < 30; i++) await vault.put('token', `v${i}`, { tags: {} });
    let pages = 0;
    server.intercept(({ operation }) =>
      operation === 'listVersions' && ++pages >= 2 ? { kind: 'destroyBefore' } : undefined,
    );
    expect((await errorOf(vault.versions('token'))).code).toBe('vault_unavailable');
  });
});

describe('a read over an idle connection that the vault closes', () => {
  async function startClosing() {
    const server = await startTrustedVault();
    const relay = await startRelay(server.tlsUrl);
    const vault = createSecretVault(relay.url, tokenOf('officer'));
    for (let i = 0; i < 30; i++) await vault.put('token', `v${i}`, { tags: {} });
    server.clearRequests();
    return { server, relay, vault };
  }

  it('is repeated: a value', async () => {
    const { server, relay, vault } = await startClosing();
    relay.closeAtNextRequest();
    expect(await vault.get('token')).toMatchObject({ value: 'v29' });
    expect(server.requests).toHaveLength(1);
  });

  it('is repeated: the second page of a list', async () => {
    const { server, relay, vault } = await startClosing();
    server.intercept(() => {
      server.intercept(undefined);
      relay.closeAtNextRequest();
      return undefined;
    });
    expect(await vault.versions('token')).toHaveLength(30);
  });

  it('is repeated over a new connection, because the vault may have closed all that were idle', async () => {
    const { relay, vault } = await startClosing();
    await Promise.all(Array.from({ length: 5 }, () => vault.get('token')));
    expect(relay.closeAtNextRequest()).toBeGreaterThan(1);
    expect(await vault.get('token')).toMatchObject({ value: 'v29' });
  });

  it('is repeated once only', async () => {
    const { server, vault } = await start();
    server.intercept(() => ({ kind: 'destroyBefore' }));
    expect((await errorOf(vault.get('token'))).code).toBe('vault_unavailable');
    expect(server.requests).toHaveLength(2);
  });

  it('is the only thing that is repeated: a new version might be written twice', async () => {
    const { server, relay, vault } = await startClosing();
    relay.closeAtNextRequest();
    expect((await errorOf(vault.put('token', CANARY, { tags: {} }))).code).toBe('vault_unavailable');
    expect(server.requests).toHaveLength(0);
  });
});

it('uses the lookup that it gets', async () => {
  const server = await startTrustedVault();
  const asked: string[] = [];
  const lookup: LookupFunction = (hostname, _, done) => {
    asked.push(hostname);
    done(null, [{ address: '127.0.0.1', family: 4 }]);
  };
  const url = server.tlsUrl.replace('127.0.0.1', 'localhost');
  expect(
    await createSecretVault(url, tokenOf('officer'), { httpClient: createHttpClient(lookup) }).get('token'),
  ).toBeUndefined();
  expect(asked[0]).toBe('localhost');
});

// Key Vault's common library before 2.1.1 lost the body of the first write.
it('loses no body if the first two writes of a client are concurrent and the first challenge comes last', async () => {
  const { url, bodies } = await startSlowChallenge();
  const vault = createSecretVault(url, tokenOf('officer'));
  await Promise.all(['one', 'two'].map((name) => vault.put(name, `the ${name}`, { tags: {} })));
  expect(bodies.map((body) => JSON.parse(body).value).toSorted()).toEqual(['the one', 'the two']);
});

/** A vault that accepts any body and sends its first challenge only after another request has been authorized. */
async function startSlowChallenge() {
  const { caCertificate, issue } = await createCertificateAuthority();
  tls.setDefaultCACertificates([...tls.getCACertificates('default'), caCertificate]);
  const authorized = Promise.withResolvers<void>();
  const bodies: string[] = [];
  let challenges = 0;
  const server = createServer(await issue(['127.0.0.1']), async (request, response) => {
    const body = Buffer.concat(await request.toArray()).toString();
    if (!request.headers.authorization) {
      if (challenges++ === 0) await authorized.promise;
      const parameters =
        'authorization="https://login.microsoftonline.com/x", resource="https://vault.azure.net"';
      return void response.writeHead(401, { 'www-authenticate': `Bearer ${parameters}` }).end();
    }
    bodies.push(body);
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ id: `https://v.vault.azure.net/secrets/x/${'f'.repeat(32)}` }));
    response.on('finish', authorized.resolve);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  return { url: `https://127.0.0.1:${(server.address() as AddressInfo).port}`, bodies };
}

describe('before anything is sent', () => {
  it.each(['..', 'a/b', 'a\r\nb', 'a'.repeat(128), '', 'a_b', 'ä'])(
    'the name %j is refused',
    async (name) => {
      const { server, vault } = await start();
      await vault.put('warm', 'x', { tags: {} });
      server.clearRequests();
      const calls = [vault.get(name), vault.put(name, CANARY, { tags: {} }), vault.versions(name)];
      const errors = await Promise.all([...calls, vault.tag(name, 'f'.repeat(32), {})].map(errorOf));
      expect(errors.map(({ code }) => code)).toEqual(Array(4).fill('vault_rejected'));
      expect(server.requests).toEqual([]);
    },
  );

  it('an invalid version is refused', async () => {
    const { server, vault } = await start();
    await vault.put('warm', 'x', { tags: {} });
    server.clearRequests();
    expect((await errorOf(vault.get('warm', '../other'))).code).toBe('vault_rejected');
    expect((await errorOf(vault.tag('warm', '../other', {}))).code).toBe('vault_rejected');
    expect((await errorOf(vault.disable('warm', '../other'))).code).toBe('vault_rejected');
    expect(server.requests).toEqual([]);
  });

  it('a value over 25 KB is refused, counted in bytes', async () => {
    const { server, vault } = await start();
    await vault.put('token', 'é'.repeat(12_800), { tags: {} });
    server.clearRequests();
    const error = await errorOf(vault.put('token', `${CANARY}${'é'.repeat(12_800)}`, { tags: {} }));
    expect(error.code).toBe('vault_rejected');
    expect(error.message).toMatch(/25621 bytes.*25600/);
    expect(server.requests).toEqual([]);
  });
});

describe('a published value that is written again', () => {
  const published = (expiresAt: number) => ({
    tags: TAGS,
    contentType: 'text/x',
    expiresAt,
    skipIdentical: true,
  });

  it('fails if the vault cannot return the latest version', async () => {
    const { server, vault } = await start();
    await vault.put('token', CANARY, published(EXPIRES));
    server.intercept(({ operation }) => (operation === 'getSecret' ? { kind: 'destroyBefore' } : undefined));
    expect((await errorOf(vault.put('token', CANARY, published(EXPIRES)))).code).toBe('vault_unavailable');
  });

  it('makes a new version if the old one disappears before the update', async () => {
    const { server, vault } = await start();
    const { version } = await vault.put('token', CANARY, published(EXPIRES));
    const gone = { error: { code: 'SecretNotFound', message: '' } };
    server.intercept(({ operation }) =>
      operation === 'updateSecret'
        ? { kind: 'answerInstead', answer: { status: 404, body: gone } }
        : undefined,
    );
    expect((await vault.put('token', CANARY, published(EXPIRES))).version).not.toBe(version);
  });
});
