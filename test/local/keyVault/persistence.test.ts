import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { API, clientOf, collect, put, startVault } from './support.ts';

async function temporaryDirectory(): Promise<string> {
  const directory = await mkdtemp(path.join(tmpdir(), 'key-vault-'));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  return directory;
}

describe('the data file', () => {
  it('restores everything after a restart', async () => {
    const dataFile = path.join(await temporaryDirectory(), 'deeper', 'vault.json');
    const before = await startVault({ dataFile });
    const writer = clientOf(before);
    const first = await writer.setSecret('Token', 'one', { tags: { generation: '1' }, contentType: 'x' });
    await writer.setSecret('Token', 'two', { enabled: true, expiresOn: new Date('2026-05-01T00:00:00Z') });
    await writer.setSecret('deleted', 'three');
    await (await writer.beginDeleteSecret('deleted')).pollUntilDone();
    await before.close();

    const after = await startVault({ dataFile });
    const reader = clientOf(after);
    const { version = '' } = first.properties;
    expect((await reader.getSecret('token')).value).toBe('two');
    const old = await reader.getSecret('token', { version });
    expect(old).toMatchObject({ value: 'one', properties: { tags: { generation: '1' }, contentType: 'x' } });
    expect(old.properties.createdOn).toEqual(first.properties.createdOn);
    expect((await reader.getSecret('token')).properties.expiresOn).toEqual(new Date('2026-05-01T00:00:00Z'));
    expect(await collect(reader.listDeletedSecrets())).toMatchObject([{ name: 'deleted' }]);
    expect(after.issuedValues()).toEqual(['one', 'two', 'three']);
  });

  it('contains each change before the response, is readable by its owner only, and leaves no other file', async () => {
    const directory = await temporaryDirectory();
    const dataFile = path.join(directory, 'vault.json');
    const vault = await startVault({ dataFile });
    const responses = await Promise.all(
      ['a', 'b', 'c', 'd', 'e'].map((name) => put(`${vault.url}/secrets/${name}?${API}`, { value: name })),
    );
    expect(responses.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200]);
    const { secrets } = JSON.parse(await readFile(dataFile, 'utf8'));
    expect(secrets.map(({ name }: { name: string }) => name).toSorted()).toEqual(['a', 'b', 'c', 'd', 'e']);
    expect((await stat(dataFile)).mode & 0o777).toBe(0o600);
    expect(await readdir(directory)).toEqual(['vault.json']);
  });

  it('is not written for a request that changes nothing', async () => {
    const dataFile = path.join(await temporaryDirectory(), 'vault.json');
    const vault = await startVault({ dataFile });
    await put(`${vault.url}/secrets/token?${API}`, { value: 7 });
    await collect(clientOf(vault).listPropertiesOfSecrets());
    await expect(stat(dataFile)).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it.each([
    ['half a file', '{"format":1,"secrets":[{"name":"canary'],
    ['another format', '{"format":2,"secrets":[]}'],
    ['a secret without versions', '{"format":1,"secrets":[{"name":"canary","versions":[]}]}'],
  ])('stays unchanged if it is not valid: %s', async (_, text) => {
    const dataFile = path.join(await temporaryDirectory(), 'vault.json');
    await writeFile(dataFile, text);
    const refusal = await startVault({ dataFile }).catch((error: Error) => error.message);
    expect(refusal).toContain(dataFile);
    expect(refusal).not.toContain('canary');
    expect(await readFile(dataFile, 'utf8')).toBe(text);
  });

  it('causes a 500 if it cannot be written', async () => {
    const directory = await temporaryDirectory();
    const vault = await startVault({ dataFile: path.join(directory, 'file', 'vault.json') });
    await writeFile(path.join(directory, 'file'), 'not a directory');
    const response = await put(`${vault.url}/secrets/token?${API}`, { value: 'value' });
    expect(response).toMatchObject({ status: 500, json: { error: { code: 'InternalServerError' } } });
  });
});
