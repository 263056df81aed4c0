import type { ReadAttribute } from './attributes.ts';
import { type Syntax, scan } from './scan.ts';

/**
 * The string of SQLDriverConnect, with or without a DSN. A value in braces may contain any text, each `}` doubled (MS-ODBCSTR
 * section 2.1, ODBCConnectionString). Only values that need braces get them, so that a `=`, `/` or `+` inside looks as in
 * the driver's documentation. By the grammar, a value that is empty or begins with a quote or `=` needs no braces, but
 * parsers that also know OLE DB's rules read it differently.
 */
export const odbc: Syntax = {
  title: 'ODBC connection string',
  prefix: '',
  closingBrace: (text, from) => {
    let at = text.indexOf('}', from);
    while (at !== -1 && text[at + 1] === '}') at = text.indexOf('}', at + 2);
    return at;
  },
  unquote: (inner) => inner.replaceAll('}}', '}'),
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters get braces
  needsBraces: /^$|^[\s='"]|\s$|[;{}\u0000-\u001f\u007f]/,
  // NUL ends a text in C.
  unwritable: /\0/,
  escape: (value) => value.replaceAll('}', '}}'),
};

/**
 * Reads `DRIVER=...;ServiceURL=...;`. White space and line breaks between attributes, empty attributes and a missing last `;`
 * are allowed; a line break inside a value without braces is not, because it means that a `;` is missing.
 * @returns the attributes in their order, with their names as written
 * @throws Unreadable
 */
export function parseOdbc(text: string): ReadAttribute[] {
  return scan(text, odbc);
}
