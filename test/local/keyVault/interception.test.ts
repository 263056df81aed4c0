import { describe, expect, it } from 'vitest';
import type { InterceptHook } from '../../../local/keyVault/types.ts';
import { API, clientOf, put, send, startVault } from './support.ts';

const UNAVAILABLE = {
  status: 503,
  headers: { 'retry-after': '1' },
  body: { error: { code: 'Down', message: '-' } },
};

describe('interception', () => {
  it('shows each authenticated request to the hook and executes it', async () => {
    const vault = await startVault();
    const seen: Parameters<InterceptHook>[0][] = [];
    vault.intercept((request) => {
      seen.push(request);
      return undefined;
    });
    await clientOf(vault).setSecret('token', 'value');
    expect(seen).toEqual([
      {
        method: 'PUT',
        path: '/secrets/token',
        operation: 'setSecret',
        secretName: 'token',
        bearerIdentity: 'the officer',
      },
    ]);
    expect(vault.issuedValues()).toEqual(['value']);
  });

  it('responds without executing', async () => {
    const vault = await startVault();
    vault.intercept(() => ({ kind: 'answerInstead', answer: UNAVAILABLE }));
    await expect(clientOf(vault).setSecret('token', 'value')).rejects.toMatchObject({ statusCode: 503 });
    expect(vault.issuedValues()).toEqual([]);
    expect(vault.requests).toMatchObject([{ status: 503, executed: false }]);
  });

  it('sends a text unchanged', async () => {
    const vault = await startVault();
    const response = { status: 200, headers: { 'content-type': 'text/html' }, body: '"half' };
    vault.intercept(() => ({ kind: 'answerInstead', answer: response }));
    expect(await send(`${vault.url}/secrets?${API}`)).toMatchObject({ status: 200, text: '"half' });
  });

  it('cuts the connection before executing the request', async () => {
    const vault = await startVault();
    vault.intercept(() => ({ kind: 'destroyBefore' }));
    await expect(clientOf(vault).setSecret('token', 'value')).rejects.toMatchObject({
      code: 'ECONNRESET',
    });
    expect(vault.issuedValues()).toEqual([]);
    expect(vault.requests).toMatchObject([{ status: 0, executed: false }]);
  });

  it('executes a write and cuts the connection without a response', async () => {
    const vault = await startVault();
    vault.intercept(({ operation }) =>
      operation === 'setSecret' ? { kind: 'executeThenDestroy' } : undefined,
    );
    const client = clientOf(vault);
    await expect(client.setSecret('token', 'value')).rejects.toMatchObject({ code: 'ECONNRESET' });
    expect(vault.requests).toMatchObject([{ status: 0, executed: true }]);
    expect((await client.getSecret('token')).value).toBe('value');
  });

  it('executes and sends another response, fixed or made from the real one', async () => {
    const vault = await startVault();
    vault.intercept(() => ({ kind: 'executeThenAnswer', answer: UNAVAILABLE }));
    expect((await put(`${vault.url}/secrets/token?${API}`, { value: 'value' })).status).toBe(503);
    vault.intercept(() => ({
      kind: 'executeThenAnswer',
      answer: async (real) => ({ ...real, body: { ...(real.body as object), value: 'changed' } }),
    }));
    expect((await clientOf(vault).getSecret('token')).value).toBe('changed');
    expect(vault.issuedValues()).toEqual(['value']);
  });

  it('delays a request until the hook resolves; a later request overtakes it', async () => {
    const vault = await startVault();
    const arrived = Promise.withResolvers<void>();
    const gate = Promise.withResolvers<undefined>();
    let first = true;
    vault.intercept(() => {
      if (!first) return undefined;
      first = false;
      arrived.resolve();
      return gate.promise;
    });
    const late = put(`${vault.url}/secrets/token?${API}`, { value: 'late' });
    await arrived.promise;
    await put(`${vault.url}/secrets/token?${API}`, { value: 'early' });
    gate.resolve(undefined);
    await late;
    expect(vault.issuedValues()).toEqual(['early', 'late']);
    expect((await clientOf(vault).getSecret('token')).value).toBe('late');
  });

  it('executes a write whose sender gave up: a late write', async () => {
    const vault = await startVault();
    const arrived = Promise.withResolvers<void>();
    const gate = Promise.withResolvers<undefined>();
    const written = Promise.withResolvers<void>();
    vault.intercept(async () => {
      arrived.resolve();
      await gate.promise;
      return {
        kind: 'executeThenAnswer',
        answer: (real) => {
          written.resolve();
          return real;
        },
      };
    });
    const abort = new AbortController();
    const sent = clientOf(vault).setSecret('token', 'late', { abortSignal: abort.signal });
    await arrived.promise;
    abort.abort();
    await expect(sent).rejects.toMatchObject({ name: 'AbortError' });
    gate.resolve(undefined);
    await written.promise;
    expect(vault.issuedValues()).toEqual(['late']);
  });

  it('does not execute a request that a hook still holds when the vault closes', async () => {
    const vault = await startVault();
    const arrived = Promise.withResolvers<void>();
    const gate = Promise.withResolvers<undefined>();
    vault.intercept(() => {
      arrived.resolve();
      return gate.promise;
    });
    const sent = put(`${vault.url}/secrets/token?${API}`, { value: 'value' });
    const outcome = expect(sent).rejects.toMatchObject({ code: 'ECONNRESET' });
    await arrived.promise;
    await vault.close();
    await outcome;
    gate.resolve(undefined);
    await gate.promise;
    expect(vault.issuedValues()).toEqual([]);
  });

  it('responds with 500 if the hook fails, and lets the test remove the hook', async () => {
    const vault = await startVault();
    vault.intercept(() => {
      throw new Error('a mistake in a test');
    });
    expect((await send(`${vault.url}/secrets?${API}`)).status).toBe(500);
    vault.intercept(undefined);
    expect((await send(`${vault.url}/secrets?${API}`)).status).toBe(200);
  });

  it('does not show the challenge to the hook', async () => {
    const vault = await startVault();
    vault.intercept(() => ({ kind: 'destroyBefore' }));
    expect((await send(`${vault.url}/secrets?${API}`, { token: undefined })).status).toBe(401);
  });
});
