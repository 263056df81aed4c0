import { decodeText } from './decodeText.ts';
import { quotedRefreshToken, repairJson } from './repairJson.ts';

/** The members of a response by name; undefined if a member is missing. */
export type Members = (name: string) => unknown;

/** A body as far as it is JSON or a form. */
export interface ParsedBody {
  /** Its outermost object. A list, or a text alone, is the only member of one. */
  readonly root: object;
  /** The JSON ended early: `root` has what is certainly complete. */
  readonly cutOff: boolean;
  /** Some bytes or escapes could not be decoded: U+FFFD replaces those. */
  readonly lossy: boolean;
  /** The body is not valid JSON: it was repaired, or only the refresh token was found in it. */
  readonly odd?: 'repaired' | 'token_only';
}

/** An object of a response, and the name of the member that it is in. */
export interface Placed {
  readonly object: object;
  readonly under: string;
  /** The names of all members that it is in, from the outside to the inside, with a dot between them. */
  readonly path: string;
}

/** The member that a list or a text becomes if it is the whole body. */
export const WHOLE_BODY = 'body';
/** So many levels below the response are searched. Elements of a list are on the level of the list. */
const DEEPEST = 3;

/**
 * Reads a body as JSON (RFC 8259), or as a form, which some older providers return, whatever its content type. XML and HTML are neither.
 * @param complete false if the body may have been cut off; only JSON shows whether it was
 * @returns undefined if the body is neither; never throws
 */
export function parseBody(body: Uint8Array, complete: boolean): ParsedBody | undefined {
  const { text: decoded, lossy } = decodeText(body);
  const text = decoded.replace(XSSI_PREFIX, '');
  const whole = jsonObject(text) ?? (complete ? formObject(text, complete) : undefined);
  const repaired = whole || !complete ? undefined : repairedObject(text);
  if (repaired) return { root: repaired, cutOff: false, lossy: true, odd: 'repaired' };
  const root = whole ?? completeMembers(text) ?? formObject(text, complete);
  if (root) return { root, cutOff: whole === undefined, lossy };
  const found = quotedRefreshToken(text);
  return found && { root: found, cutOff: false, lossy, odd: 'token_only' };
}

/**
 * The own members of an object: what it inherits does not count. A name in another spelling, such as `accessToken` or `.expires`,
 * counts if the exact one is missing.
 */
export function membersOf(object: object): Members {
  const spelled = new Map<string, unknown>();
  for (const [name, value] of Object.entries(object)) {
    const plain = plainName(name);
    if (isMissing(spelled.get(plain))) spelled.set(plain, value);
  }
  return (name) => {
    const exact = Object.hasOwn(object, name) ? (object as Record<string, unknown>)[name] : undefined;
    return isMissing(exact) ? (spelled.get(plainName(name)) ?? exact) : exact;
  };
}

/** A name without its spelling: `refreshToken`, `Refresh-Token` and `refresh_token` are the same. */
export function plainName(name: string): string {
  return name.replace(/[^a-z\d]/gi, '').toLowerCase();
}

/** The objects of a response by level, the response itself first. */
export function levelsOf(root: object): readonly (readonly Placed[])[] {
  const levels: Placed[][] = [[{ object: root, under: '', path: '' }]];
  for (let depth = 1; depth <= DEEPEST; depth += 1) {
    const below = (levels.at(-1) ?? []).flatMap(objectsBelow);
    if (below.length === 0) break;
    levels.push(below);
  }
  return levels;
}

/**
 * The object at a place in a response.
 * @param place the names of the members from the outside to the inside, with a dot between them: `data`, `data.0`. A list of one counts
 *   as its element
 */
export function objectAt(root: object, place: string): object | undefined {
  let found: unknown = root;
  for (const name of place.split('.')) {
    if (!isObject(found) || !Object.hasOwn(found, name)) return undefined;
    found = (found as Record<string, unknown>)[name];
  }
  const only = Array.isArray(found) && found.length === 1 ? found[0] : found;
  return isObject(only) && !Array.isArray(only) ? only : undefined;
}

/** A member of a response by its name, or by its place with dots: `error.code`. */
export function memberAt(root: object, name: string): unknown {
  const own = membersOf(root)(name);
  const dot = name.lastIndexOf('.');
  if (own !== undefined || dot < 0) return own;
  const object = objectAt(root, name.slice(0, dot));
  return object && membersOf(object)(name.slice(dot + 1));
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

function objectsBelow({ object, path }: Placed): Placed[] {
  return Object.entries(object).flatMap(([under, value]) => {
    // What looks like a prototype is not a member that a provider means.
    if (under === '__proto__') return [];
    const all: readonly unknown[] = Array.isArray(value) ? value : [value];
    return all
      .map((each) => (typeof each === 'string' && /^\s*\{/.test(each) ? jsonObject(each) : each))
      .filter((each) => isObject(each) && !Array.isArray(each))
      .map((each) => ({ object: each as object, under, path: `${path}.${under}` }));
  });
}

function isMissing(value: unknown): boolean {
  return value === undefined || value === null || value === '';
}

/** What some servers send before JSON, so that a browser cannot run it as a script. */
const XSSI_PREFIX = /^\s*\)\]\}'?,?/;

/** A string of JSON that contains JSON is read as that. */
function jsonObject(text: string): object | undefined {
  const outer = jsonValue(text);
  const inner = typeof outer === 'string' ? jsonValue(outer) : undefined;
  const value = isObject(inner) ? inner : outer;
  if (isObject(value) && !Array.isArray(value)) return value;
  const says = typeof value === 'string' ? value !== '' : Array.isArray(value) && value.some(isObject);
  return says ? { [WHOLE_BODY]: value } : undefined;
}

function jsonValue(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/**
 * JSON with slips, or with other text around it, such as a warning of PHP or the call of JSONP. In other text, it counts only if it has
 * a token: what a page says about errors is not believed.
 */
function repairedObject(text: string): object | undefined {
  const whole = jsonObject(repairJson(text));
  if (whole && !Object.hasOwn(whole, WHOLE_BODY)) return whole;
  // What is left of a list that ended early is not an object with text around it.
  if (/^\s*\[/.test(text)) return undefined;
  const end = text.lastIndexOf('}') + 1;
  for (const start of new Set([text.indexOf('{'), text.search(/\{\s*"/)])) {
    if (start < 0 || start >= end) continue;
    const part = text.slice(start, end);
    const found = jsonObject(part) ?? jsonObject(repairJson(part));
    if (found && hasAnyToken(found)) return found;
  }
  return undefined;
}

function hasAnyToken(root: object): boolean {
  const all = levelsOf(root).flat();
  return ['access_token', 'refresh_token'].some((name) =>
    all.some(({ object }) => typeof membersOf(object)(name) === 'string'),
  );
}

/** JSON that ended early, up to the last member that is certainly complete. */
function completeMembers(text: string): object | undefined {
  let quoted = false;
  let depth = 0;
  let quote = 0;
  let comma = 0;
  for (let at = 0; at < text.length; at += 1) {
    const character = text[at] ?? '';
    if (quoted && character === '\\') at += 1;
    else if (character === '"') {
      quoted = !quoted;
      if (!quoted) quote = at + 1;
    } else if (quoted) continue;
    else if ('{['.includes(character)) depth += 1;
    else if ('}]'.includes(character)) depth -= 1;
    else if (character === ',' && depth > 0) comma = at;
  }
  // The last string may be a value or a name. Before a comma, everything is complete; a number at the end may not be.
  return jsonObject(closed(text.slice(0, quote))) ?? jsonObject(closed(text.slice(0, comma)));
}

/** The same text with the ends of its lists and objects. */
function closed(text: string): string {
  const ends: string[] = [];
  let quoted = false;
  for (let at = 0; at < text.length; at += 1) {
    const character = text[at] ?? '';
    if (quoted && character === '\\') at += 1;
    else if (character === '"') quoted = !quoted;
    else if (quoted) continue;
    else if (character === '{') ends.push('}');
    else if (character === '[') ends.push(']');
    else if ('}]'.includes(character)) ends.pop();
  }
  return `${text}${ends.reverse().join('')}`;
}

/** @param complete false: the last member does not count, because it may have been cut off, and nothing but a refresh token is read */
function formObject(text: string, complete: boolean): object | undefined {
  const lines = text
    .trim()
    .split(/[\r\n]+/)
    .map((line) => line.trim());
  // A space may be in a scope: some servers do not encode it.
  if (!lines.every((line) => /^&?\w+=/.test(line) && !/[^\S ]|[<>]/.test(line))) return undefined;
  const all = lines.join('&');
  const form = formMembers(complete ? all : all.slice(0, Math.max(0, all.lastIndexOf('&'))));
  const members = membersOf(form);
  // A text of several lines is a form only if it has a token: what a page says about errors is not believed.
  const names =
    complete && lines.length === 1 ? ['access_token', 'refresh_token', 'error'] : ['refresh_token'];
  return names.some((name) => members(name) !== undefined) ? form : undefined;
}

/** Of several members with the same name, the first one counts. No token has a blank: its plus sign was not encoded. */
function formMembers(form: string): Record<string, string> {
  const raw = [...new URLSearchParams(form.replaceAll('+', '%2B'))];
  const decoded = [...new URLSearchParams(form)].map(([name, value], index): [string, string] => {
    const isToken = /token$/i.test(name) && value.includes(' ');
    return [name, isToken ? (raw[index]?.[1] ?? value) : value];
  });
  return Object.fromEntries(decoded.reverse());
}
