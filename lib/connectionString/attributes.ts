import { RotatorError } from '../errors.ts';

/** One connection option: `ServiceURL` and its value, without any quoting. */
export interface Attribute {
  readonly name: string;
  readonly value: string;
}

/** An attribute and the position of its value in the text. */
export interface ReadAttribute extends Attribute {
  /** Index of the first character of the value as written, including its braces. */
  readonly from: number;
  /** Index after the last one. */
  readonly to: number;
}

/**
 * The characters that the ODBC reference forbids in a keyword (SQLDriverConnect, "Comments"), and control characters. Keywords
 * have no private-use characters, so `template.ts` marks its placeholders with them.
 */
// biome-ignore lint/suspicious/noControlCharactersInRegex: a name must not contain them
const NOT_IN_A_NAME = /[[\]{}(),;?*=!@\\\u0000-\u001f\u007f\ue000-\uf8ff]/;

/** The index in `name` of the first character that an attribute name must not contain; -1 if it is a valid name. */
export function badCharacterIn(name: string): number {
  return name.search(NOT_IN_A_NAME);
}

/**
 * The attribute of that name; names ignore case.
 * @returns undefined if there is none
 */
export function attributeNamed<A extends Attribute>(attributes: readonly A[], name: string): A | undefined {
  const wanted = name.toLowerCase();
  return attributes.find((attribute) => attribute.name.toLowerCase() === wanted);
}

/**
 * Recognizes repeated names. Of several attributes with one name the first counts in the ODBC reference (SQLDriverConnect,
 * "Comments") and the last in psqlODBC and others. A text with two of them therefore has no reliable meaning.
 */
export class Names {
  readonly #seen = new Set<string>();

  /** @returns false for a name that was added before, in upper or lower case */
  add(name: string): boolean {
    const before = this.#seen.size;
    return this.#seen.add(name.toLowerCase()).size > before;
  }
}

/** The address in a `TokenURI`: the driver writes the method before it, as in `POST https://login.example/token`. */
export function addressIn(tokenUri: string): string {
  return tokenUri.trim().replace(/^POST\s+/i, '');
}

/** The text is not a valid connection string. The message names the place and repeats nothing of the text, which may contain secrets. */
export class Unreadable extends RotatorError {
  /**
   * @param what names the syntax: "ODBC connection string"
   * @param offset index of the first character that is not valid
   * @param expected what the syntax requires there
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
