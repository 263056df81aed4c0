import { styleText } from 'node:util';
import type { Problem } from '../lib/errors.ts';

type Colour = 'green' | 'yellow' | 'red' | 'dim';

/** Where a command prints its results: as text for users, or as JSON. */
export interface Terminal {
  /** Whether the command may ask the user. */
  readonly interactive: boolean;
  /** Whether the command may clear the screen. */
  readonly redraws: boolean;
  /** Prints a line of text on stdout; prints nothing with `--json`. */
  say(line: string): void;
  /** Prints the result: the document with `--json`, otherwise the lines. */
  result(document: object, lines: readonly string[]): void;
  /** Prints a hint in addition to the result, on stderr. */
  hint(line: string): void;
  problem(problem: Problem): void;
  /** Colours the text if stdout is a terminal and NO_COLOR is not set. */
  paint(colour: Colour, text: string): string;
  /** Shows that work is in progress, on a terminal only. */
  working<T>(what: string, work: () => Promise<T>): Promise<T>;
}

/** @param verbose log lines go to stderr, so the terminal must not animate anything there */
export function createTerminal({ json, verbose }: { json: boolean; verbose: boolean }): Terminal {
  const interactive = !json && Boolean(process.stdin.isTTY && process.stdout.isTTY);
  const say = (line: string) => void process.stdout.write(`${line}\n`);
  const hint = (line: string) => void process.stderr.write(`${line}\n`);
  return {
    interactive,
    redraws: !json && process.stdout.isTTY === true,
    say: (line) => (json ? undefined : say(line)),
    result: (document, lines) => (json ? say(JSON.stringify(document)) : lines.forEach(say)),
    hint,
    problem: ({ code, message, fix }) =>
      json ? say(JSON.stringify({ error: { code, message, fix } })) : hint(`${code}: ${message}\n  ${fix}`),
    paint: (colour, text) => styleText(colour, text, { stream: process.stdout }),
    working: (what, work) => (process.stderr.isTTY && interactive && !verbose ? showing(what, work) : work()),
  };
}

/** Not a library's spinner: those put the terminal into raw mode and end the process on Ctrl-C, in the middle of a write. */
async function showing<T>(what: string, work: () => Promise<T>): Promise<T> {
  process.stderr.write(`${what} ...`);
  try {
    return await work();
  } finally {
    process.stderr.write('\r\u001b[K');
  }
}

/** Rows as aligned columns, without trailing white space. */
export function table(rows: readonly (readonly string[])[]): string[] {
  const columns = Math.max(0, ...rows.map((row) => row.length));
  const widths = Array.from({ length: columns }, (_, at) =>
    Math.max(...rows.map((row) => widthOf(row[at] ?? ''))),
  );
  return rows.map((row) =>
    row
      .map((cell, at) => cell + ' '.repeat((widths[at] ?? 0) - widthOf(cell)))
      .join('  ')
      .trimEnd(),
  );
}

function widthOf(text: string): number {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the colours are escape sequences
  return text.replace(/\u001b\[\d+m/g, '').length;
}

/** A duration as text: `4 min 5 s`. */
export function span(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  const parts = [
    [Math.floor(seconds / 86_400), 'd'],
    [Math.floor(seconds / 3_600) % 24, 'h'],
    [Math.floor(seconds / 60) % 60, 'min'],
    [seconds % 60, 's'],
  ] as const;
  const shown = parts.filter(([count]) => count > 0).slice(0, 2);
  return shown.length === 0 ? '0 s' : shown.map(([count, unit]) => `${count} ${unit}`).join(' ');
}
