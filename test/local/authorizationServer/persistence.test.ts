import { mkdir, readdir, readFile, rename, rmdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  localClient,
  manualClock,
  postRefresh,
  refresh,
  resourceStatus,
  startForTest,
  temporaryDirectory,
} from './support.ts';

async function temporaryDataFile(): Promise<string> {
  return join(await temporaryDirectory(), 'made-on-demand', 'state.json');
}

describe('a restart with the same data file', () => {
  it('keeps the tokens, grants and keys', async () => {
    const dataFile = await temporaryDataFile();
    const before = await startForTest({ dataFile });
    const rotated = await refresh(before, await before.seedRefreshToken('app'));
    const keys = await (await fetch(`${before.issuer}/jwks`)).json();
    await before.close();

    const after = await startForTest({ dataFile });
    expect(await (await fetch(`${after.issuer}/jwks`)).json()).toEqual(keys);
    expect(await resourceStatus(after, rotated.body.access_token)).toBe(200);
    expect((await refresh(after, rotated.body.refresh_token)).status).toBe(200);
  });

  it('remembers a used token, and the values issued before', async () => {
    const dataFile = await temporaryDataFile();
    const before = await startForTest({ dataFile });
    const seed = await before.seedRefreshToken('app');
    const rotated = await refresh(before, seed);
    await before.close();

    const after = await startForTest({ dataFile });
    expect(after.issuedValues()).toEqual(
      expect.arrayContaining([seed, rotated.body.refresh_token, rotated.body.access_token]),
    );
    expect((await refresh(after, seed)).status).toBe(400);
    expect(await resourceStatus(after, rotated.body.access_token)).toBe(401);
  });

  it('continues a grace period that began before the restart', async () => {
    const client = localClient({ rotation: 'grace', graceSeconds: 30 });
    const clock = manualClock();
    const options = { dataFile: await temporaryDataFile(), clients: [client], now: clock.now };
    const before = await startForTest(options);
    const seed = await before.seedRefreshToken('app');
    await refresh(before, seed, client);
    await before.close();

    const after = await startForTest(options);
    clock.advance(29);
    expect((await refresh(after, seed, client)).status).toBe(200);
    clock.advance(1);
    expect((await refresh(after, seed, client)).status).toBe(400);
  });

  it('forgets everything if there is no data file', async () => {
    const before = await startForTest();
    const seed = await before.seedRefreshToken('app');
    await before.close();
    expect((await refresh(await startForTest(), seed)).status).toBe(400);
  });
});

describe('the data file', () => {
  it('contains a rotation before the client gets its response, so that a killed server loses none', async () => {
    const dataFile = await temporaryDataFile();
    const server = await startForTest({ dataFile });
    const seed = await server.seedRefreshToken('app');
    expect(await readFile(dataFile, 'utf8')).toContain(seed);
    const response = await refresh(server, seed);
    expect(await readFile(dataFile, 'utf8')).toContain(response.body.refresh_token);
  });

  it('is readable by its owner only and leaves no temporary file', async () => {
    const dataFile = await temporaryDataFile();
    const server = await startForTest({ dataFile });
    await Promise.all(Array.from({ length: 20 }, () => server.seedRefreshToken('app')));
    expect((await stat(dataFile)).mode & 0o777).toBe(0o600);
    expect(await readdir(join(dataFile, '..'))).toEqual(['state.json']);
  });

  it.each(['', '{"format":1,"keys"', '{"format":99}', 'null'])(
    'is refused, without a quotation, if it contains no state: %j',
    async (text) => {
      const dataFile = join(await temporaryDirectory(), 'state.json');
      await writeFile(dataFile, text);
      await expect(startForTest({ dataFile })).rejects.toThrow(
        `${dataFile} does not contain the state of the authorization server. Delete the file to start again.`,
      );
    },
  );

  it('turns the response into a 500 if it cannot be written: a restart would forget the token', async () => {
    const dataFile = await temporaryDataFile();
    const errors: Error[] = [];
    const server = await startForTest({ dataFile, onError: (error) => errors.push(error) });
    const seed = await server.seedRefreshToken('app');
    await rename(dataFile, `${dataFile}.kept`);
    await mkdir(dataFile);
    const response = await postRefresh(server, seed);
    expect([response.status, await response.text()]).toEqual([500, 'Internal Server Error']);
    expect(server.tokenRequests).toMatchObject([{ status: 500, executed: true }]);
    expect(errors.map(({ message }) => message)).toEqual([expect.stringContaining('EISDIR')]);
    expect((await readdir(join(dataFile, '..'))).toSorted()).toEqual(['state.json', 'state.json.kept']);
    await rmdir(dataFile);
    await rename(`${dataFile}.kept`, dataFile);
    await server.close();
    expect((await refresh(await startForTest({ dataFile }), seed)).status).toBe(400);
  });

  it('fails the start if it cannot be read', async () => {
    await expect(startForTest({ dataFile: await temporaryDirectory() })).rejects.toThrow(
      'it is not a regular file',
    );
  });
});
