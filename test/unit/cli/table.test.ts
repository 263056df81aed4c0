import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { table, wrap } from '../../../cli/table.ts';

const HEADINGS = ['NAME', 'STATE', 'TOKEN LEFT', 'WHY'];
const RED = '\u001b[31moutcome unknown\u001b[39m';
const row = ['demo', RED, '12 s', 'The access token is fresh. Next attempt in 12 s.'];

describe('a table', () => {
  test('is one line for each row if the window is wide enough, or unlimited', () => {
    const lines = [
      'NAME  STATE            TOKEN LEFT  WHY',
      `demo  ${RED}  12 s        The access token is fresh. Next attempt in 12 s.`,
    ];
    expect(table([HEADINGS, row])).toEqual(lines);
    expect(table([HEADINGS, row], 83)).toEqual(lines);
  });

  test('wraps the text of the last column inside of its column', () => {
    expect(table([HEADINGS, row], 82)).toEqual([
      'NAME  STATE            TOKEN LEFT  WHY',
      `demo  ${RED}  12 s        The access token is fresh. Next attempt in 12`,
      `${' '.repeat(35)}s.`,
    ]);
  });

  test('shows the columns that do not fit below their row', () => {
    expect(table([HEADINGS, row], 34)).toEqual([
      'NAME  STATE            TOKEN LEFT',
      `demo  ${RED}  12 s`,
      '  why: The access token is fresh.',
      '    Next attempt in 12 s.',
    ]);
    const lines = table([HEADINGS, ['a-long-name', ...row.slice(1)]], 25);
    expect(lines.slice(0, 3)).toEqual(['NAME', 'a-long-name', `  state: ${RED}`]);
  });

  test('loses no word and exceeds no width, except with a longer word', () => {
    const cell = fc.stringMatching(/^[a-z]{0,8}( [a-z]{1,8}){0,4}$/);
    const rows = fc.array(fc.tuple(cell, cell, cell), { maxLength: 4 });
    fc.assert(
      fc.property(rows, fc.integer({ min: 60, max: 90 }), (cells, width) => {
        const lines = table([['A', 'B', 'C'], ...cells], width);
        for (const line of lines) expect(line.length).toBeLessThanOrEqual(width);
        const words = (texts: readonly string[]) => texts.join(' ').split(/ +/).filter(Boolean).sort();
        const shown = words(lines).filter((word) => !/^([ABC]|[abc]:)$/.test(word));
        expect(shown).toEqual(words(cells.flat()));
      }),
    );
  });
});

describe('a line', () => {
  test('is broken between words, and keeps its indentation', () => {
    expect(wrap('  Run npx rotator connect demo.', 20)).toEqual(['  Run npx rotator', '  connect demo.']);
  });

  test('keeps a word that is too long whole, and a coloured text', () => {
    const address = `https://login.example/${'a'.repeat(30)}`;
    expect(wrap(`Go to ${address} now`, 20)).toEqual(['Go to', `  ${address}`, '  now']);
    expect(wrap(`it is ${RED} now`, 16)).toEqual(['it is', `  ${RED}`, '  now']);
  });

  test('stays as it is if it fits, or is empty', () => {
    expect(wrap('', 1)).toEqual(['']);
    expect(wrap('fits', 4)).toEqual(['fits']);
  });
});
