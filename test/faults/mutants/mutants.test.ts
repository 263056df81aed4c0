import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { isKilled, judge } from './judge.ts';
import { MUTANTS, type Mutant, mutated } from './mutants.ts';
import { ROOT } from './workshop.ts';

const textOf = ({ file }: Mutant) => readFileSync(join(ROOT, file), 'utf8');
const NO_HISTORIES = 0;

function named(text: string): Mutant {
  const found = MUTANTS.find(({ name }) => name === text);
  if (!found) throw new Error(`There is no mutant "${text}".`);
  return found;
}

describe('a mutant', () => {
  test.each(MUTANTS)('"$name" fits its file exactly once, and changes it', (mutant) => {
    const text = textOf(mutant);
    expect(mutated(text, mutant)).not.toBe(text);
  });

  test('has a name of its own', () => {
    expect(new Set(MUTANTS.map(({ name }) => name)).size).toBe(MUTANTS.length);
  });

  const mutant = { name: 'm', file: 'f', find: 'guard', replace: '' };
  test.each(['', 'nothing here', 'guard, guard'])('that fits "%s" is refused', (text) => {
    expect(() => mutated(text, mutant)).toThrow('must fit f exactly once');
  });
});

/** Each runs a test run of its own: two seconds on a machine that is free, and many where it is not. */
const PATIENCE = { timeout: 120_000 };

describe('the tests', PATIENCE, () => {
  test.each([
    ['lease: one that is taken counts as ours', 'test/unit/rotation/rotateLease.test.ts'],
    ['save first: published before the refresh token is saved', 'test/unit/rotation/rotateSave.test.ts'],
    ['no wait for an unknown outcome', 'test/unit/rotation/rotateCrash.test.ts'],
  ])('kill "%s"', async (name, file) => {
    const { failed } = await judge(named(name), NO_HISTORIES, [file]);
    expect(failed).toEqual(expect.stringContaining(`${file}: `));
  });

  test('spare a mutant that changes nothing', async () => {
    const harmless = {
      name: 'harmless',
      file: 'lib/rotation/core/decide.ts',
      find: 'if (decision) return',
      replace: 'if (decision !== undefined) return',
    };
    const verdict = await judge(harmless, 1, ['test/unit/rotation/decide.test.ts']);
    expect(verdict).toMatchObject({ failed: undefined, history: undefined, problem: undefined });
    expect(isKilled(verdict)).toBe(false);
  });

  test('do not count as a proof where they cannot be run', async () => {
    const broken = {
      name: 'broken',
      file: 'lib/rotation/core/decide.ts',
      find: 'export function decide(',
      replace: '(',
    };
    const verdict = await judge(broken, NO_HISTORIES, ['test/unit/rotation/decide.test.ts']);
    expect(verdict.problem).toContain('No test failed, and yet the run did.');
    expect(isKilled(verdict)).toBe(false);
  });
});
