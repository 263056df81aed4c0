import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { BicepResults } from './support/bicepResults.ts';

let root: string;
let asked: number;
const ask = async () => ({ answer: ++asked });

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'results-'));
  asked = 0;
  mkdirSync(join(root, 'infra'));
  // The name of the folder makes the content new in each test.
  writeFileSync(join(root, 'infra', 'main.bicep'), `${root} readEnvironmentVariable('READ', '')`);
});

afterEach(() => rmSync(root, { recursive: true }));

const get = (call = 'compile', bicep = 'bicep', env = {}) =>
  new BicepResults(bicep, { ...env }).get(root, call, ask);
const changed = (file: string) => {
  writeFileSync(join(root, 'infra', file), `other ${root}`);
  return get();
};

test('the compiler is asked once for the same files', async () => {
  expect(await get()).toEqual({ answer: 1 });
  expect(await get('compile', 'bicep', { OTHER: 'x' })).toEqual({ answer: 1 });
});

test.each([
  ['another call', () => get('format')],
  ['another version of Bicep', () => get('compile', 'newer')],
  ['another value of a variable that a file reads', () => get('compile', 'bicep', { READ: 'x' })],
  ['a changed file', () => changed('main.bicep')],
  ['a new file', () => changed('new.bicep')],
])('the compiler is asked again for %s', async (_, change) => {
  await get();
  expect(await change()).toEqual({ answer: 2 });
  expect(asked).toBe(2);
});

test('a compiler that ends is asked again', async () => {
  const crash = () => Promise.reject(new Error('ended'));
  await expect(new BicepResults('bicep', {}).get(root, 'compile', crash)).rejects.toThrow('ended');
  expect(await get()).toEqual({ answer: 1 });
});
