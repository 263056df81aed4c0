import { describe, expect, it } from 'vitest';
import { API, clientOf, collect, NEW_YEAR, put, send, startVault } from './support.ts';

describe('setting and reading secrets', () => {
  it('stores a value with its properties and gives it back', async () => {
    const vault = await startVault({ now: () => NEW_YEAR * 1000 + 999 });
    const client = clientOf(vault);
    const written = await client.setSecret('dynamics-access-token', 'value ü 🔑 "', {
      contentType: 'application/jwt',
      tags: { generation: '7', empty: '' },
      expiresOn: new Date('2026-02-01T00:00:00Z'),
      notBefore: new Date('2026-01-01T00:00:00Z'),
    });
    const read = await client.getSecret('dynamics-access-token');
    expect(read).toEqual(written);
    expect(read.value).toBe('value ü 🔑 "');
    expect(read.properties).toMatchObject({
      name: 'dynamics-access-token',
      vaultUrl: vault.tlsUrl,
      version: expect.stringMatching(/^[0-9a-f]{32}$/),
      contentType: 'application/jwt',
      tags: { generation: '7', empty: '' },
      enabled: true,
      createdOn: new Date(NEW_YEAR * 1000),
      updatedOn: new Date(NEW_YEAR * 1000),
      expiresOn: new Date('2026-02-01T00:00:00Z'),
      notBefore: new Date('2026-01-01T00:00:00Z'),
      recoveryLevel: 'Recoverable+Purgeable',
      recoverableDays: 90,
    });
  });

  it('ignores the case of names and keeps the case of the first use', async () => {
    const client = clientOf(await startVault());
    await client.setSecret('Mixed-Case', 'one');
    const second = await client.setSecret('mixed-CASE', 'two');
    expect(second.name).toBe('Mixed-Case');
    expect((await client.getSecret('MIXED-case')).value).toBe('two');
    expect((await collect(client.listPropertiesOfSecrets())).map(({ name }) => name)).toEqual(['Mixed-Case']);
  });

  it('remembers every value that was ever stored', async () => {
    const vault = await startVault();
    const client = clientOf(vault);
    await client.setSecret('token', 'one');
    await client.setSecret('token', 'two');
    await (await client.beginDeleteSecret('token')).pollUntilDone();
    await client.purgeDeletedSecret('token');
    expect(vault.issuedValues()).toEqual(['one', 'two']);
  });
});

describe('changing properties', () => {
  it('changes the latest version by default, and an older one by its id', async () => {
    const client = clientOf(await startVault());
    const first = (await client.setSecret('token', 'one')).properties.version ?? '';
    const second = (await client.setSecret('token', 'two')).properties.version ?? '';
    expect(await client.updateSecretProperties('token', '', { tags: { latest: 'yes' } })).toMatchObject({
      version: second,
    });
    await client.updateSecretProperties('token', first, { tags: { older: 'yes' } });
    const latest = await client.getSecret('token');
    expect(latest.properties).toMatchObject({ version: second, tags: { latest: 'yes' } });
    expect((await client.getSecret('token', { version: first })).properties.tags).toEqual({ older: 'yes' });
  });

  it('responds to an update without the value', async () => {
    const vault = await startVault();
    await put(`${vault.url}/secrets/token?${API}`, { value: 'hidden' });
    const response = await send(`${vault.url}/secrets/token?${API}`, { method: 'PATCH', body: '{}' });
    expect(response.status).toBe(200);
    expect(response.json).not.toHaveProperty('value');
  });
});

describe('listing', () => {
  it('pages secrets by 25 and shows no values', async () => {
    const vault = await startVault();
    const client = clientOf(vault);
    const names = Array.from({ length: 60 }, (_, index) => `secret-${String(index).padStart(2, '0')}`);
    for (const name of names) await client.setSecret(name, `value of ${name}`);
    const pages = await collect(client.listPropertiesOfSecrets().byPage());
    expect(pages.map((page) => page.length)).toEqual([25, 25, 10]);
    expect(pages.flat().map(({ name }) => name)).toEqual(names);
    const raw = await send(`${vault.url}/secrets?${API}`);
    expect(JSON.stringify(raw.json)).not.toContain('value of');
    expect(raw.json.value[0].id).toBe(`${vault.url}/secrets/secret-00`);
    expect(raw.json.nextLink).toMatch(
      /^http:.*\/secrets\?api-version=7\.6&\$skiptoken=[\w-]+&maxresults=25$/,
    );
  });

  it('applies maxresults to all pages', async () => {
    const vault = await startVault();
    for (const name of ['a', 'b', 'c']) await put(`${vault.url}/secrets/${name}?${API}`, { value: name });
    const first = await send(`${vault.url}/secrets?${API}&maxresults=2`);
    expect(first.json.value).toHaveLength(2);
    const second = await send(first.json.nextLink);
    expect(second.json.value).toHaveLength(1);
    expect(second.json.nextLink).toBeNull();
  });

  it('shows the properties of the latest version', async () => {
    const client = clientOf(await startVault());
    await client.setSecret('token', 'one', { tags: { step: 'first' } });
    await client.setSecret('token', 'two', { tags: { step: 'second' }, contentType: 'x' });
    const [properties] = await collect(client.listPropertiesOfSecrets());
    expect(properties).toMatchObject({ tags: { step: 'second' }, contentType: 'x' });
    expect(properties?.version).toBeUndefined();
  });
});
