/** What `JSON.parse` does not report: where the text stops being JSON, and which names an object repeats. */
export interface JsonScan {
  /** Index of the first token that is not allowed there; undefined if the text is valid JSON. */
  readonly errorAt: number | undefined;
  /** Paths of the first few names that an object repeats. `JSON.parse` keeps only the last value of each. */
  readonly repeated: readonly (readonly string[])[];
}

/** One string, number, word or mark with the white space before it. */
const TOKEN =
  /([\t\n\r ]*)("(?:[ !#-[\]-\uffff]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null|[{}[\],:])/y;
const MOST_REPEATED = 20;
const LONGEST_PATH = 8;

type Expected = 'value' | 'value or end' | 'key' | 'key or end' | 'colon' | 'comma or end';

/** An object or list that is still open. `at` is the name or the index that is being read. */
interface Frame {
  readonly keys: Set<string> | undefined;
  at: string;
}

interface Scanner {
  /** If wanted: the index at which each path occurs last, because `JSON.parse` keeps the last value. */
  readonly places?: Map<string, number>;
  readonly open: Frame[];
  readonly repeated: string[][];
  expected: Expected;
}

/** Scans the text without recursion, because the depth of hostile input has no limit. */
export function scanJson(text: string): JsonScan {
  return walk(text, { open: [], repeated: [], expected: 'value' });
}

/**
 * Reads where names and the items of lists are.
 * @returns the index at which the name at the end of a path begins, of a repeated name the last one; undefined if the text has no such
 *   path, or it is deeper than that of any field
 */
export function placesIn(text: string): (path: readonly string[]) => number | undefined {
  const places = new Map<string, number>();
  walk(text, { open: [], repeated: [], expected: 'value', places });
  return (path) => places.get(JSON.stringify(path));
}

/** Finds the line and the column of an index in a text, both from 1. */
export function positionsIn(text: string): (at: number) => { line: number; column: number } {
  const lineStarts = [0, ...Array.from(text.matchAll(/\n/g), ({ index }) => index + 1)];
  return (at) => {
    const line = lineStarts.findLastIndex((start) => start <= at);
    return { line: line + 1, column: at - (lineStarts[line] ?? 0) + 1 };
  };
}

function walk(text: string, scanner: Scanner): JsonScan {
  const end = endOf(text);
  let at = 0;
  while (at < end) {
    TOKEN.lastIndex = at;
    const match = TOKEN.exec(text);
    const start = at + (match?.[1]?.length ?? text.slice(at).search(/[^\t\n\r ]/));
    if (!match || !accept(scanner, match[2] ?? '', start))
      return { errorAt: start, repeated: scanner.repeated };
    at = TOKEN.lastIndex;
  }
  const complete = scanner.open.length === 0 && scanner.expected === 'comma or end';
  return { errorAt: complete ? undefined : text.length, repeated: scanner.repeated };
}

/** The index at which the white space at the end begins. A regular expression would start again at each space. */
function endOf(text: string): number {
  let end = text.length;
  while ('\t\n\r '.includes(text[end - 1] ?? 'none')) end--;
  return end;
}

/** Accepts one token; false if it is not allowed here. */
function accept(scanner: Scanner, token: string, at: number): boolean {
  const { expected } = scanner;
  if (token === '}' || token === ']') return close(scanner, token);
  if (token === ':') return expected === 'colon' && expect(scanner, 'value');
  if (token === ',') return expected === 'comma or end' && next(scanner);
  if (expected === 'key' || expected === 'key or end')
    return token.startsWith('"') && key(scanner, token, at);
  if (expected !== 'value' && expected !== 'value or end') return false;
  if (scanner.open.length > 0 && !scanner.open.at(-1)?.keys) notePlace(scanner, at);
  if (token !== '{' && token !== '[') return expect(scanner, 'comma or end');
  scanner.open.push({ keys: token === '{' ? new Set() : undefined, at: '0' });
  return expect(scanner, token === '{' ? 'key or end' : 'value or end');
}

function expect(scanner: Scanner, expected: Expected): true {
  scanner.expected = expected;
  return true;
}

function close(scanner: Scanner, token: string): boolean {
  const frame = scanner.open.at(-1);
  const opened = frame?.keys ? '}' : ']';
  const mayEnd = scanner.expected.endsWith('or end');
  if (!frame || token !== opened || !mayEnd) return false;
  scanner.open.pop();
  return expect(scanner, 'comma or end');
}

function next(scanner: Scanner): boolean {
  const frame = scanner.open.at(-1);
  if (!frame) return false;
  if (frame.keys) return expect(scanner, 'key');
  frame.at = String(Number(frame.at) + 1);
  return expect(scanner, 'value');
}

function key(scanner: Scanner, token: string, at: number): boolean {
  const frame = scanner.open.at(-1);
  if (!frame?.keys) return false;
  frame.at = JSON.parse(token) as string;
  if (frame.keys.has(frame.at) && scanner.repeated.length < MOST_REPEATED) {
    scanner.repeated.push(scanner.open.slice(0, LONGEST_PATH).map(({ at }) => at));
  }
  frame.keys.add(frame.at);
  notePlace(scanner, at);
  return expect(scanner, 'colon');
}

/** The depth is compared first: reading the whole path at each key would take too long in a deep text. */
function notePlace({ open, places }: Scanner, at: number): void {
  if (!places || open.length > LONGEST_PATH) return;
  places.set(JSON.stringify(open.map((frame) => frame.at)), at);
}
