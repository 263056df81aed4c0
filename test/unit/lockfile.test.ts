import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

type Lock = {
  packages: Record<
    string,
    {
      version?: string;
      resolved?: string;
      integrity?: string;
      optionalDependencies?: Record<string, string>;
    }
  >;
};

const lock = JSON.parse(readFileSync(new URL('../../package-lock.json', import.meta.url), 'utf8')) as Lock;
const packages = Object.entries(lock.packages).filter(([path]) => path !== '');

test('the lockfile names a version for each package, and each optional package of another platform', () => {
  const wanted = packages.flatMap(([, { optionalDependencies = {} }]) => Object.keys(optionalDependencies));
  const locked = new Set(
    packages.filter(([, { version }]) => version).map(([path]) => path.split('node_modules/').at(-1)),
  );
  expect(packages.filter(([, { version }]) => !version)).toEqual([]);
  expect(wanted.filter((name) => !locked.has(name))).toEqual([]);
});

test('the lockfile contains the SHA-512 hash of each package', () => {
  const unverified = packages.filter(([, { integrity }]) => !/^sha512-[\w+/]{86}==$/.test(integrity ?? ''));
  expect(unverified.map(([path]) => path)).toEqual([]);
});

test('the lockfile contains no download address', () => {
  expect(packages.filter(([, { resolved }]) => resolved !== undefined)).toEqual([]);
});
