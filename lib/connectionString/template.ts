import { type Attribute, type ReadAttribute, replaced, Unreadable } from './attributes.ts';
import { jdbc } from './jdbc.ts';
import { odbc } from './odbc.ts';
import { quoted, type Syntax, scan } from './scan.ts';

/** The syntaxes of templates. `raw` knows no attributes and no quoting: values are put in as they are. */
export const TEMPLATE_SYNTAXES = ['odbc', 'jdbc', 'raw'] as const;

/** A text with placeholders such as `{accessToken}`. */
export interface Template {
  readonly syntax: (typeof TEMPLATE_SYNTAXES)[number];
  readonly text: string;
}

/** Values by the names of their placeholders. */
export type Values = Readonly<Record<string, string>>;

const PLACEHOLDER = /\{([A-Za-z]+)\}/g;
/** While a template is parsed, the braces of its placeholders are these: one character each, so that places stay the same. */
const OPEN = '\ue000';
const CLOSE = '\ue001';
const MARKED = /\ue000([A-Za-z]+)\ue001/g;
const MARKERS = /[\ue000\ue001]/;

/** The names of the placeholders in a template, as written. */
export function placeholdersIn({ text }: Template): string[] {
  return [...text.matchAll(PLACEHOLDER)].map(([, name]) => name ?? '');
}

/**
 * The attributes of a template, with its placeholders in their values; none where it is `raw`.
 * @throws Unreadable where the template is none in its syntax
 */
export function attributesOf(template: Template): Attribute[] {
  if (template.syntax === 'raw') return [];
  const attributes = scanMarked(template, () => true).attributes;
  return attributes.map(({ name, value }) => ({ name, value: value.replace(MARKED, '{$1}') }));
}

/**
 * The text of a template with its placeholders filled in. In an ODBC string or a JDBC URL a value that holds one is quoted as a
 * whole where that is needed, as `Header=Bearer {accessToken}`, or where it stands in braces already, as `PWD={{accessToken}}`.
 * Everything else stays as it is, byte for byte.
 * @param values a placeholder of another name is a part of the text
 * @throws Unreadable where the template is none in its syntax
 * @throws RotatorError `connection_string_unwritable` where the syntax has no way to write a value
 */
export function fillIn(template: Template, values: Values): string {
  const known = (name: string) => Object.hasOwn(values, name);
  const fill = (whole: string, name: string) => (known(name) ? values[name] : undefined) ?? whole;
  if (template.syntax === 'raw') return template.text.replace(PLACEHOLDER, fill);
  const { marked, attributes, syntax } = scanMarked(template, known);
  const toFill = attributes.filter(({ value }) => MARKERS.test(value));
  return toFill.toReversed().reduce((filled, attribute) => {
    const { name, value, from } = attribute;
    const inBraces = marked[from] === '{';
    return replaced(filled, attribute, quoted(name, value.replace(MARKED, fill), syntax, inBraces));
  }, marked);
}

/** Parses the template while its placeholders are no braces to the parser. */
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
