import dns from 'node:dns';
import tls from 'node:tls';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { createSecretVault } from '../../../lib/azure/keyVaultSecrets.ts';
import { SignInFailed } from '../../../lib/azure/signInFailure.ts';
import type { ErrorCode } from '../../../lib/errors.ts';
import { createCertificateAuthority } from '../../../local/keyVault/certificateAuthority.ts';
import type { FaultDecision, VaultResponse } from '../../../local/keyVault/types.ts';
import { clientOf, startVault } from '../../local/keyVault/support.ts';
import { CANARY, errorOf, startTrustedVault, tokenOf } from './support.ts';

async function start(credential = tokenOf('officer'), timeoutMs = 10_000) {
  const server = await startTrustedVault();
  return { server, vault: createSecretVault(server.tlsUrl, credential, { timeoutMs }) };
}

function instead(status: number, innerCode?: string, headers: Record<string, string> = {}): FaultDecision {
  const innererror = innerCode && { innererror: { code: innerCode } };
  const body = { error: { code: 'Outer', message: CANARY, ...innererror } };
  return { kind: 'answerInstead', answer: { status, headers, body } };
}

/** The error of a put that meets the fault, with the number of requests made for it. */
async function putUnder(fault: FaultDecision) {
  const { server, vault } = await start();
  await vault.get('warm');
  server.clearRequests();
  server.intercept(() => fault);
  const error = await errorOf(vault.put('token', CANARY, { tags: {} }));
  expect(error.message).toContain(server.tlsUrl);
  return { error, requests: server.requests.length };
}

describe('a response', () => {
  it.each<[number, string | undefined, ErrorCode]>([
    [401, undefined, 'vault_forbidden'],
    [403, 'ForbiddenByRbac', 'vault_forbidden'],
    [403, 'ForbiddenByFirewall', 'vault_forbidden'],
    [403, 'SecretDisabled', 'secret_disabled'],
    [409, 'ObjectIsDeletedButRecoverable', 'secret_soft_deleted'],
    [409, 'ObjectIsBeingDeleted', 'secret_soft_deleted'],
    [409, 'ObjectIsBeingRecovered', 'vault_unavailable'],
    [409, undefined, 'vault_unavailable'],
    [408, undefined, 'vault_unavailable'],
    [429, undefined, 'vault_throttled'],
    [404, undefined, 'vault_rejected'],
    [400, undefined, 'vault_rejected'],
    [413, undefined, 'vault_rejected'],
    [500, undefined, 'vault_unavailable'],
    [503, undefined, 'vault_unavailable'],
  ])('%i %s fails with %s after one request', async (status, innerCode, code) => {
    const { error, requests } = await putUnder(instead(status, innerCode));
    expect(error).toMatchObject({ code, retryAfterMs: undefined });
    expect(error.message).toContain('token');
    if (status !== 401) expect(requests).toBe(1);
  });

  it('that redirects is not followed', async () => {
    const { server, vault } = await start();
    await vault.put('other', CANARY, { tags: {} });
    server.clearRequests();
    const location = `${server.tlsUrl}/secrets/other/?api-version=7.6`;
    server.intercept(({ secretName }) =>
      secretName === 'token'
        ? { kind: 'answerInstead', answer: { status: 302, headers: { location } } }
        : undefined,
    );
    const error = await errorOf(vault.get('token'));
    expect(error).toMatchObject({ code: 'vault_unavailable', message: expect.stringContaining('302') });
    expect(server.requests).toHaveLength(1);
  });

  it.each<[string, VaultResponse]>([
    ['no body', { status: 403 }],
    ['text', { status: 403, headers: { 'content-type': 'text/plain' }, body: CANARY }],
    ['broken JSON', { status: 403, headers: { 'content-type': 'application/json' }, body: `{${CANARY}` }],
    ['JSON null', { status: 403, headers: { 'content-type': 'application/json' }, body: 'null' }],
    ['a page', { status: 403, headers: { 'content-type': 'text/html' }, body: `<p>${CANARY}</p>` }],
  ])('of 403 with %s keeps its meaning', async (_, answer) => {
    expect((await putUnder({ kind: 'answerInstead', answer })).error.code).toBe('vault_forbidden');
  });

  it.each(['', '{', '[]', '{"id":7}'])('of 200 with the body %j counts as unavailable', async (body) => {
    const answer = { status: 200, headers: { 'content-type': 'application/json' }, body };
    expect((await putUnder({ kind: 'answerInstead', answer })).error.code).toBe('vault_unavailable');
  });

  it('names the missing permission, or the firewall', async () => {
    const { error } = await putUnder(instead(403, 'ForbiddenByRbac'));
    expect(error.fix).toMatch(/secrets\/setSecret.*Key Vault Secrets Officer/);
    expect((await putUnder(instead(403, 'ForbiddenByFirewall'))).error.fix).toContain('firewall');
    expect((await putUnder(instead(403, 'ForbiddenByConnection'))).error.fix).toContain('private endpoint');
  });

  it.each([
    [{ 'retry-after': '7' }, 7_000],
    [{ 'retry-after-ms': '250', 'retry-after': '7' }, 250],
    [{ 'x-ms-retry-after-ms': '300' }, 300],
    [{ date: 'Thu, 01 Jan 2026 00:00:00 GMT', 'retry-after': 'Thu, 01 Jan 2026 00:00:09 GMT' }, 9_000],
    [{ date: 'Thu, 01 Jan 2026 00:00:00 GMT', 'retry-after': 'Wed, 31 Dec 2025 00:00:00 GMT' }, 0],
    [{ 'retry-after': '-5' }, undefined],
    [{ 'retry-after': 'soon' }, undefined],
  ])('of 429 with %j requests a wait of %s ms', async (headers, expected) => {
    const { error } = await putUnder(instead(429, undefined, headers as Record<string, string>));
    expect(error.retryAfterMs).toBe(expected);
  });
});

it('reports only refused writes to the one who paces them', async () => {
  const server = await startTrustedVault();
  const waits: (number | undefined)[] = [];
  const onThrottledWrite = (ms: number | undefined) => void waits.push(ms);
  const vault = createSecretVault(server.tlsUrl, tokenOf('officer'), { onThrottledWrite });
  server.intercept(() => instead(429, undefined, { 'retry-after': '7' }));
  await errorOf(vault.put('token', CANARY, { tags: {} }));
  await errorOf(vault.get('token'));
  expect(waits).toEqual([7_000]);
});

describe('the vault', () => {
  it('is named in the fix with the missing permission', async () => {
    const { server } = await start();
    const vault = createSecretVault(server.tlsUrl, tokenOf('reader'));
    expect((await errorOf(vault.versions('token'))).fix).toContain('secrets/readMetadata');
    expect((await errorOf(vault.tag('token', 'f'.repeat(32), {}))).fix).toContain('secrets/update');
    const writer = createSecretVault(server.tlsUrl, tokenOf('writer'));
    expect((await errorOf(writer.get('token'))).fix).toContain('secrets/getSecret');
  });

  it('refuses an unknown token', async () => {
    const { vault } = await start(tokenOf('stranger'));
    expect((await errorOf(vault.get('token'))).code).toBe('vault_forbidden');
  });

  it('keeps the name of a deleted secret', async () => {
    const { server, vault } = await start();
    await vault.put('token', 'one', { tags: {} });
    await (await clientOf(server).beginDeleteSecret('token')).pollUntilDone();
    expect(await vault.get('token')).toBeUndefined();
    const error = await errorOf(vault.put('token', CANARY, { tags: {} }));
    expect(error).toMatchObject({
      code: 'secret_soft_deleted',
      fix: expect.stringMatching(/[Rr]ecover.*purge/),
    });
  });

  it.each(['destroyBefore', 'executeThenDestroy'] as const)(
    'that drops the connection (%s) is unavailable',
    async (kind) => {
      const { error, requests } = await putUnder({ kind });
      expect(error.code).toBe('vault_unavailable');
      expect(requests).toBe(1);
    },
  );

  it('that refuses connections is unavailable', async () => {
    const { server, vault } = await start();
    await server.close();
    const error = await errorOf(vault.put('token', CANARY, { tags: {} }));
    expect(error).toMatchObject({
      code: 'vault_unavailable',
      message: expect.stringContaining('ECONNREFUSED'),
    });
  });

  it('that does not respond in time is unavailable', async () => {
    const { server, vault } = await start(tokenOf('officer'), 300);
    await vault.get('warm');
    const asked = Promise.withResolvers<void>();
    const over = Promise.withResolvers<undefined>();
    server.intercept(() => {
      asked.resolve();
      return over.promise;
    });
    const error = await errorOf(vault.put('token', CANARY, { tags: {} }));
    await asked.promise;
    over.resolve(undefined);
    expect(error).toMatchObject({ code: 'vault_unavailable', message: expect.stringContaining('in time') });
  });

  it('whose address is not TLS gets no token', async () => {
    const { server } = await start();
    const getToken = vi.fn(tokenOf('officer').getToken);
    const error = await errorOf(createSecretVault(server.url, { getToken }).get('token'));
    expect(error).toMatchObject({ code: 'vault_rejected', fix: expect.stringContaining('https') });
    expect(getToken).not.toHaveBeenCalled();
  });

  it('whose name is not that of a Key Vault gets no token, except on this machine', async () => {
    const { caCertificate, issue } = await createCertificateAuthority();
    tls.setDefaultCACertificates([...tls.getCACertificates('default'), caCertificate]);
    const server = await startVault({ tls: await issue(['vault.example']) });
    resolveToLoopback();
    const getToken = vi.fn(tokenOf('officer').getToken);
    const address = server.tlsUrl.replace('127.0.0.1', 'vault.example');
    const error = await errorOf(createSecretVault(address, { getToken }).get('token'));
    expect(error).toMatchObject({ code: 'vault_rejected', message: expect.stringContaining(address) });
    expect(getToken).not.toHaveBeenCalled();
  });
});

/** Resolves every name to this machine until the test ends. */
function resolveToLoopback(): void {
  const lookup = ((_name: string, options: object, done: (...answer: unknown[]) => void) =>
    'all' in options && options.all
      ? done(null, [{ address: '127.0.0.1', family: 4 }])
      : done(null, '127.0.0.1', 4)) as typeof dns.lookup;
  const spy = vi.spyOn(dns, 'lookup').mockImplementation(lookup);
  onTestFinished(() => spy.mockRestore());
}

describe('a credential', () => {
  it.each<[string, Error, ErrorCode]>([
    ['is missing or refused', new SignInFailed({ what: 'was refused', fix: 'Sign in.' }), 'vault_forbidden'],
    [
      'meets a sign-in service that is broken or busy',
      new SignInFailed({ what: 'gave no answer', fix: 'Wait.', passing: true }),
      'vault_unavailable',
    ],
    ['fails with another error', new Error(CANARY), 'vault_unavailable'],
  ])('that %s', async (_, failure, code) => {
    const { vault } = await start({ getToken: () => Promise.reject(failure) });
    expect((await errorOf(vault.put('token', CANARY, { tags: {} }))).code).toBe(code);
  });

  it('that ignores the signal cannot delay a call', async () => {
    const { vault } = await start({ getToken: () => new Promise(() => {}) }, 200);
    expect((await errorOf(vault.get('token'))).message).toContain('in time');
  });
});
