import { isOtherEncoding, SAVE_AS_UTF8 } from '../lib/config/otherEncoding.ts';
import { positionsIn, scanJson } from '../lib/config/scanJson.ts';
import { addressIn, attributeNamed, type ReadAttribute } from '../lib/connectionString/attributes.ts';
import { parseJdbc } from '../lib/connectionString/jdbc.ts';
import { parseOdbc } from '../lib/connectionString/odbc.ts';
import { parseOdbcIni, type Section } from '../lib/connectionString/odbcIni.ts';
import { RotatorError } from '../lib/errors.ts';
import { bareValue, beginsWithQuote, endsWithQuote, isQuoted } from '../lib/rotation/core/credentialValue.ts';
import { safeKey, safeSentence } from '../lib/safeText.ts';

/** The values that an imported text has for a connection. */
export interface Imported {
  readonly serviceUrl?: string;
  readonly tokenUri?: string;
  readonly scope?: string;
  readonly clientId?: string;
  readonly clientSecret?: string;
  readonly refreshToken?: string;
  /** How many attributes the rotator does not keep. Their names may be parts of values, so they are not shown. */
  readonly left: number;
  /** What the text has twice, of which only the first counts: "the section Dyn". */
  readonly repeated: readonly string[];
}

type Field = Exclude<keyof Imported, 'left' | 'repeated'>;

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

/** The options of drivers that can follow a secret. */
const OPTION =
  /^(applicationusing.*|authenticationmethod|configoptions|createmap|cryptoprotocolversion|database|datasourcename|description|dsn|encryptionmethod|fetchsize|host|hostname(incertificate)?|instancename|(key|trust)store(password)?|log.*|logintimeout|logondomain|odataversion|password|port(number)?|proxy(host|password|port|user)|pwd|querytimeout|redirecturi|schemamap|securitytoken|statementcallslimit|tenantid|uid|user(id|name)?|validateservercertificate|ws\w*)$/i;
const SECRETS: readonly (Field | undefined)[] = ['clientId', 'clientSecret', 'refreshToken'];

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
  if (isOtherEncoding(text)) throw unreadable('is not encoded in UTF-8', SAVE_AS_UTF8);
  const plain = text.replace(/^\uFEFF/, '');
  const begin = plain.trimStart();
  if (begin === '')
    throw unreadable('is empty', 'Name a file that contains the connection string, or pipe it to stdin.');
  if (beginsWithQuote(begin)) throw quoted('begins with a quote');
  if (/^\[?\s*\{/.test(begin)) return collect(jsonPairs(plain));
  if (/^jdbc:/i.test(begin)) return collect(whole(plain.trim(), parseJdbc(plain.trim())));
  // A connection string may begin with a ";" as well, but has no section in brackets.
  if (/^[[#]/.test(begin) || /^\s*\[/m.test(plain)) return ofSection(sectionOf(plain, section));
  return collect(whole(plain, parseOdbc(plain)));
}

function collect(pairs: readonly Pair[]): Imported {
  const found: Partial<Record<Field, string>> = {};
  let left = 0;
  for (const { name, value: text } of pairs) {
    const field = FIELDS[plainName(name)];
    const value = bareValue(text);
    if (field && isQuoted(value))
      throw quoted(`has quotes around the value of ${safeKey(name) ?? 'an attribute'}`);
    if (!field && !EXPECTED.test(plainName(name))) left += 1;
    const before = field && found[field];
    if (SECRETS.includes(field) && text !== '' && before !== undefined && before !== value)
      throw several(name);
    if (field && text !== '') found[field] ??= field === 'tokenUri' ? addressIn(value) : value;
  }
  return { ...found, left, repeated: [] };
}

/** The older one of two refresh tokens may end all tokens of the sign-in. */
function several(name: string): RotatorError {
  return unreadable(
    `has several values of ${safeKey(name) ?? 'an attribute'}`,
    'Import only the object or the attributes of one client, with the newest refresh token.',
  );
}

function quoted(what: string): RotatorError {
  return unreadable(
    what,
    'Remove the quotes and everything outside them, such as NAME=. If a quote belongs to a value, put the value in braces.',
  );
}

/**
 * Refuses a text in which a secret without braces may contain a `;`: it would end there, and its rest would look like a name. The
 * same if a quote opens or closes within a value, because the quotes of a script or an .env file then surround the whole text.
 * @throws RotatorError `input_unreadable`
 */
function whole(text: string, attributes: readonly ReadAttribute[]): readonly ReadAttribute[] {
  for (const [at, { name, value, from }] of attributes.entries()) {
    if (text[from] !== '{' && beginsWithQuote(value) !== endsWithQuote(value))
      throw quoted(`has a quote at only one end of the value of ${safeKey(name) ?? 'an attribute'}`);
    const before = attributes[at - 1];
    const plain = plainName(name);
    if (!before || !SECRETS.includes(FIELDS[plainName(before.name)])) continue;
    if (FIELDS[plain] || EXPECTED.test(plain) || OPTION.test(plain)) continue;
    throw unreadable(
      `has an attribute after ${safeKey(before.name) ?? 'a secret'} that is not known: the value of ${safeKey(before.name) ?? 'the secret'} may end too early`,
      'If the value contains a ";", put it in braces: NAME={value}. Otherwise move or remove the attribute that follows it.',
    );
  }
  return attributes;
}

function plainName(name: string): string {
  return name.toLowerCase().replace(/[_\- ]/g, '');
}

function ofSection({ name, attributes, isRepeated, repeatedNames }: Section): Imported {
  const again = [
    ...(isRepeated ? [`the section ${shown(name)}`] : []),
    ...repeatedNames.map((each) => safeKey(each) ?? 'an attribute'),
  ];
  return { ...collect(attributes), repeated: [...new Set(again)] };
}

function shown(section: string): string {
  return safeSentence(section).slice(0, LONGEST_SECTION);
}

/** Names of sections ignore case, as in unixODBC. */
function sectionOf(text: string, wanted: string | undefined): Section {
  const sections = parseOdbcIni(text);
  if (sections.length === 0)
    throw unreadable(
      'has no section in brackets',
      'Add the name of the data source above its lines, in brackets: [NAME].',
    );
  const same = ({ name }: Section) => name.toLowerCase() === wanted?.trim().toLowerCase();
  const named = wanted === undefined ? sections : sections.filter(same);
  // The same file also has a section that lists all data sources.
  const own = named.filter(({ attributes }) => attributeNamed(attributes, 'RefreshToken'));
  const [only] = own.length > 0 ? own : named;
  if (only && own.length <= 1) return only;
  throw unreadable(
    only ? 'has several sections with a refresh token' : 'does not have that section',
    `Set --section to one of: ${sections
      .slice(0, MOST_SECTIONS)
      .map(({ name }) => shown(name))
      .join(', ')}.`,
  );
}

/** The members of the document, of the objects in it, and of Postman's lists of `{"key": ..., "value": ...}`. */
function jsonPairs(text: string): Pair[] {
  return pairsIn(parseJson(text), 0);
}

/** Longer lists and names help no user. */
const MOST_SECTIONS = 20;
const LONGEST_SECTION = 60;

const DEEPEST = 8;

function pairsIn(value: unknown, depth: number): Pair[] {
  if (typeof value !== 'object' || value === null) return [];
  if (depth > DEEPEST)
    throw unreadable('is nested too deeply', 'Import only the object that contains the refresh token.');
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
    const { line, column } = positionsIn(text)(at);
    const place = `character ${at + 1} (line ${line}, column ${column})`;
    throw unreadable(
      `is not valid JSON at ${place}`,
      'Correct the text at that character, then try again. The command changed nothing.',
    );
  }
}

function unreadable(what: string, fix: string): RotatorError {
  return new RotatorError({ code: 'input_unreadable', message: `The input ${what}.`, fix });
}
