import type { ReadAttribute } from './attributes.ts';
import { type Syntax, scan } from './scan.ts';

/**
 * The string of SQLDriverConnect, with or without a DSN. A value in braces holds anything, each `}` doubled (MS-ODBCSTR
 * section 2.1, ODBCConnectionString). Braces stand only where a value needs them, so that a `=`, `/` or `+` inside looks as in
 * the driver's documentation. A value that is empty or begins with a quote or `=` would not need them by the grammar, but
 * parsers that also know OLE DB's rules read it in their own way.
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
 * are allowed; a line break inside a value without braces is not: there a `;` was forgotten.
 * @returns in their order, with their names as written
 * @throws Unreadable
 */
export function parseOdbc(text: string): ReadAttribute[] {
  return scan(text, odbc);
}
