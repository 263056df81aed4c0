import { replaced, Unreadable } from './attributes.ts';
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

/** Values by placeholder, in the spelling of `Placeholder`. */
export type Values = Readonly<Record<string, string>>;

const SYNTAXES: Readonly<Record<Exclude<Template['syntax'], 'raw'>, Syntax>> = { odbc, jdbc };
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
 * The text of a template with its placeholders filled in. In an ODBC string or a JDBC URL a value that holds one is quoted as a
 * whole where that is needed: `Header=Bearer {accessToken}`. Everything else stays as it is, byte for byte.
 * @param values one for each placeholder
 * @throws Unreadable where the template is none in its syntax
 * @throws RotatorError `connection_string_unwritable` where the syntax has no way to write a value
 */
export function fillIn({ syntax, text }: Template, values: Values): string {
  const fill = (_: string, name: string) => values[name] ?? '';
  if (syntax === 'raw') return text.replace(PLACEHOLDER, fill);
  const rules = SYNTAXES[syntax];
  const stray = text.search(MARKERS);
  if (stray !== -1) throw new Unreadable(rules.title, text, stray, 'no private-use character');
  const marked = text.replace(PLACEHOLDER, `${OPEN}$1${CLOSE}`);
  const withPlaceholder = scan(marked, rules).filter(({ value }) => MARKERS.test(value));
  return withPlaceholder.toReversed().reduce((filled, attribute) => {
    const { name, value } = attribute;
    return replaced(filled, attribute, quoted(name, value.replace(MARKED, fill), rules));
  }, marked);
}
