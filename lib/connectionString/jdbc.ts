import type { ReadAttribute } from './attributes.ts';
import { type Syntax, scan } from './scan.ts';

/**
 * The URL of the JDBC driver for Dynamics 365. Values with braces, or with a space at an end, are put in braces and nothing is
 * doubled, as in `Password={{hello}}` (Progress DataDirect for JDBC, "Connection property descriptions"). Its documentation
 * describes no way to write a `;`.
 */
export const jdbc: Syntax = {
  title: 'JDBC URL',
  prefix: 'jdbc:datadirect:dynamics365:',
  closingBrace: (text, from) => {
    const semicolon = text.indexOf(';', from);
    const end = semicolon === -1 ? text.length : semicolon;
    const at = text.lastIndexOf('}', end - 1);
    return at < from ? -1 : at;
  },
  unquote: (inner) => inner,
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters get braces
  needsBraces: /^\s|\s$|[{}\u0000-\u001f\u007f]/,
  unwritable: /[;\0]/,
  escape: (value) => value,
};

/**
 * Reads `jdbc:datadirect:dynamics365:ServiceURL=...;AccessToken=...;`.
 * @returns the attributes in their order, with their names as written
 * @throws Unreadable
 */
export function parseJdbc(text: string): ReadAttribute[] {
  return scan(text, jdbc);
}
