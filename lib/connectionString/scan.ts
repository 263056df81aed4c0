import { RotatorError } from '../errors.ts';
import { badCharacterIn, Names, type ReadAttribute, Unreadable } from './attributes.ts';

/** How a syntax writes values; everything else is the same in all syntaxes: `name=value;name=value;`. */
export interface Syntax {
  /** Its name in messages: "ODBC connection string". */
  readonly title: string;
  /** The text before the first attribute, in lower case. */
  readonly prefix: string;
  /** The index of the `}` that closes the quoted value whose text begins at `from`; -1 if there is none. */
  readonly closingBrace: (text: string, from: number) => number;
  /** Returns the value that the text between the braces represents. */
  readonly unquote: (inner: string) => string;
  /** Matches a value that cannot be written without braces. */
  readonly needsBraces: RegExp;
  /** Matches a value that cannot be written at all. */
  readonly unwritable: RegExp;
  /** Returns the text between braces for a value: the inverse of `unquote`. */
  readonly escape: (value: string) => string;
}

/** A byte order mark, with which some editors begin a file, is white space to JavaScript. */
const BETWEEN = /[\s;]*/y;
const BLANKS = /[ \t]*/y;
const WHITE = /\s*/y;
const NAME = /[^=;\r\n]*/y;
const PLAIN_VALUE = /[^;\r\n]*/y;

/**
 * The attributes of a text in their order.
 * @throws Unreadable
 */
export function scan(text: string, syntax: Syntax): ReadAttribute[] {
  const fail = (offset: number, expected: string) => new Unreadable(syntax.title, text, offset, expected);
  const nul = text.indexOf('\0');
  if (nul !== -1) throw fail(nul, 'no NUL character');
  const attributes: ReadAttribute[] = [];
  const names = new Names();
  let at = start(text, syntax);
  if (at === -1) throw fail(0, `"${syntax.prefix}"`);
  for (;;) {
    at = skip(BETWEEN, text, at);
    if (at === text.length) return attributes;
    const equals = skip(NAME, text, at);
    const name = text.slice(at, equals).trimEnd();
    const bad = badCharacterIn(name);
    if (bad !== -1) throw fail(at + bad, 'a character of the name of an attribute');
    if (name === '') throw fail(at, 'the name of an attribute');
    if (text[equals] !== '=') throw fail(equals, '"=" after the name of an attribute');
    if (!names.add(name)) throw fail(at, 'a name that no attribute before it has');
    const { value, from, to } = readValue(text, skip(BLANKS, text, equals + 1), syntax, fail);
    attributes.push({ name, value, from, to });
    at = skip(WHITE, text, to);
    if (at < text.length && text[at] !== ';') throw fail(at, '";" after a value');
  }
}

/**
 * One value, quoted if necessary.
 * @param inBraces uses braces even if the value does not need them
 * @throws RotatorError `connection_string_unwritable`
 */
export function quoted(name: string, value: string, syntax: Syntax, inBraces = false): string {
  if (syntax.unwritable.test(value)) {
    throw new RotatorError({
      code: 'connection_string_unwritable',
      message: `The value of ${name} cannot be written in the ${syntax.title}: the syntax cannot represent one of its characters.`,
      fix: 'Use another syntax, or another value.',
    });
  }
  return inBraces || syntax.needsBraces.test(value) ? `{${syntax.escape(value)}}` : value;
}

function start(text: string, { prefix }: Syntax): number {
  const at = prefix === '' ? 0 : skip(BETWEEN, text, 0);
  return text.slice(at, at + prefix.length).toLowerCase() === prefix ? at + prefix.length : -1;
}

type Fail = (offset: number, expected: string) => Unreadable;

function readValue(text: string, from: number, { closingBrace, unquote }: Syntax, fail: Fail) {
  if (text[from] !== '{') {
    const value = text.slice(from, skip(PLAIN_VALUE, text, from)).trimEnd();
    return { value, from, to: from + value.length };
  }
  const brace = closingBrace(text, from + 1);
  if (brace === -1) throw fail(from, 'a value whose "{" is closed by a "}"');
  return { value: unquote(text.slice(from + 1, brace)), from, to: brace + 1 };
}

/** The index of the first character from `at` on that the sticky pattern does not match. */
function skip(pattern: RegExp, text: string, at: number): number {
  pattern.lastIndex = at;
  pattern.test(text);
  return Math.max(at, pattern.lastIndex);
}
