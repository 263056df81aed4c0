import { type ReadAttribute, Unreadable } from './attributes.ts';

const TITLE = 'odbc.ini';

/** One data source. */
export interface Section {
  /** The name in the brackets. */
  readonly name: string;
  readonly attributes: readonly ReadAttribute[];
  /** Does the file have another section of this name? Only the first counts. */
  readonly isRepeated: boolean;
  /** The names that occur again in the section. Only the first counts. */
  readonly repeatedNames: readonly string[];
}

/** White space of C in the `POSIX` locale: unixODBC takes any other, such as a no-break space, for a part of a value. */
const BLANKS = ' \t\v\f';

/**
 * Reads an odbc.ini file as unixODBC does (`SQLGetPrivateProfileString` of libodbcinst 2.3.11). Values extend to the end of their
 * line and are never quoted; a line that begins with `;` or `#` is a comment; a name without `=` has an empty value. Names ignore
 * case, and of several sections or attributes with one name the first counts. Lines may be longer than unixODBC reads them.
 * @returns the sections in their order, each name once
 * @throws Unreadable if a line comes before the first section, or for a NUL character
 */
export function parseOdbcIni(text: string): Section[] {
  const nul = text.indexOf('\0');
  if (nul !== -1) throw new Unreadable(TITLE, text, nul, 'no NUL character');
  const sections = new Map<string, { name: string; lines: Line[]; isRepeated: boolean }>();
  let lines: Line[] | undefined;
  for (const line of linesOf(text.replace(/^\uFEFF/, ' '))) {
    if (line.text === '' || /^[;#]/.test(line.text)) continue;
    if (line.text.startsWith('[')) {
      lines = [];
      const name = trimmed(line.text.slice(1).split(']', 1)[0] ?? '').text;
      const first = sections.get(name.toLowerCase());
      if (first) first.isRepeated = true;
      else sections.set(name.toLowerCase(), { name, lines, isRepeated: false });
    } else if (lines) lines.push(line);
    else throw new Unreadable(TITLE, text, line.from, 'a section in brackets');
  }
  return [...sections.values()].map((section) => ({ ...section, ...attributesIn(section.lines) }));
}

/** A text without blanks at its ends, and the position at which it begins. */
interface Line {
  readonly text: string;
  readonly from: number;
}

function linesOf(text: string): Line[] {
  return [...text.matchAll(/[^\r\n]+/g)].map(({ 0: whole, index }) => trimmed(whole, index));
}

function attributesIn(lines: readonly Line[]): Pick<Section, 'attributes' | 'repeatedNames'> {
  const attributes = new Map<string, ReadAttribute>();
  const repeatedNames: string[] = [];
  for (const line of lines) {
    const [written = ''] = line.text.split('=', 1);
    const { text: name } = trimmed(written);
    const { text: value, from } = trimmed(
      line.text.slice(written.length + 1),
      line.from + written.length + 1,
    );
    if (attributes.has(name.toLowerCase())) repeatedNames.push(name);
    else if (name !== '') attributes.set(name.toLowerCase(), { name, value, from, to: from + value.length });
  }
  return { attributes: [...attributes.values()], repeatedNames };
}

function trimmed(text: string, from = 0): Line {
  let begin = 0;
  let end = text.length;
  while (begin < end && BLANKS.includes(text.charAt(begin))) begin += 1;
  while (end > begin && BLANKS.includes(text.charAt(end - 1))) end -= 1;
  return { text: text.slice(begin, end), from: from + begin };
}
