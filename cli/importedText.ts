import { scanJson } from '../lib/config/scanJson.ts';
import { addressIn, attributeNamed } from '../lib/connectionString/attributes.ts';
import { parseJdbc } from '../lib/connectionString/jdbc.ts';
import { parseOdbc } from '../lib/connectionString/odbc.ts';
import { parseOdbcIni } from '../lib/connectionString/odbcIni.ts';
import { RotatorError } from '../lib/errors.ts';

/** The values that an imported text has for a connection. */
export interface Imported {
  readonly serviceUrl?: string;
  readonly tokenUri?: string;
  readonly scope?: string;
  readonly clientId?: string;
  readonly clientSecret?: string;
  readonly refreshToken?: string;
  /** Names of the attributes that the rotator does not keep. */
  readonly left: readonly string[];
}

type Field = Exclude<keyof Imported, 'left'>;

/** Names without case, `_` and `-`. Drivers, Postman and token endpoints each use different names. */
const FIELDS: Readonly<Record<string, Field>> = {
  serviceurl: 'serviceUrl',
  tokenuri: 'tokenUri',
  tokenurl: 'tokenUri',
  accesstokenurl: 'tokenUri',
  tokenendpoint: 'tokenUri',
  scope: 'scope',
  clientid: 'clientId',
  clientsecret: 'clientSecret',
  refreshtoken: 'refreshToken',
};
/** No longer useful, or set by the rotator itself: the command does not report that it drops them. */
const EXPECTED =
  /^(driver|accesstoken|tokentype|expiresin|extexpiresin|idtoken|granttype|authenticationmethod)$/;

interface Pair {
  readonly name: string;
  readonly value: string;
}

/**
 * Reads a connection string, a section of odbc.ini, a JDBC URL, or JSON of Postman or a token endpoint. The first characters
 * decide which of them it is.
 * @param section name of the section, for an odbc.ini with several
 * @throws RotatorError `connection_string_unreadable` or `input_unreadable`, with the position of the character
 */
export function readImported(text: string, section: string | undefined): Imported {
  const plain = text.replace(/^\uFEFF/, '');
  const begin = plain.trimStart();
  if (begin === '')
    throw unreadable('is empty', 'Name a file that contains the connection string, or pipe it to stdin.');
  if (begin.startsWith('{')) return collect(jsonPairs(plain));
  if (/^jdbc:/i.test(begin)) return collect(parseJdbc(plain.trim()));
  if (/^(\[|[;#])/.test(begin)) return collect(sectionOf(plain, section));
  return collect(parseOdbc(plain));
}

function collect(pairs: readonly Pair[]): Imported {
  const found: Partial<Record<Field, string>> = {};
  const left: string[] = [];
  for (const { name, value: text } of pairs) {
    const field = FIELDS[plainName(name)];
    const value = text.replace(/[\r\n]+$/, '');
    if (!field && !EXPECTED.test(plainName(name))) left.push(name);
    if (field && value !== '') found[field] ??= field === 'tokenUri' ? addressIn(value) : value;
  }
  return { ...found, left };
}

function plainName(name: string): string {
  return name.toLowerCase().replace(/[_\- ]/g, '');
}

function sectionOf(text: string, wanted: string | undefined): readonly Pair[] {
  const sections = parseOdbcIni(text);
  const named = wanted === undefined ? sections : sections.filter(({ name }) => name === wanted);
  // The same file also has a section that lists all data sources.
  const own = named.filter(({ attributes }) => attributeNamed(attributes, 'RefreshToken'));
  const [only] = own.length > 0 ? own : named;
  if (only && own.length <= 1) return only.attributes;
  throw unreadable(
    only ? 'has several sections with a refresh token' : 'does not have that section',
    `Set --section to one of: ${sections.map(({ name }) => name).join(', ')}.`,
  );
}

/** The members of the document, of the objects in it, and of Postman's lists of `{"key": ..., "value": ...}`. */
function jsonPairs(text: string): Pair[] {
  return pairsIn(parseJson(text), 0);
}

const DEEPEST = 8;

function pairsIn(value: unknown, depth: number): Pair[] {
  if (typeof value !== 'object' || value === null || depth > DEEPEST) return [];
  if (Array.isArray(value)) return value.flatMap((each) => pairsIn(each, depth + 1));
  const { key, value: own } = value as { key?: unknown; value?: unknown };
  if (typeof key === 'string' && typeof own === 'string') return [{ name: key, value: own }];
  return Object.entries(value).flatMap(([name, member]) =>
    typeof member === 'string' ? [{ name, value: member }] : pairsIn(member, depth + 1),
  );
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    const at = scanJson(text).errorAt ?? text.length;
    const lines = text.slice(0, at).split('\n');
    const place = `character ${at + 1} (line ${lines.length}, column ${(lines.at(-1)?.length ?? 0) + 1})`;
    throw unreadable(
      `is not valid JSON at ${place}`,
      'Correct the text at that character, then try again. The command changed nothing.',
    );
  }
}

function unreadable(what: string, fix: string): RotatorError {
  return new RotatorError({ code: 'input_unreadable', message: `The input ${what}.`, fix });
}
