import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { EXIT } from '../../cli/exitCodes.ts';
import { createProgram } from '../../cli/program.ts';

const TEXT = readFileSync(new URL('../../docs/cli.md', import.meta.url), 'utf8');

const program = createProgram({ args: [], env: {}, interrupted: new AbortController().signal }, () => {});

/** The text under the heading of a command. */
function sectionOf(name: string): string {
  const [, rest = ''] = TEXT.split(`\n### ${name}\n`);
  return rest.split(/\n###? /)[0] ?? '';
}

describe('docs/cli.md', () => {
  test.each(program.commands.map((command) => [command.name(), command] as const))(
    '%s has a section with an example and each of its options',
    (name, command) => {
      const section = name === 'import' ? sectionOf('import') + sectionOf('connect') : sectionOf(name);
      expect(sectionOf(name)).toContain(`rotator ${name}`);
      for (const { long } of command.options) expect(section).toContain(long);
    },
  );

  test('documents every common option', () => {
    for (const { flags } of program.options) expect(TEXT).toContain(`| \`${flags}\` |`);
  });

  test('names only options and commands that exist', () => {
    const known = [program, ...program.commands].flatMap(({ options }) => options.map(({ long }) => long));
    for (const [, option] of TEXT.matchAll(/(?<![\w-])(--[a-z][a-z-]+)/g)) expect(known).toContain(option);
    const names = program.commands.map((command) => command.name());
    for (const [, name] of TEXT.matchAll(/npx rotator ([a-z-]+)/g)) expect(names).toContain(name);
  });

  test('documents every exit code, and no other', () => {
    const documented = [...TEXT.matchAll(/^\| (\d+) \|/gm)].map(([, code]) => Number(code));
    expect(documented).toEqual(Object.values(EXIT));
  });
});
