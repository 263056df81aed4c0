import { styleText } from 'node:util';
import type { Problem } from '../lib/errors.ts';

type Colour = 'green' | 'yellow' | 'red' | 'dim';

/** Where a command tells what it found: for people, or as JSON. */
export interface Terminal {
  /** May a person be asked? */
  readonly interactive: boolean;
  /** May the screen be cleared? */
  readonly redraws: boolean;
  /** A line for people on stdout; nothing with `--json`. */
  say(line: string): void;
  /** The result: the document with `--json`, the lines without. */
  result(document: object, lines: readonly string[]): void;
  /** A hint beside the result, on stderr. */
  hint(line: string): void;
  problem(problem: Problem): void;
  /** Coloured where stdout is a terminal and NO_COLOR is not set. */
  paint(colour: Colour, text: string): string;
  /** Shows that something takes its time, on a terminal only. */
  working<T>(what: string, work: () => Promise<T>): Promise<T>;
}

/** @param verbose log lines are written to stderr, so that nothing else may move there */
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

/** No spinner of a library: those put the terminal into raw mode and end the process at Ctrl-C, in the middle of a write. */
async function showing<T>(what: string, work: () => Promise<T>): Promise<T> {
  process.stderr.write(`${what} ...`);
  try {
    return await work();
  } finally {
    process.stderr.write('\r\u001b[K');
  }
}

/** Rows as aligned columns, without white space at the ends. */
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

/** A span of time in words: `4 min 5 s`. */
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
