import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { MODULES } from './bundlePackages.ts';

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
