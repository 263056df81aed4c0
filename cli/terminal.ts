import { styleText } from 'node:util';
import type { Problem } from '../lib/errors.ts';
import { printable, printableJson } from '../lib/safeText.ts';

type Colour = 'green' | 'yellow' | 'red' | 'dim';

/**
 * Where a command prints its results: as text for users, or as JSON. It prints nothing that could control a terminal, because
 * names and sentences may come from a file, a record or another program.
 */
export interface Terminal {
  /** Whether the command may ask the user. */
  readonly interactive: boolean;
  /** The size of the window that stdout is, in characters; Infinity if it is not one. */
  readonly window: { readonly columns: number; readonly rows: number };
  /** Clears the screen, if stdout is one. */
  clear(): void;
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
  /** What `paint` returned: the only escape sequences that are printed. */
  const painted = new Set<string>();
  const say = (line: string) => void process.stdout.write(`${printableExcept([...painted], line)}\n`);
  const hint = (line: string) => void process.stderr.write(`${printable(line)}\n`);
  const sayJson = (document: object) => void process.stdout.write(`${printableJson(document)}\n`);
  return {
    interactive,
    get window() {
      const { isTTY, columns = Number.POSITIVE_INFINITY, rows = Number.POSITIVE_INFINITY } = process.stdout;
      // A terminal of unknown size reports zero.
      const size = (count: number) => (isTTY && count > 0 ? count : Number.POSITIVE_INFINITY);
      return { columns: size(columns), rows: size(rows) };
    },
    clear: () => void (!json && process.stdout.isTTY && process.stdout.write('\u001b[2J\u001b[H')),
    say: (line) => (json ? undefined : say(line)),
    result: (document, lines) => (json ? sayJson(document) : lines.forEach(say)),
    hint,
    problem: ({ code, message, fix }) =>
      json ? sayJson({ error: { code, message, fix } }) : hint(`${code}: ${message}\n  ${fix}`),
    paint: (colour, text) => {
      const plain = printable(text);
      const coloured = styleText(colour, plain, { stream: process.stdout });
      if (coloured !== plain) painted.add(coloured);
      return coloured;
    },
    working: (what, work) => (process.stderr.isTTY && interactive && !verbose ? showing(what, work) : work()),
  };
}

/** The printable form of a line, in which the given texts stay as they are. */
function printableExcept([first, ...others]: readonly string[], line: string): string {
  if (first === undefined) return printable(line);
  const pieces = line.split(first).map((piece) => printableExcept(others, piece));
  return pieces.join(first);
}

/** Not a library's spinner: those put the terminal into raw mode and end the process on Ctrl-C, in the middle of a write. */
async function showing<T>(what: string, work: () => Promise<T>): Promise<T> {
  process.stderr.write(`${printable(what)} ...`);
  try {
    return await work();
  } finally {
    process.stderr.write('\r\u001b[K');
  }
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

/** A time in UTC, as in the log, without fractions of a second: `2026-01-31T23:59:59Z`. @param time in milliseconds since the epoch */
export function utcTime(time: number): string {
  return `${new Date(time).toISOString().slice(0, 19)}Z`;
}
