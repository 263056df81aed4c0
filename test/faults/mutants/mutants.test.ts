import { readFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { isKilled, judge } from './judge.ts';
import { MUTANTS, type Mutant, mutated } from './mutants.ts';
import { ROOT } from './workshop.ts';

const textOf = ({ file }: Mutant) => readFileSync(join(ROOT, file), 'utf8');
const NO_HISTORIES = 0;

function named(text: string): Mutant {
  const found = MUTANTS.find(({ name }) => name === text);
  if (!found) throw new Error(`MUTANTS does not contain "${text}".`);
  return found;
}

describe('a mutant', () => {
  test.each(MUTANTS)('"$name" fits its file exactly once and changes it', (mutant) => {
    const text = textOf(mutant);
    expect(mutated(text, mutant)).not.toBe(text);
    // A program that cannot be read fails every test, which proves nothing.
    expect(() => stripTypeScriptTypes(mutated(text, mutant))).not.toThrow();
  });

  test('has a unique name', () => {
    expect(new Set(MUTANTS.map(({ name }) => name)).size).toBe(MUTANTS.length);
  });

  const mutant = { name: 'm', file: 'f', find: 'guard', replace: '' };
  test.each(['', 'nothing here', 'guard, guard'])('is refused if the text of its file is "%s"', (text) => {
    expect(() => mutated(text, mutant)).toThrow('must fit f exactly once');
  });
});

/** Each of these tests starts a test run: two seconds on an idle machine, and many on a busy one. */
const PATIENCE = { timeout: 120_000 };

describe('the tests', PATIENCE, () => {
  test.each([
    ['lease: one that another process holds counts as ours', 'test/unit/rotation/rotateLease.test.ts'],
    ['save first: published before the refresh token is saved', 'test/unit/rotation/rotateSave.test.ts'],
    ['outcome_unknown: no wait before the replay', 'test/unit/rotation/rotateCrash.test.ts'],
  ])('kill "%s"', async (name, file) => {
    const { failed } = await judge(named(name), NO_HISTORIES, [file]);
    expect(failed).toEqual(expect.stringContaining(`${file}: `));
  });

  test('do not kill a mutant that changes nothing', async () => {
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

  test('do not count as proof if they cannot run', async () => {
    const broken = {
      name: 'broken',
      file: 'lib/rotation/core/decide.ts',
      find: 'export function decide(',
      replace: '(',
    };
    const verdict = await judge(broken, NO_HISTORIES, ['test/unit/rotation/decide.test.ts']);
    expect(verdict.problem).toContain('The test run failed although no test failed.');
    expect(isKilled(verdict)).toBe(false);
  });
});
