import { type Attribute, type ReadAttribute, Unreadable } from './attributes.ts';
import { jdbc } from './jdbc.ts';
import { odbc } from './odbc.ts';
import { quoted, type Syntax, scan } from './scan.ts';

/** The syntaxes of templates. `raw` has no attributes and no quoting: values are inserted unchanged. */
export const TEMPLATE_SYNTAXES = ['odbc', 'jdbc', 'raw'] as const;

/** A text with placeholders such as `{accessToken}`. */
export interface Template {
  readonly syntax: (typeof TEMPLATE_SYNTAXES)[number];
  readonly text: string;
}

/** Values by placeholder name. */
export type Values = Readonly<Record<string, string>>;

const PLACEHOLDER = /\{([A-Za-z]+)\}/g;
/** These replace the braces of placeholders while a template is parsed: one character each, so that positions stay the same. */
const OPEN = '\ue000';
const CLOSE = '\ue001';
const MARKED = /\ue000([A-Za-z]+)\ue001/g;
const MARKERS = /[\ue000\ue001]/;

/** The names of the placeholders in a template, as written. */
export function placeholdersIn({ text }: Template): string[] {
  return [...text.matchAll(PLACEHOLDER)].map(([, name]) => name ?? '');
}

/**
 * The attributes of a template, with its placeholders in their values; none if it is `raw`.
 * @throws Unreadable if the template is not valid in its syntax
 */
export function attributesOf(template: Template): Attribute[] {
  if (template.syntax === 'raw') return [];
  const attributes = scanMarked(template, () => true).attributes;
  return attributes.map(({ name, value }) => ({ name, value: value.replace(MARKED, '{$1}') }));
}

/**
 * The text of a template with its placeholders filled in. In an ODBC string or a JDBC URL, a value that contains one is quoted as
 * a whole if it needs quotes (`Header=Bearer {accessToken}`) or is in braces already (`PWD={{accessToken}}`). Everything else
 * stays as it is, byte for byte.
 * @param values a placeholder with another name stays in the text
 * @throws Unreadable if the template is not valid in its syntax
 * @throws RotatorError `connection_string_unwritable` if the syntax cannot represent a value
 */
export function fillIn(template: Template, values: Values): string {
  const known = (name: string) => Object.hasOwn(values, name);
  const fill = (whole: string, name: string) => (known(name) ? values[name] : undefined) ?? whole;
  if (template.syntax === 'raw') return template.text.replace(PLACEHOLDER, fill);
  const { marked, attributes, syntax } = scanMarked(template, known);
  let filled = '';
  let done = 0;
  for (const { name, value, from, to } of attributes) {
    if (!MARKERS.test(value)) continue;
    const inBraces = marked[from] === '{';
    filled += marked.slice(done, from) + quoted(name, value.replace(MARKED, fill), syntax, inBraces);
    done = to;
  }
  return filled + marked.slice(done);
}

/** Parses the template with its placeholders marked, so that the parser does not take them for quotes. */
function scanMarked(
  { syntax, text }: Template,
  known: (name: string) => boolean,
): { marked: string; attributes: ReadAttribute[]; syntax: Syntax } {
  const rules = syntax === 'jdbc' ? jdbc : odbc;
  const stray = text.search(MARKERS);
  if (stray !== -1) throw new Unreadable(rules.title, text, stray, 'no private-use character');
  const mark = (whole: string, name: string) => (known(name) ? OPEN + name + CLOSE : whole);
  const marked = text.replace(PLACEHOLDER, mark);
  return { marked, attributes: scan(marked, rules), syntax: rules };
}
