import { describe, expect, it } from 'vitest';
import { API, clientOf, collect, NEW_YEAR, put, send, startVault } from './support.ts';

async function vaultWithDeletedSecret() {
  const vault = await startVault({ now: () => NEW_YEAR * 1000 });
  const client = clientOf(vault);
  await client.setSecret('Gone', 'one');
  await client.setSecret('Gone', 'two');
  const poller = await client.beginDeleteSecret('gone');
  return { vault, client, deleted: await poller.pollUntilDone() };
}

describe('soft delete', () => {
  it('hides a deleted secret and lists it with the deleted ones', async () => {
    const { vault, client, deleted } = await vaultWithDeletedSecret();
    expect(deleted.properties).toMatchObject({
      name: 'Gone',
      recoveryId: `${vault.tlsUrl}/deletedsecrets/Gone`,
      deletedOn: new Date('2026-01-01T00:00:00Z'),
      scheduledPurgeDate: new Date('2026-04-01T00:00:00Z'),
    });
    await expect(client.getSecret('gone')).rejects.toMatchObject({ statusCode: 404 });
    expect(await collect(client.listPropertiesOfSecrets())).toEqual([]);
    expect(await collect(client.listPropertiesOfSecretVersions('gone'))).toEqual([]);
    expect(await collect(client.listDeletedSecrets())).toMatchObject([{ name: 'Gone' }]);
    expect((await client.getDeletedSecret('GONE')).value).toBeUndefined();
  });

  it('refuses to update or to delete a deleted secret', async () => {
    const { client } = await vaultWithDeletedSecret();
    await expect(client.updateSecretProperties('gone', '', {})).rejects.toMatchObject({ statusCode: 404 });
    await expect(client.beginDeleteSecret('gone')).rejects.toMatchObject({ statusCode: 404 });
  });

  it('recovers a secret with all its versions', async () => {
    const { client } = await vaultWithDeletedSecret();
    const poller = await client.beginRecoverDeletedSecret('gone');
    expect(await poller.pollUntilDone()).toMatchObject({ name: 'Gone' });
    expect((await client.getSecret('gone')).value).toBe('two');
    expect(await collect(client.listPropertiesOfSecretVersions('gone'))).toHaveLength(2);
    expect(await collect(client.listDeletedSecrets())).toEqual([]);
  });

  it('purges permanently and frees the name', async () => {
    const { vault, client } = await vaultWithDeletedSecret();
    await client.purgeDeletedSecret('gone');
    await expect(client.getDeletedSecret('gone')).rejects.toMatchObject({ statusCode: 404 });
    expect(vault.requests.findLast(({ operation }) => operation === 'purge')?.status).toBe(204);
    expect((await client.setSecret('GONE', 'new')).name).toBe('GONE');
    expect(await collect(client.listPropertiesOfSecretVersions('gone'))).toHaveLength(1);
  });

  it.each([
    ['GET', 'deletedsecrets/alive'],
    ['DELETE', 'deletedsecrets/alive'],
    ['POST', 'deletedsecrets/alive/recover'],
    ['DELETE', 'secrets/nothing'],
  ])('responds with 404 to %s /%s', async (method, path) => {
    const vault = await startVault();
    await put(`${vault.url}/secrets/alive?${API}`, { value: 'value' });
    expect((await send(`${vault.url}/${path}?${API}`, { method })).status).toBe(404);
  });

  it('does not delete a single version', async () => {
    const vault = await startVault();
    const { json } = await put(`${vault.url}/secrets/token?${API}`, { value: 'value' });
    const response = await send(`${json.id}?${API}`, { method: 'DELETE' });
    expect(response.status).toBe(405);
    expect(response.headers.allow).toBe('GET, PATCH');
  });
});
