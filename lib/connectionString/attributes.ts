import { RotatorError } from '../errors.ts';

/** One connection option: `ServiceURL` and its value, without any quoting. */
export interface Attribute {
  readonly name: string;
  readonly value: string;
}

/** An attribute and where its value stands in the text that it was read from. */
export interface ReadAttribute extends Attribute {
  /** Index of the first character of the value as it is written, its braces included. */
  readonly from: number;
  /** Index after the last one. */
  readonly to: number;
}

/**
 * The characters that the ODBC reference forbids in a keyword (SQLDriverConnect, "Comments"), and control characters. A
 * private-use character is none that a keyword has; `template.ts` marks its placeholders with them.
 */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not stand there
const NOT_IN_A_NAME = /[[\]{}(),;?*=!@\\\u0000-\u001f\u007f\ue000-\uf8ff]/;

/** The index in `name` of the first character that no name of an attribute may hold; -1 where it is a name. */
export function badCharacterIn(name: string): number {
  return name.search(NOT_IN_A_NAME);
}

/**
 * The attribute of that name; names do not tell upper from lower case.
 * @returns undefined where there is none
 */
export function attributeNamed<A extends Attribute>(attributes: readonly A[], name: string): A | undefined {
  const wanted = name.toLowerCase();
  return attributes.find((attribute) => attribute.name.toLowerCase() === wanted);
}

/**
 * Tells names that were seen before. Of several attributes with one name the first counts by the ODBC reference (SQLDriverConnect,
 * "Comments") and the last to psqlODBC and others, so a text with two of them has no meaning that could be relied on.
 */
export class Names {
  readonly #seen = new Set<string>();

  /** @returns false for a name that was given before, in upper or lower case */
  add(name: string): boolean {
    const before = this.#seen.size;
    return this.#seen.add(name.toLowerCase()).size > before;
  }
}

/** The address in a `TokenURI`: the driver writes the method before it, as in `POST https://login.example/token`. */
export function addressIn(tokenUri: string): string {
  return tokenUri.trim().replace(/^POST\s+/i, '');
}

/**
 * The text with one value written anew; everything else stays as it was, byte for byte.
 * @param written the new value as it is to stand there, quoted
 */
export function replaced(text: string, { from, to }: ReadAttribute, written: string): string {
  return text.slice(0, from) + written + text.slice(to);
}

/** A text that is no connection string. The message names the place and repeats nothing of the text: it may hold secrets. */
export class Unreadable extends RotatorError {
  /**
   * @param what names the syntax: "ODBC connection string"
   * @param offset index of the character at which it cannot be read on
   * @param expected what should stand there
   */
  constructor(what: string, text: string, offset: number, expected: string) {
    const lines = text.slice(0, offset).split('\n');
    const place =
      lines.length > 1 ? ` (line ${lines.length}, column ${(lines.at(-1) ?? '').length + 1})` : '';
    super({
      code: 'connection_string_unreadable',
      message: `The ${what} cannot be read: at character ${offset + 1}${place} ${expected} was expected.`,
      fix: 'Correct it at that character and try again; nothing was changed.',
    });
  }
}
