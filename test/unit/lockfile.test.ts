import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

type Lock = {
  packages: Record<string, { version?: string; resolved?: string; integrity?: string; link?: boolean }>;
};

const lock = JSON.parse(readFileSync(new URL('../../package-lock.json', import.meta.url), 'utf8')) as Lock;
const packages = Object.entries(lock.packages).filter(([path]) => path !== '');

test('the lockfile names a version and a hash for each package, of other platforms too', () => {
  const incomplete = packages.filter(([, { version, integrity }]) => !version || !integrity);
  expect(incomplete.map(([path]) => path)).toEqual([]);
});

test('the lockfile holds no download address', () => {
  expect(packages.filter(([, { resolved }]) => resolved !== undefined)).toEqual([]);
});
