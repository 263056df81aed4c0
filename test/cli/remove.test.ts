import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Desk, documentOf, STRICT, startDesk } from './support.ts';

let desk: Desk;

beforeAll(async () => {
  desk = await startDesk(
    [STRICT, { ...STRICT, name: 'second' }, { ...STRICT, name: 'third' }],
    undefined,
    3600,
  );
  expect((await desk.rotator(['rotate', '--due']).ended).code).toBe(0);
});

afterAll(() => desk?.close());

const removalsIn = (stdout: string) => (JSON.parse(stdout) as { removals: unknown }).removals;

describe('rotator remove', { timeout: 120_000 }, () => {
  test.each([[[]], [['strict', '--all']], [['--all', '--provider', 'generic']]])(
    'refuses %j',
    async (args) => {
      expect(await desk.rotator(['remove', ...args, '--yes']).ended).toMatchObject({ code: 2, stdout: '' });
    },
  );

  test('without a terminal changes nothing until it is confirmed', async () => {
    const asked = await desk.rotator(['remove', 'strict']).ended;
    expect(asked.code).toBe(2);
    expect(asked.stderr).toContain('Consumers get no more tokens');
    expect(asked.stderr).toContain('disables its refresh token,');
    expect(asked.stderr).toContain('--yes');
    expect(await desk.secret('credentialVault', 'strict-refresh-token')).toBeDefined();
  });

  test('says that there is no such connection', async () => {
    const ended = await desk.rotator(['remove', '--provider', 'okta', '--yes']).ended;
    expect(ended).toMatchObject({ code: 3, stdout: '' });
    expect(ended.stderr).toContain('connection_unknown: No valid connection has that provider.');
    expect(ended.stderr).toContain('as the entries of the connections do (generic),');
    expect((await desk.rotator(['remove', 'nix', '--yes']).ended).code).toBe(3);
  });

  test('revokes, disables and names who must sign in again; then status, rotate and connect agree', async () => {
    const ended = await desk.rotator(['remove', 'strict', '--revoke', '--yes', '--json']).ended;
    expect(ended, ended.stderr).toMatchObject({ code: 0 });
    expect(removalsIn(ended.stdout)).toEqual([
      {
        connection: 'strict',
        provider: 'generic',
        revoked: true,
        disabled: 3,
        accessTokenExpires: expect.any(String),
        problems: [],
      },
    ]);
    expect(await desk.secret('credentialVault', 'strict-refresh-token')).toBeUndefined();
    expect(await desk.secret('tokenVault', 'strict-access-token')).toBeUndefined();
    const again = await desk.rotator(['remove', 'strict', '--yes']).ended;
    expect(again.stdout).toMatch(/strict +generic +removed +yes +0 +20[-\d]+T[:\d]{8}Z\n/);
    expect(again.stdout).toContain('  rotator connect strict\n');
    expect(again.stdout).not.toContain('--revoke');
    const status = await desk.rotator(['status']).ended;
    expect(status.code).toBe(4);
    expect(status.stdout).toContain('strict: connection_removed: rotator remove paused strict');
    const rotated = await desk.rotator(['rotate', 'strict', '--force', '--json']).ended;
    expect(rotated.code).toBe(4);
    expect(documentOf(rotated)).toMatchObject({ result: 'blocked' });
    const said = await desk.rotator(['rotate', 'strict']).ended;
    expect(said.stdout).toMatch(/^strict was removed: nothing was sent\.\nconnection_removed: /);
    expect(said.stdout).not.toMatch(/--force|Next attempt/);
    const history = await desk.rotator(['history', 'strict']).ended;
    expect(history.stdout).toContain('blocked  connection_removed');
  });

  test('names the functions if the connections file cannot be read, because they have the last valid one', async () => {
    const broken = join(desk.stack.data.path, 'broken.json');
    await writeFile(broken, '{');
    for (const args of [
      ['remove', 'second', '--yes'],
      ['remove', '--all', '--yes'],
      ['rotate', '--due'],
    ]) {
      const ended = await desk.rotator([...args, '--connections', broken]).ended;
      expect(ended.code).toBe(3);
      expect(ended.stderr.replace(/\s+/g, ' ')).toContain(
        `Or add --via ${desk.stack.host.url}: the functions`,
      );
    }
  });

  test('works through the functions, for an operator without the rights', async () => {
    const via = ['--via', desk.stack.host.url];
    const ended = await desk.rotator(['remove', '--all', '--revoke', '--yes', '--json', ...via]).ended;
    expect(ended, ended.stderr).toMatchObject({ code: 0 });
    expect(removalsIn(ended.stdout)).toMatchObject([
      { connection: 'strict', revoked: true, disabled: 0 },
      { connection: 'second', revoked: true, disabled: 3 },
      { connection: 'third', revoked: true, disabled: 3 },
    ]);
    const unknown = await desk.rotator(['remove', 'nix', '--yes', ...via]).ended;
    expect(unknown.code).toBe(3);
    expect(unknown.stderr).toContain('connection_unknown');
  });
});
