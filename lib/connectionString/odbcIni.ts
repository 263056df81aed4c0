import { badCharacterIn, Names, type ReadAttribute, Unreadable } from './attributes.ts';

const TITLE = 'odbc.ini';

/** One data source. */
export interface Section {
  /** The name in the brackets. */
  readonly name: string;
  readonly attributes: readonly ReadAttribute[];
}

/**
 * Reads an odbc.ini file, or one section of it. Values extend to the end of their line and are never quoted; a line that begins
 * with `;` or `#` is a comment.
 * @throws Unreadable
 */
export function parseOdbcIni(text: string): Section[] {
  const nul = text.indexOf('\0');
  if (nul !== -1) throw new Unreadable(TITLE, text, nul, 'no NUL character');
  const sections: { name: string; attributes: ReadAttribute[] }[] = [];
  let names = new Names();
  for (const { line, from } of linesOf(text)) {
    if (line === '' || /^[;#]/.test(line)) continue;
    const fail = (index: number, expected: string) => new Unreadable(TITLE, text, from + index, expected);
    if (line.startsWith('[')) {
      sections.push({ name: sectionName(line, fail), attributes: [] });
      names = new Names();
      continue;
    }
    const section = sections.at(-1);
    if (!section) throw fail(0, 'a section in brackets');
    const attribute = readLine(line, from, fail);
    if (!names.add(attribute.name)) throw fail(0, 'a name that no attribute of the section has yet');
    section.attributes.push(attribute);
  }
  return sections;
}

type Fail = (index: number, expected: string) => Unreadable;

/** The lines without white space at their ends, and the positions at which they begin. */
function linesOf(text: string): { line: string; from: number }[] {
  return [...text.matchAll(/[^\r\n]+/g)].map(({ 0: whole, index }) => {
    const rest = whole.trimStart();
    return { line: rest.trimEnd(), from: index + whole.length - rest.length };
  });
}

function sectionName(line: string, fail: Fail): string {
  const end = line.indexOf(']');
  if (end === -1) throw fail(line.length, '"]" after the name of a section');
  const name = line.slice(1, end).trim();
  if (name === '') throw fail(1, 'the name of a section');
  if (end < line.length - 1) throw fail(end + 1, 'the end of the line');
  return name;
}

function readLine(line: string, from: number, fail: Fail): ReadAttribute {
  const equals = line.indexOf('=');
  if (equals === -1) throw fail(line.length, '"=" after the name of an attribute');
  const name = line.slice(0, equals).trimEnd();
  if (name === '') throw fail(0, 'the name of an attribute');
  const bad = badCharacterIn(name);
  if (bad !== -1) throw fail(bad, 'a character of the name of an attribute');
  const value = line.slice(equals + 1).trimStart();
  const to = from + line.length;
  return { name, value, from: to - value.length, to };
}
