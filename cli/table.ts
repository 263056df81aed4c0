import { stripVTControlCharacters } from 'node:util';

/** The last column may be wrapped if this many characters are left for it. */
const LEAST_WRAPPED = 30;
const GAP = '  ';
/** A word, or a coloured text, with the blanks before it. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: the colours are escape sequences
const WORD = /( *)(\u001b\[\d+m.*?\u001b\[\d+m|[^ ]+)/g;

/**
 * Rows as aligned columns, without trailing white space. If the window is narrow, text of the last column is wrapped, and columns that do
 * not fit follow below their row, each with its heading.
 * @param rows the first one has the headings
 * @param width of the window, in characters
 */
export function table(rows: readonly (readonly string[])[], width = Number.POSITIVE_INFINITY): string[] {
  const [headings = [], ...others] = rows;
  const widths = headings.map((_, at) => Math.max(...rows.map((row) => widthOf(row[at] ?? ''))));
  const shown = columnsThatFit(widths, width);
  const begins = widths.slice(0, shown - 1).reduce((sum, each) => sum + each + GAP.length, 0);
  const lineOf = (row: readonly string[]) => {
    const cells = row.slice(0, shown).map((cell, at) => cell + ' '.repeat((widths[at] ?? 0) - widthOf(cell)));
    return wrap(cells.join(GAP).trimEnd(), width, begins);
  };
  const below = (row: readonly string[]) =>
    row.slice(shown).flatMap((cell, at) => {
      const text = `${GAP}${headings[shown + at]?.toLowerCase()}: ${cell}`;
      return wrap(text, width, 2 * GAP.length);
    });
  return [...lineOf(headings), ...others.flatMap((row) => [...lineOf(row), ...below(row)])];
}

function columnsThatFit(widths: readonly number[], width: number): number {
  let used = 0;
  for (const [at, each] of widths.entries()) {
    const isLast = at === widths.length - 1;
    used += isLast ? Math.min(each, LEAST_WRAPPED) : each;
    if (used > width) return Math.max(1, at);
    used += GAP.length;
  }
  return widths.length;
}

/** Breaks a line between words. A word that is too long stays whole, so that an address can be copied. @param indent of the lines that follow */
export function wrap(line: string, width: number, indent = 2): string[] {
  if (widthOf(line) <= width) return [line];
  const lines: string[] = [];
  let current = /^ */.exec(line)?.[0] ?? '';
  let isEmpty = true;
  for (const [, space = '', word = ''] of line.trimStart().matchAll(WORD)) {
    if (!isEmpty && widthOf(current + space + word) > width) {
      lines.push(current.trimEnd());
      current = ' '.repeat(indent) + word;
    } else current += space + word;
    isEmpty = false;
  }
  return [...lines, current];
}

function widthOf(text: string): number {
  return stripVTControlCharacters(text).length;
}
