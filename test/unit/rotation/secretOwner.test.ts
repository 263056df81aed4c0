import { describe, expect, test } from 'vitest';
import { ownersOfSecret } from '../../../lib/rotation/secretOwner.ts';
import { CREDENTIAL_VAULT } from './world/connection.ts';
import { failure } from './world/fakeVault.ts';
import { due, REFRESH_TOKEN, seeded } from './world/scenario.ts';

const secret = (name: string, ...connections: string[]) => ({ vault: CREDENTIAL_VAULT, name, connections });

describe('a secret that two connections claim', () => {
  test('belongs to the connection in the tags that the rotator wrote', async () => {
    const { process } = await due();
    expect(await ownersOfSecret(secret(REFRESH_TOKEN, 'new', 'crm'), process.ports)).toEqual(['crm']);
  });

  test('still belongs to it after an operator has set a new value without tags', async () => {
    const { world, process } = await due();
    world.credentials.set(REFRESH_TOKEN, 'set by an operator');
    expect(await ownersOfSecret(secret(REFRESH_TOKEN, 'new', 'crm'), process.ports)).toEqual(['crm']);
  });

  test('belongs to the one that has been rotated if no version has tags, as with a client secret', async () => {
    const { process } = await due();
    expect(await ownersOfSecret(secret('crm-client-secret', 'new', 'crm'), process.ports)).toEqual(['crm']);
  });

  test('has an unknown owner before the first rotation', async () => {
    const { process } = seeded();
    expect(await ownersOfSecret(secret(REFRESH_TOKEN, 'new', 'crm'), process.ports)).toEqual([]);
  });

  test('does not belong to a connection that no longer names it', async () => {
    const { process } = await due();
    expect(await ownersOfSecret(secret(REFRESH_TOKEN, 'new', 'other'), process.ports)).toEqual([]);
  });

  test('does not belong to a connection whose name only an operator wrote into tags', async () => {
    const { world, process } = seeded();
    world.credentials.set('shared', 'x', { connection: 'new' });
    expect(await ownersOfSecret(secret('shared', 'new', 'crm'), process.ports)).toEqual([]);
  });

  test('is not guessed if the vault cannot be read', async () => {
    const { world, process } = await due();
    world.before(/^versions /, () => Promise.reject(failure('vault_unavailable')));
    await expect(ownersOfSecret(secret(REFRESH_TOKEN, 'new', 'crm'), process.ports)).rejects.toMatchObject({
      code: 'vault_unavailable',
    });
  });
});
