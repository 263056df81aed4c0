import { createHash, createPublicKey, verify } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { createVaultKeys } from '../../../lib/azure/keyVaultKeys.ts';
import type { ErrorCode } from '../../../lib/errors.ts';
import { newClientKey } from '../../../local/clientKeys.ts';
import type { FaultDecision } from '../../../local/keyVault/types.ts';
import { CANARY, errorOf, startRelay, startTrustedVault, tokenOf } from './support.ts';

const RSA = await newClientKey({ type: 'RSA', withCertificate: true });
const EC = await newClientKey({ type: 'EC' });
const NEW_YEAR = Date.parse('2026-01-01T00:00:00Z');
const DIGEST = createHash('sha256').update('a text').digest();

async function start(token = 'signer', timeoutMs = 10_000) {
  const server = await startTrustedVault({ now: () => NEW_YEAR });
  return { server, keys: createVaultKeys(server.tlsUrl, tokenOf(token), { timeoutMs }) };
}

describe('the keys of a vault', () => {
  it('are read with version, type, tags and end, and without the private part', async () => {
    const { server, keys } = await start();
    server.importKey('app', { ...EC, tags: { connections: 'crm' }, exp: NEW_YEAR / 1000 + 60 });
    const version = server.importKey('app', {
      ...EC,
      tags: { connections: 'crm' },
      exp: NEW_YEAR / 1000 + 60,
    });
    expect(await keys.get('key', 'app')).toEqual({
      version,
      createdAt: NEW_YEAR,
      expiresAt: NEW_YEAR + 60_000,
      tags: { connections: 'crm' },
      type: 'EC',
    });
  });

  it('have the thumbprint of their certificate if they are read as one', async () => {
    const { server, keys } = await start();
    const version = server.importKey('app', RSA);
    expect(await keys.get('certificate', 'app')).toMatchObject({
      version,
      type: 'RSA',
      thumbprint: RSA.thumbprint,
    });
    expect(await keys.get('key', 'app')).toMatchObject({ version, type: 'RSA' });
  });

  it('do not exist under another name', async () => {
    const { server, keys } = await start();
    server.importKey('app', EC);
    expect(await keys.get('key', 'other')).toBeUndefined();
    expect(await keys.get('certificate', 'app')).toBeUndefined();
  });

  it.each([
    ['RS256', RSA, {}],
    ['PS256', RSA, { padding: 6, saltLength: 32 }],
    ['ES256', EC, { dsaEncoding: 'ieee-p1363' }],
  ] as const)('sign a digest with %s', async (algorithm, key, form) => {
    const { server, keys } = await start();
    const version = server.importKey('app', key);
    const signature = await keys.sign({ name: 'app', version }, algorithm, DIGEST);
    const publicKey = createPublicKey({ key: key.jwk, format: 'jwk' });
    expect(verify('sha256', Buffer.from('a text'), { key: publicKey, ...form }, signature)).toBe(true);
  });

  it('sign although a connection that was kept is closed', async () => {
    const { server } = await start();
    const relay = await startRelay(server.tlsUrl);
    const keys = createVaultKeys(relay.url, tokenOf('signer'));
    const version = server.importKey('app', EC);
    await keys.get('key', 'app');
    expect(relay.closeAtNextRequest()).toBeGreaterThan(0);
    expect(await keys.sign({ name: 'app', version }, 'ES256', DIGEST)).toHaveLength(64);
  });
});

describe('a key', () => {
  it('that is disabled has its own error, when it is read and when it is to sign', async () => {
    const { server, keys } = await start();
    const version = server.importKey('app', { ...EC, enabled: false });
    const calls = [keys.get('key', 'app'), keys.sign({ name: 'app', version }, 'ES256', DIGEST)];
    for (const error of await Promise.all(calls.map(errorOf)))
      expect(error).toMatchObject({
        code: 'key_disabled',
        message: `The key app in ${server.tlsUrl} is disabled.`,
        fix: 'Enable the latest version of app, or create a new one.',
      });
  });

  it.each([
    ['KeyOperationForbidden', 'Add the operation sign'],
    ['KeyNotYetValid', 'Set an earlier activation date'],
    ['KeyExpired', 'Create a new version of app'],
  ])('that the vault does not let sign (%s) has its own error', async (code, words) => {
    const { server, keys } = await start();
    const body = { error: { code: 'Forbidden', message: CANARY, innererror: { code } } };
    server.intercept(() => ({ kind: 'answerInstead', answer: { status: 403, body } }));
    const error = await errorOf(keys.sign({ name: 'app', version: 'f'.repeat(32) }, 'ES256', DIGEST));
    expect(error).toMatchObject({ code: 'key_unusable', fix: expect.stringContaining(words) });
    expect(error.message).toContain(`sign with the key app (403, Forbidden, ${code})`);
  });

  it('that is gone when it is to sign has its own error', async () => {
    const { keys } = await start();
    const error = await errorOf(keys.sign({ name: 'app', version: 'f'.repeat(32) }, 'ES256', DIGEST));
    expect(error).toMatchObject({ code: 'vault_rejected', fix: 'Check whether something deletes app.' });
  });

  it('whose name would lead to another resource is not asked for', async () => {
    const { server, keys } = await start();
    expect(await errorOf(keys.get('key', '../secrets/app'))).toMatchObject({ code: 'vault_rejected' });
    expect(server.requests).toEqual([]);
  });

  it.each([
    ['key', 'keys/read', 'Key Vault Crypto User'],
    ['certificate', 'certificates/read', 'Key Vault Certificate User'],
  ] as const)('that may not be read names the role for a %s', async (kind, right, role) => {
    const { server, keys } = await start('reader');
    server.importKey('app', RSA);
    const error = await errorOf(keys.get(kind, 'app'));
    expect(error).toMatchObject({ code: 'vault_forbidden' });
    expect(error.message).toContain(`read the ${kind} app (403`);
    expect(error.fix).toBe(
      `Grant the rotator's identity the data action ${right} on ${server.tlsUrl}, for example with the role ${role}.`,
    );
  });

  it('that may not sign names the role', async () => {
    const { server, keys } = await start('reader');
    const version = server.importKey('app', EC);
    const error = await errorOf(keys.sign({ name: 'app', version }, 'ES256', DIGEST));
    expect(error.message).toContain('does not let the rotator sign with the key app');
    expect(error.fix).toContain('keys/sign/action');
  });
});

describe('a response', () => {
  const instead = (status: number, headers: Record<string, string> = {}): FaultDecision => ({
    kind: 'answerInstead',
    answer: { status, headers, body: { error: { code: 'Outer', message: CANARY } } },
  });

  it.each<[number, ErrorCode]>([
    [400, 'vault_rejected'],
    [403, 'vault_forbidden'],
    [429, 'vault_throttled'],
    [500, 'vault_unavailable'],
    [503, 'vault_unavailable'],
  ])('%i to a request to sign fails with %s after one request', async (status, code) => {
    const { server, keys } = await start();
    const version = server.importKey('app', EC);
    await keys.get('key', 'app');
    server.clearRequests();
    server.intercept(() => instead(status, { 'retry-after': '7' }));
    const error = await errorOf(keys.sign({ name: 'app', version }, 'ES256', DIGEST));
    expect(error.code).toBe(code);
    expect(error.message).toContain('app');
    if (status === 429) expect(error.retryAfterMs).toBe(7_000);
    expect(server.requests).toHaveLength(1);
  });

  it('in the words of an access policy names its permission', async () => {
    const { server, keys } = await start();
    server.intercept(() => ({
      kind: 'answerInstead',
      answer: {
        status: 403,
        body: {
          error: { code: 'Forbidden', message: 'The user does not have keys sign permission on key vault.' },
        },
      },
    }));
    const error = await errorOf(keys.sign({ name: 'app', version: 'f'.repeat(32) }, 'ES256', DIGEST));
    expect(error.fix).toContain('the key permission Sign in the access policies');
  });

  it('that does not come ends the wait', async () => {
    const { server, keys } = await start('signer', 200);
    server.intercept(() => new Promise(() => undefined));
    expect(await errorOf(keys.get('key', 'app'))).toMatchObject({ code: 'vault_unavailable' });
  });

  it.each<[unknown, ErrorCode]>([
    ['<html>', 'vault_unavailable'],
    [{}, 'vault_rejected'],
    [{ key: { kid: 'https://v/keys/app/..%2f' } }, 'vault_rejected'],
    [[], 'vault_rejected'],
  ])('with other content is not a key: %j', async (body, code) => {
    const { server, keys } = await start();
    server.intercept(() => ({ kind: 'answerInstead', answer: { status: 200, body } }));
    expect(await errorOf(keys.get('key', 'app'))).toMatchObject({ code });
  });
});
