import { describe, expect, it } from 'vitest';
import { API, clientOf, NEW_YEAR, put, startVault } from './support.ts';

describe('throttling', () => {
  it('limits the new versions in ten seconds and says when to retry', async () => {
    let now = NEW_YEAR * 1000;
    const vault = await startVault({ now: () => now, limits: { newVersionsPer10Seconds: 2 } });
    const client = clientOf(vault);
    await client.setSecret('token', 'one');
    now += 3500;
    await client.setSecret('token', 'two');
    await expect(client.setSecret('token', 'three')).rejects.toMatchObject({
      statusCode: 429,
      code: 'Throttled',
    });
    const raw = await put(`${vault.url}/secrets/other?${API}`, { value: 'four' });
    expect(raw.headers['retry-after']).toBe('7');
    expect((await client.getSecret('token')).value).toBe('two');
    await client.updateSecretProperties('token', '', { tags: { a: 'b' } });

    now += 6500;
    await client.setSecret('token', 'five');
    await expect(client.setSecret('token', 'six')).rejects.toMatchObject({ statusCode: 429 });
    expect(vault.issuedValues()).toEqual(['one', 'two', 'five']);
  });

  it('has no limit by default', async () => {
    const vault = await startVault({ now: () => NEW_YEAR * 1000 });
    const client = clientOf(vault);
    for (let index = 0; index < 400; index += 1) await client.setSecret('token', String(index));
    expect(vault.issuedValues()).toHaveLength(400);
  });
});
