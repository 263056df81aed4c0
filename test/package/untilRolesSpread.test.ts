import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { notSpread, untilRolesSpread } from '../../scripts/deploy/untilRolesSpread.ts';
import { ROOT, runNode } from './support.ts';

/** Fails so many times for this reason, then succeeds. */
async function retried(failures: number) {
  const lines: string[] = [];
  let waited = 0;
  let runs = 0;
  const ports = { wait: async (ms: number) => (waited += ms), say: (line: string) => lines.push(line) };
  const why = await untilRolesSpread(ports, async () =>
    ++runs > failures ? undefined : 'Azure does not know it yet',
  );
  return { why, lines, runs, minutes: waited / 60_000 };
}

test('runs a command again until roles have spread, with a line that says why', async () => {
  expect(await retried(2)).toEqual({
    why: undefined,
    lines: [
      'Waiting a minute (1 of 30), because Azure does not know it yet.',
      'Waiting a minute (2 of 30), because Azure does not know it yet.',
    ],
    runs: 3,
    minutes: 2,
  });
});

test('gives up after 30 minutes', async () => {
  expect(await retried(Number.POSITIVE_INFINITY)).toMatchObject({
    why: 'Azure does not know it yet',
    runs: 31,
    minutes: 30,
  });
});

describe('knows from the output of a failed command that a role has not spread', () => {
  test.each([
    [
      'InaccessibleStorageException: Failed to access storage account for deployment: BlobUploadFailedException: Response status code does not indicate success: 403 (This request is not authorized to perform this operation using this permission.)',
      'role of the app',
    ],
    ['Deployment failed with InaccessibleStorageException', 'role of the app'],
    ['{"code":"RoleDefinitionDoesNotExist","message":"The specified role definition ..."}', 'custom role'],
    ['PrincipalNotFound: Principal 10000000 does not exist in the directory', 'new identity'],
    ['ErrorCode:AuthorizationPermissionMismatch', 'role of the app'],
    [
      '403: This request is not authorized to perform this operation using this permission.',
      'role of the app',
    ],
    ["The specified role definition with ID '5000' does not exist.", 'custom role'],
  ])('%s', (output, meaning) => expect(notSpread(output)).toContain(meaning));

  test.each([
    'InaccessibleStorageException: Response status code does not indicate success: 403 (This request is not authorized to perform this operation.)',
    'AuthorizationFailed: the client does not have authorization to perform action',
    'The following site configuration property (Site.SiteConfig.FtpsState) for Flex Consumption sites is invalid.',
    '',
  ])('and of nothing else: %s', (output) => expect(notSpread(output)).toBeUndefined());
});

describe('the command of the workflow', () => {
  const run = (program: string) =>
    runNode(['scripts/deployRetrying.ts', process.execPath, '--eval', program], process.cwd());

  test('prints what the command prints', async () => {
    expect(await run('console.log("done")')).toMatchObject({
      code: 0,
      out: expect.stringMatching(/^done$/m),
    });
  });

  test('runs it again a minute after a failure because of a role', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'retried-'));
    const marker = join(folder, 'failed-once');
    // The script's minutes pass immediately, and say how long they are.
    const clock = `import timers from 'node:timers/promises'; import { syncBuiltinESMExports } from 'node:module';
      timers.setTimeout = async (ms) => console.error('waited', ms); syncBuiltinESMExports();`;
    const program = `const { existsSync, writeFileSync } = require('node:fs'); const marker = ${JSON.stringify(marker)};
      if (existsSync(marker)) console.log('deployed');
      else { writeFileSync(marker, ''); console.log('half done'); console.error('PrincipalNotFound'); process.exitCode = 3 }`;
    const args = ['scripts/deployRetrying.ts', process.execPath, '--eval', program];
    const result = await runNode(
      ['--import', `data:text/javascript,${encodeURIComponent(clock)}`, ...args],
      ROOT,
    );
    await rm(folder, { recursive: true });
    expect(result).toEqual({
      code: 0,
      out: 'deployed\n',
      err: expect.stringMatching(/PrincipalNotFound\nWaiting a minute \(1 of 30\), .*\nwaited 60000\n$/),
    });
  });

  test('ends with its exit code after a failure that no wait cures', async () => {
    expect(await run('console.error("QuotaExceeded"); process.exitCode = 3')).toMatchObject({
      code: 3,
      err: expect.stringContaining('QuotaExceeded'),
    });
  });

  test('fails if the command does not exist', async () => {
    const result = await runNode(['scripts/deployRetrying.ts', 'no-such-command'], process.cwd());
    expect(result).toMatchObject({ code: 1, err: expect.stringContaining('ENOENT') });
  });
});
