import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { measureSource } from '../../../scripts/house/sourceFile.ts';

const measured = (...lines: string[]) => measureSource('lib/rotation/core/x.ts', `${lines.join('\n')}\n`);
const functionOf = (name: string, ...lines: string[]) =>
  measured(...lines).functions.find((each) => each.name === name);

describe('a source file', () => {
  test('lists functions, arrow functions, methods and constructors with their lines and parameters', () => {
    const { functions, lines } = measured(
      'export function one(a: number, b = 2) {',
      '  return a + b;',
      '}',
      'const two = (...all: number[]) => all.map((each) => each);',
      'class Three {',
      '  constructor() {}',
      '  async #four(a: string): Promise<string> { return a; }',
      '}',
    );
    expect(lines).toBe(8);
    expect(
      functions.map(({ name, kind, isPrivate, lines, parameters }) => [
        name,
        kind,
        isPrivate,
        lines,
        parameters,
      ]),
    ).toEqual([
      ['one', 'function', false, 3, 2],
      ['two', 'function', true, 1, 1],
      ['constructor', 'constructor', false, 1, 0],
      ['#four', 'method', true, 1, 1],
    ]);
  });

  test.each([
    ['a call', ['function f() {}', 'f();'], true],
    ['two calls', ['function f() {}', 'f(); f();'], false],
    ['no call', ['function f() {}'], false],
    ['a use as a value', ['function f() {}', '[1].map(f);'], false],
    ['a call and a shorthand property', ['function f() {}', 'f(); const o = { f };'], false],
    ['a call, and a property of the same name', ['function f() {}', 'f(); o.f; const o = { f: 1 };'], true],
    [
      'a call, and a comment and a string of the same name',
      ['function f() {}', 'f(); // f()', "'f()';"],
      true,
    ],
  ])('%s: called once?', (_, lines, once) => {
    expect(functionOf('f', ...lines)?.calledOnce).toBe(once);
  });

  test('distinguishes a private method that is called once from one that is called twice', () => {
    const lines = ['class A { #f() {} #g() {}', 'h() { this.#f(); this.#g(); this.#g(); } }'];
    expect(functionOf('#f', ...lines)?.calledOnce).toBe(true);
    expect(functionOf('#g', ...lines)?.calledOnce).toBe(false);
  });

  test.each([
    ['function f(run: Run) {}', true],
    ["function f({ ports }: Pick<Run, 'ports'>) {}", true],
    ['function f(runner: Runner, Run: string) {}', false],
    ['class A { f(run: Run) {} }', false],
  ])('%s: a free function that takes the state of the rotation?', (line, takes) => {
    expect(functionOf('f', line)?.takesRotationState).toBe(takes);
  });

  test('lists the files that it imports, and which ones only for types', () => {
    const { imports } = measured(
      "import { a, type B } from '../a.ts';",
      "import type { C } from './c.ts';",
      "import { type D, type E } from '../../d.ts';",
      "import './e.ts';",
      "import * as z from 'zod';",
    );
    expect(imports).toEqual([
      { path: 'lib/rotation/a.ts', typeOnly: false },
      { path: 'lib/rotation/core/c.ts', typeOnly: true },
      { path: 'lib/d.ts', typeOnly: true },
      { path: 'lib/rotation/core/e.ts', typeOnly: false },
    ]);
  });

  test('lists its exception classes', () => {
    const { exceptions } = measured(
      'export class LeaseLost extends Error {}',
      'class Special extends RotatorError {}',
      'class Plain {}',
      'class Other extends Base {}',
    );
    expect(exceptions).toEqual(['LeaseLost', 'Special']);
  });

  test('lists a mutable record if a private field of that type is assigned outside the constructor', () => {
    const { mutableRecords } = measured(
      'class A {',
      '  #record: ConnectionRecord | undefined;',
      '  readonly #first: ConnectionRecord;',
      '  #count: number;',
      '  constructor(record: ConnectionRecord) { this.#first = record; this.#record = record; }',
      '  f(record: ConnectionRecord) { this.#record = record; this.#count = 1; }',
      '}',
      'class B { #record: ConnectionRecord; constructor(record: ConnectionRecord) { this.#record = record; } }',
    );
    expect(mutableRecords).toEqual(['A.#record']);
  });

  test('is refused if it is not valid', () => {
    expect(() => measured('function (')).toThrow('lib/rotation/core/x.ts is not valid TypeScript');
  });
});

test('npm run house measures the text, and one rotation that it runs', async () => {
  const cwd = fileURLToPath(new URL('../../../', import.meta.url));
  // Without the coverage of the test run, which counts in the same place.
  const env = { ...process.env, NODE_V8_COVERAGE: undefined };
  const { stdout } = await promisify(execFile)(process.execPath, ['scripts/house.ts'], { cwd, env });
  const figure = (name: string) => Number(new RegExp(`^ *${name} +(\\d+)`, 'm').exec(stdout)?.[1]);
  const executed = figure('files of which code runs in one rotation');
  expect(executed).toBeGreaterThan(5);
  expect(executed).toBeLessThanOrEqual(figure('files'));
  expect(figure('frames from the sweep to the first vault write')).toBeGreaterThan(2);
  expect(stdout).toContain('sweep.ts sweep\n');
});
