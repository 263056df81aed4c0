import { execFile } from 'node:child_process';
import { resolve } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { MODULES } from './bundlePackages.ts';
import { PROGRAMS } from './bundlePrograms.ts';

const NAMES = JSON.stringify(Object.values(MODULES));
const CODE = `for (const name of ${NAMES}) console.log(import.meta.resolve(name), ...Object.keys(await import(name)))`;

/** The address of each module and the names that it exports. */
async function exported(options: string | undefined): Promise<[string | undefined, string[]][]> {
  const env = { ...process.env, NODE_OPTIONS: options };
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', CODE], {
    env,
  });
  return stdout
    .trim()
    .split('\n')
    .map((line) => line.split(' '))
    .map(([url, ...names]) => [url, names]);
}

test('every process of the tests loads the bundles, which export the same as the packages', async () => {
  const [bundles, packages] = await Promise.all([exported(process.env.NODE_OPTIONS), exported(undefined)]);
  for (const [url] of bundles) expect(url).toContain('/node_modules/.cache/packages-');
  for (const [url] of packages) expect(url).not.toContain('/.cache/');
  expect(bundles.map(([, names]) => names)).toEqual(packages.map(([, names]) => names));
});

const { rotator, start, functionHost } = PROGRAMS;

/** Everything that a program prints which ends because of its arguments or settings. */
async function printed(command: readonly string[], options: string | undefined): Promise<string> {
  const env = { NODE_OPTIONS: options, NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE };
  return new Promise((done) => {
    execFile(process.execPath, command, { env }, (_, stdout, stderr) => done(stdout + stderr));
  });
}

test.each([
  [[rotator, 'status'], 'CREDENTIAL_VAULT_URL is not set'],
  [[start, '--nonsense'], 'Usage: npm start'],
  [[functionHost], 'the setting ROTATION_SCHEDULE is missing'],
])('%j prints the same with the bundles as from its sources', async (command, text) => {
  const [bundled, plain] = await Promise.all([
    printed(command, process.env.NODE_OPTIONS),
    printed(command, undefined),
  ]);
  expect(plain).toContain(text);
  expect(bundled).toBe(plain);
});

test.each(Object.values(PROGRAMS))('%s is loaded as a bundle', async (path) => {
  const code = `console.log(import.meta.resolve(${JSON.stringify(resolve(path))}))`;
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', code]);
  expect(stdout).toContain('/node_modules/.cache/programs-');
});
