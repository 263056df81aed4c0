import { inspect } from 'node:util';
import { AuthenticationError, CredentialUnavailableError } from '@azure/identity';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import {
  createTokenReader,
  TokenUnavailable,
  type TokenUnavailableCode,
} from '../../../lib/consumer/index.ts';
import type { FaultDecision } from '../../../local/keyVault/types.ts';
import { CANARY, tokenOf } from '../azure/support.ts';
import { START, startReading } from './support.ts';

const HOUR = { issuedAt: START, lifetime: 3600 };
const OUTAGES: readonly [string, FaultDecision][] = [
  ['responds with 503', { kind: 'answerInstead', answer: { status: 503 } }],
  ['responds with 429', { kind: 'answerInstead', answer: { status: 429, headers: { 'retry-after': '1' } } }],
  ['drops connections', { kind: 'destroyBefore' }],
  ['responds with 200 without a body', { kind: 'answerInstead', answer: { status: 200 } }],
];

const unhandled = vi.fn();
beforeAll(() => void process.on('unhandledRejection', unhandled));
afterAll(() => {
  process.off('unhandledRejection', unhandled);
  expect(unhandled).not.toHaveBeenCalled();
});

/** The error of a call that must fail, after checking that no part of it contains the canary. */
async function errorOf(call: Promise<unknown>): Promise<TokenUnavailable> {
  const error = await call.then(
    () => expect.fail('the call succeeded'),
    (thrown) => thrown,
  );
  expect(error).toBeInstanceOf(TokenUnavailable);
  expect(inspect(error, { depth: 20, showHidden: true })).not.toContain(CANARY);
  expect(error).toMatchObject({ message: expect.any(String), fix: expect.stringMatching(/\.$/) });
  return error as TokenUnavailable;
}

describe('a token reader', () => {
  test('reads once for concurrent callers, and then from memory', async () => {
    const { reader, publish, token, looks, at } = await startReading();
    await publish({ value: 'one', ...HOUR });
    const all = await Promise.all([1, 2, 3, 4, 5].map(() => reader.get()));
    expect(all).toEqual(Array(5).fill({ token: 'one', expiresAt: (START + 3600) * 1000 }));
    at(59);
    expect(await token()).toBe('one');
    expect(looks()).toBe(1);
  });

  test('sends no request before the first call', async () => {
    const getToken = vi.fn(tokenOf('reader').getToken);
    const { looks } = await startReading({ credential: { getToken } });
    expect(looks()).toBe(0);
    expect(getToken).not.toHaveBeenCalled();
  });

  test('returns the old token and looks in the background, so it finds a token replaced early within a minute', async () => {
    const { vault, publish, token, at } = await startReading();
    await publish({ value: 'one', ...HOUR });
    await token();
    await publish({ value: 'two', issuedAt: START + 2400, lifetime: 3600 });
    at(60);
    const asked = Promise.withResolvers<void>();
    const answer = Promise.withResolvers<undefined>();
    vault.intercept(() => {
      asked.resolve();
      return answer.promise;
    });
    expect(await token()).toBe('one');
    await asked.promise;
    answer.resolve(undefined);
    await vi.waitFor(async () => expect(await token()).toBe('two'));
    expect(vault.requests).toHaveLength(1);
  });

  test('keeps its token while the vault has one that was issued earlier, also after a 401', async () => {
    const { publish, reader, token, at, looks } = await startReading();
    await publish({ value: 'later', issuedAt: START, lifetime: 3600 });
    await token();
    await publish({ value: 'earlier', issuedAt: START - 1, lifetime: 7200 });
    at(120);
    expect(await token()).toBe('later');
    expect(looks()).toBe(1);
    at(122);
    expect(await reader.get({ rejected: 'later' })).toMatchObject({ token: 'later' });
    expect(looks()).toBe(2);
    at(3601);
    expect(await token()).toBe('earlier');
  });

  test('looks first after a long time without calls, and in the last minute of the token', async () => {
    const { publish, token, at, looks } = await startReading();
    await publish({ value: 'one', ...HOUR });
    await token();
    await publish({ value: 'two', issuedAt: START, lifetime: 3600 });
    at(120);
    expect(await token()).toBe('two');
    at(3541);
    await publish({ value: 'three', issuedAt: START + 3000, lifetime: 3600 });
    expect(await token()).toBe('three');
    expect(looks()).toBe(1);
  });

  test('reads another secret if the connection names one', async () => {
    const { reader } = await startReading({ secretName: 'token-for-crm' });
    expect((await errorOf(reader.get())).message).toContain('token-for-crm');
  });

  test.each(OUTAGES)('while the vault %s, returns the token for as long as it is valid', async (_, fault) => {
    const { vault, reader, publish, token, at } = await startReading();
    await publish({ value: 'one', ...HOUR });
    await token();
    vault.intercept(() => fault);
    at(3000);
    expect(await token()).toBe('one');
    at(3599);
    expect(await token()).toBe('one');
    at(3601);
    expect(await errorOf(reader.get())).toMatchObject({ code: 'vault_unavailable' });
    vault.intercept(undefined);
    await publish({ value: 'two', issuedAt: START + 3700, lifetime: 3600 });
    at(3720);
    expect(await token()).toBe('two');
  });

  test('returns a valid token while the vault is gone, and waits longer between looks', async () => {
    const { vault, reader, publish, token, at, looks } = await startReading();
    await publish({ value: 'one', ...HOUR });
    await token();
    await vault.close();
    at(3000);
    expect(await token()).toBe('one');
    at(3601);
    expect(await errorOf(reader.get())).toMatchObject({ code: 'vault_unavailable' });
    expect(await errorOf(reader.get())).toMatchObject({ code: 'vault_unavailable' });
    expect(looks()).toBe(1);
  });

  test('never returns an expired token, even if the vault has no newer one', async () => {
    const { reader, publish, token, at, looks } = await startReading();
    await publish({ value: 'one', ...HOUR });
    await token();
    at(3600);
    expect(await errorOf(reader.get())).toMatchObject({ code: 'token_expired' });
    expect(await errorOf(reader.get())).toMatchObject({ code: 'token_expired' });
    expect(looks()).toBe(2);
  });

  test('looks again immediately if the token expires right after a look', async () => {
    const { publish, token, at } = await startReading();
    await publish({ value: 'one', issuedAt: START - 10, lifetime: 11 });
    at(0.5);
    expect(await token()).toBe('one');
    await publish({ value: 'two', ...HOUR });
    at(1);
    expect(await token()).toBe('two');
  });

  test('keeps its valid token if an older one returns to the vault', async () => {
    const { publish, token, at } = await startReading();
    await publish({ value: 'new', ...HOUR });
    await token();
    await publish({ value: 'old', issuedAt: START - 3600, lifetime: 3600 });
    at(120);
    expect(await token()).toBe('new');
  });
});

describe('a token that the API rejected', () => {
  test('is read again immediately, but only once a second', async () => {
    const { reader, publish, token, at, looks } = await startReading();
    await publish({ value: 'one', ...HOUR });
    await token();
    at(30);
    expect((await reader.get({ rejected: 'one' })).token).toBe('one');
    expect((await reader.get({ rejected: 'one' })).token).toBe('one');
    expect(looks()).toBe(2);
    await publish({ value: 'two', ...HOUR });
    at(31);
    const all = await Promise.all([1, 2, 3].map(() => reader.get({ rejected: 'one' })));
    expect(all.map((each) => each.token)).toEqual(['two', 'two', 'two']);
    expect(looks()).toBe(1);
  });

  test('needs no look if memory already holds a newer one', async () => {
    const { reader, publish, token, looks } = await startReading();
    await publish({ value: 'two', ...HOUR });
    await token();
    expect((await reader.get({ rejected: 'one' })).token).toBe('two');
    expect(looks()).toBe(1);
  });
});

describe('there is no token', () => {
  test('until the secret exists', async () => {
    const { reader, publish, token, at } = await startReading();
    expect(await errorOf(reader.get())).toMatchObject({ code: 'token_not_published' });
    await publish({ value: 'one', ...HOUR });
    at(1);
    expect(await token()).toBe('one');
  });

  test('if the secret is the disabled placeholder of the rotator', async () => {
    const { reader, publish } = await startReading();
    await publish({ value: 'pending', ...HOUR, enabled: false });
    expect(await errorOf(reader.get())).toMatchObject({
      code: 'token_not_published',
      message: expect.stringContaining('disabled'),
    });
  });

  test('if the secret has another content type, because a refresh token must not reach an API', async () => {
    const { reader, publish } = await startReading();
    await publish({ value: CANARY, ...HOUR, contentType: 'text/plain' });
    expect(await errorOf(reader.get())).toMatchObject({ code: 'not_an_access_token' });
  });

  test('for an identity without permission to read', async () => {
    for (const who of ['writer', 'stranger']) {
      const { reader } = await startReading({ credential: tokenOf(who) });
      expect(await errorOf(reader.get())).toMatchObject({ code: 'vault_forbidden' });
    }
  });

  test.each<[string, unknown, TokenUnavailableCode]>([
    ['is missing', new CredentialUnavailableError(CANARY), 'sign_in_failed'],
    ['is refused', new AuthenticationError(400, CANARY), 'sign_in_failed'],
    ['fails with another error', new Error(CANARY), 'vault_unavailable'],
    ['throws nothing', undefined, 'vault_unavailable'],
  ])('for a credential that %s', async (_, failure, code) => {
    const { reader } = await startReading({ credential: { getToken: () => Promise.reject(failure) } });
    expect(await errorOf(reader.get())).toMatchObject({ code });
  });

  test('for a caller that aborts, immediately, while the look continues for the others', async () => {
    const signIn = Promise.withResolvers<never>();
    const asked = Promise.withResolvers<void>();
    const getToken = () => {
      asked.resolve();
      return signIn.promise;
    };
    const { reader } = await startReading({ credential: { getToken } });
    const stop = new AbortController();
    const impatient = reader.get({ signal: stop.signal });
    const patient = errorOf(reader.get());
    stop.abort();
    await expect(impatient).rejects.toMatchObject({ name: 'AbortError' });
    await expect(reader.get({ signal: stop.signal })).rejects.toMatchObject({ name: 'AbortError' });
    await asked.promise;
    signIn.reject(new CredentialUnavailableError(CANARY));
    expect(await patient).toMatchObject({ code: 'sign_in_failed' });
  });

  test('for a credential that never responds, after 10 s', async () => {
    const { reader } = await startReading({ credential: { getToken: () => new Promise(() => {}) } });
    expect(await errorOf(reader.get())).toMatchObject({ code: 'vault_unavailable' });
  });

  test.each<[string, object, RegExp]>([
    ['a vault that is not an address', { vaultUrl: 'my-vault' }, /"my-vault" is not a valid https address/],
    ['a vault without TLS', { vaultUrl: 'http://my-vault.vault.azure.net' }, /not a valid https address/],
    ['no connection', { connection: '' }, /Name the connection/],
    ['a connection that would change the URL', { connection: '../keys/x' }, /not a valid secret name/],
    ['a secret that would change the URL', { secretName: '..' }, /not a valid secret name/],
    ['no credential', { credential: undefined }, /credential is missing/],
    ['a credential that is not valid', { credential: {} }, /credential is missing/],
  ])('throws a TypeError immediately for %s', (_, wrong, message) => {
    const right = {
      vaultUrl: 'https://my-vault.vault.azure.net',
      connection: 'crm',
      credential: tokenOf('reader'),
    };
    expect(() => createTokenReader(right)).not.toThrow();
    expect(() => createTokenReader({ ...right, ...wrong })).toThrow(TypeError);
    expect(() => createTokenReader({ ...right, ...wrong })).toThrow(message);
  });
});
