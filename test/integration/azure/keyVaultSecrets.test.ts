import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import tls from 'node:tls';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createSecretVault } from '../../../lib/azure/keyVaultSecrets.ts';
import { createCertificateAuthority } from '../../../local/keyVault/certificateAuthority.ts';
import { clientOf } from '../../local/keyVault/support.ts';
import { CANARY, errorOf, startTrustedVault, tokenOf } from './support.ts';

const TAGS = { 'managed-by': 'key-vault-token-rotator', connection: 'dynamics-prod' };
const EXPIRES = Date.parse('2026-03-01T00:00:00Z');

async function start() {
  const server = await startTrustedVault();
  return { server, vault: createSecretVault(server.tlsUrl, tokenOf('officer')) };
}

describe('a secret', () => {
  it('is read with the tags and properties that it was written with', async () => {
    const { vault } = await start();
    const notBefore = EXPIRES - 3_600_000;
    const properties = { contentType: 'text/x', notBefore, expiresAt: EXPIRES };
    const written = await vault.put('token', CANARY, { tags: TAGS, ...properties });
    const read = await vault.get('token');
    expect(read).toEqual({ ...written, value: CANARY, tags: TAGS, properties });
    expect(read?.createdAt).toBeGreaterThan(EXPIRES - 365 * 86_400_000);
  });

  it('without properties is read without any', async () => {
    const { vault } = await start();
    await vault.put('token', 'one', { tags: {} });
    expect(await vault.get('token')).toMatchObject({ tags: {}, properties: {} });
  });

  it('is read by version, and the latest without one', async () => {
    const { vault } = await start();
    const first = await vault.put('token', 'one', { tags: {} });
    await vault.put('token', 'two', { tags: {} });
    expect((await vault.get('token', first.version))?.value).toBe('one');
    expect((await vault.get('token'))?.value).toBe('two');
  });

  it('that does not exist is undefined, as is a version that does not', async () => {
    const { vault } = await start();
    expect(await vault.get('token')).toBeUndefined();
    await vault.put('token', 'one', { tags: {} });
    expect(await vault.get('token', 'f'.repeat(32))).toBeUndefined();
  });

  it('that is written disabled cannot be read', async () => {
    const { vault } = await start();
    await vault.put('token', CANARY, { tags: TAGS, enabled: false });
    const error = await errorOf(vault.get('token'));
    expect(error.code).toBe('secret_disabled');
    expect(error.message).toContain('token');
  });

  it('that expires after 2038 keeps a time in the future: the client counts in 32 bits', async () => {
    const { server, vault } = await start();
    const expiresAt = Date.parse('2050-01-01T00:00:00Z');
    await vault.put('token', 'one', { tags: {}, expiresAt });
    const { properties } = await clientOf(server).getSecret('token');
    expect(properties.expiresOn?.toISOString()).toBe('2038-01-19T03:14:07.000Z');
  });
});

describe('tags', () => {
  it('are replaced as a whole, and no version is made', async () => {
    const { vault } = await start();
    const { version } = await vault.put('token', 'one', { tags: TAGS });
    await vault.tag('token', version, { only: 'this' });
    const versions = await vault.versions('token');
    expect(versions).toMatchObject([{ version, tags: { only: 'this' } }]);
  });

  it('stay when the version is disabled; it is listed as such, and cannot be read', async () => {
    const { vault } = await start();
    const { version } = await vault.put('token', CANARY, { tags: TAGS, contentType: 'text/x' });
    await vault.put('token', 'two', { tags: {} });
    await vault.disable('token', version);
    const listed = await vault.versions('token');
    expect(listed.find((each) => each.version === version)).toMatchObject({ tags: TAGS, enabled: false });
    expect(listed.filter(({ enabled }) => enabled !== false)).toHaveLength(1);
    expect((await errorOf(vault.get('token', version))).code).toBe('secret_disabled');
    expect((await vault.get('token'))?.value).toBe('two');
  });

  it('of a version that does not exist cannot be set', async () => {
    const { vault } = await start();
    expect((await errorOf(vault.tag('token', 'f'.repeat(32), {}))).code).toBe('vault_rejected');
    expect((await errorOf(vault.disable('token', 'f'.repeat(32)))).code).toBe('vault_rejected');
  });
});

describe('versions', () => {
  it('are all listed, over several pages', async () => {
    const { server, vault } = await start();
    const written = [];
    for (let i = 0; i < 60; i++) written.push((await vault.put('token', `v${i}`, { tags: {} })).version);
    server.clearRequests();
    const versions = await vault.versions('token');
    expect(versions.map(({ version }) => version).toSorted()).toEqual(written.toSorted());
    expect(server.requests.filter(({ operation }) => operation === 'listVersions').length).toBe(3);
  });

  it('of a secret that does not exist are none', async () => {
    const { vault } = await start();
    expect(await vault.versions('token')).toEqual([]);
  });

  it('that fail on a later page fail as a whole', async () => {
    const { server, vault } = await start();
    for (let i = 0; i < 30; i++) await vault.put('token', `v${i}`, { tags: {} });
    let pages = 0;
    server.intercept(({ operation }) =>
      operation === 'listVersions' && ++pages === 2 ? { kind: 'destroyBefore' } : undefined,
    );
    expect((await errorOf(vault.versions('token'))).code).toBe('vault_unavailable');
  });
});

// Key Vault's common library before 2.1.1 lost the body of the first.
it('loses no body where two writes are the first of a client and the first challenge comes last', async () => {
  const { url, bodies } = await startSlowChallenge();
  const vault = createSecretVault(url, tokenOf('officer'));
  await Promise.all(['one', 'two'].map((name) => vault.put(name, `the ${name}`, { tags: {} })));
  expect(bodies.map((body) => JSON.parse(body).value).toSorted()).toEqual(['the one', 'the two']);
});

/** A vault that takes any body and answers its first challenge only when another request has been authorized. */
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
      for (const call of [...calls, vault.tag(name, 'f'.repeat(32), {})]) {
        expect((await errorOf(call)).code).toBe('vault_rejected');
      }
      expect(server.requests).toEqual([]);
    },
  );

  it('a version that is none is refused', async () => {
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

  it('makes no version; expiry and tags are the new ones', async () => {
    const { vault } = await start();
    const first = await vault.put('token', CANARY, published(EXPIRES));
    const again = await vault.put('token', CANARY, { ...published(EXPIRES + 60_000), tags: { new: 'tags' } });
    expect(again).toEqual({ ...first, tags: { new: 'tags' } });
    expect(await vault.versions('token')).toHaveLength(1);
    const read = await vault.get('token');
    expect(read).toMatchObject({ tags: { new: 'tags' }, properties: { expiresAt: EXPIRES + 60_000 } });
  });

  it('makes a version without skipIdentical, before or now', async () => {
    const { vault } = await start();
    const { skipIdentical: _, ...plain } = published(EXPIRES);
    await vault.put('token', CANARY, plain);
    await vault.put('token', CANARY, published(EXPIRES));
    await vault.put('token', CANARY, plain);
    expect(await vault.versions('token')).toHaveLength(3);
  });

  it('makes a version where another value was written in between by this process', async () => {
    const { vault } = await start();
    for (const value of ['one', 'two', 'one']) await vault.put('token', value, published(EXPIRES));
    expect(await vault.versions('token')).toHaveLength(3);
  });

  it('makes a version where somebody else wrote in between', async () => {
    const { server, vault } = await start();
    await vault.put('token', CANARY, published(EXPIRES));
    await clientOf(server).setSecret('token', 'from somebody else');
    await vault.put('token', CANARY, published(EXPIRES));
    expect((await vault.get('token'))?.value).toBe(CANARY);
  });

  it('makes a version where somebody disabled it', async () => {
    const { server, vault } = await start();
    const { version } = await vault.put('token', CANARY, published(EXPIRES));
    await clientOf(server).updateSecretProperties('token', version, { enabled: false });
    expect((await vault.put('token', CANARY, published(EXPIRES))).version).not.toBe(version);
  });

  it('fails where the vault cannot tell what is the latest', async () => {
    const { server, vault } = await start();
    await vault.put('token', CANARY, published(EXPIRES));
    server.intercept(({ operation }) => (operation === 'getSecret' ? { kind: 'destroyBefore' } : undefined));
    expect((await errorOf(vault.put('token', CANARY, published(EXPIRES)))).code).toBe('vault_unavailable');
  });

  it('makes a version where the old one vanishes under the update', async () => {
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

  it('makes a version after a write whose outcome is unknown', async () => {
    const { server, vault } = await start();
    await vault.put('token', 'one', published(EXPIRES));
    server.intercept(({ operation }) =>
      operation === 'setSecret' ? { kind: 'executeThenDestroy' } : undefined,
    );
    await errorOf(vault.put('token', CANARY, published(EXPIRES)));
    server.intercept(undefined);
    await vault.put('token', 'one', published(EXPIRES));
    expect((await vault.get('token'))?.value).toBe('one');
  });
});
