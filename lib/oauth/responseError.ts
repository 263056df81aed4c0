import { decodeText } from './decodeText.ts';
import { levelsOf, type Members, membersOf, type Placed, plainName, WHOLE_BODY } from './responseMembers.ts';

/** The error of a response, in the shape of RFC 6749 section 5.2, whatever its own. Verbatim: not safe to show. */
export interface ResponseError {
  /** The `error` member, or what another shape has instead; undefined if neither is a short text or a number. */
  readonly code: string | undefined;
  readonly description: string | undefined;
  /** From `error_codes`. */
  readonly numbers: readonly number[];
}

/** Members that name an error in one word or number, the clearest first. */
const CODE_NAMES = [
  'error',
  'error_code',
  'err_code',
  'e_code',
  'code',
  'error_type',
  'type',
  'status',
  'reason',
  'name',
  'err',
  'id',
];
/** Members that describe an error in words, in the order in which they are shown. */
const WORD_NAMES = [
  'error_description',
  // What the OAuth server of the PHP League has beside a description of the kind of error.
  'hint',
  'error_message',
  'error_msg',
  'message',
  'msg',
  'err_msg',
  'detail',
  'details',
  'description',
  'reason',
  'title',
  'error_summary',
  'summary',
  'status_message',
  'user_message',
  'error_subtype',
  'fault_string',
  'info',
  'error_details',
  'errors',
  WHOLE_BODY,
].map(plainName);
/** Objects whose members are all about the error, and those that may contain one. */
const ERROR_OBJECTS = /error|exception|^_?(err|fault|details?|causes?|violations|fields?)$/i;
const OTHER_OBJECTS = /^(data|body|meta|result|response|status|header|payload)$/i;
/** Members of an error that only its provider's staff or a browser can use. */
const NOT_SHOWN =
  /ur[il]|href|link|trace|correlation|request_?id|log_?id|time|date|version|instance|path|help|stack/i;
/** Other members that describe an error, by their names. */
const ERROR_TEXTS = /error|exception|(?<!de)fault|^err(_|$)/i;
/** Names whose value says what it is. */
const PLAIN_NAMES =
  /^(id|code|type|status|name|message|msg|text|detail|details|description|reason|title|resource|field|param|location|domain|value|\d+)$/i;
/** These are success, in any case. */
const SUCCESS =
  /^(0|2\d\d|ok|okay|success|successful|succeeded|done|none|no[ _-]?errors?|null|false|true|approved)$/i;
/** These say only that there is an error, or where to read about it. */
const NO_CODE = /^(error|fail|failed|failure)$|:\/\//i;
/** An `id` may be that of the request or of a user: only a word is one of an error. */
const WORD = /^[a-z]+([ _.-][a-z]+)*$/i;
/** The longest text that counts as a code: the longest `error` of a standard has half of this length. In characters. */
const LONGEST_CODE = 60;
const MOST_PIECES = 12;
const LONGEST_PIECE = 300;

/**
 * The error of a response. Next to an access token, only the member `error` shows one.
 * @param hasAccessToken whether the response has an access token anywhere
 * @returns undefined if there is none
 */
export function errorOf(root: object, hasAccessToken: boolean): ResponseError | undefined {
  const members = membersOf(root);
  const error = members('error');
  const isStated = !isSuccess(error);
  if (!isStated && hasAccessToken) return undefined;
  const placed = isStated && typeof error === 'string' ? [] : errorObjects(root);
  // Next to an access token, a number does not say that the provider refused the request.
  const isCoded = !hasAccessToken || typeof error === 'string';
  const code = isCoded ? codeOf([members, ...placed.map(({ object }) => membersOf(object))]) : undefined;
  const description = descriptionOf(root, code, placed);
  if (!isStated && code === undefined && description === undefined) return undefined;
  return { code, description, numbers: numbersOf(members) };
}

/**
 * The words of an error for comparison: in lower case, with single spaces, a bar between its parts. `BAD_REFRESH_TOKEN` and `badRefreshToken`
 * are the same.
 */
export function wordsOf({
  code = '',
  description = '',
}: Pick<ResponseError, 'code' | 'description'>): string {
  return `${code};${description}`
    .slice(0, 2_000)
    .replace(/([a-z\d])([A-Z])/g, '$1 $2')
    .toLowerCase()
    .replace(/;/g, ' | ')
    .replace(/[^a-z\d|]+/g, ' ')
    .trim();
}

/** So much of a page is searched for its text, in bytes. */
const LONGEST_PAGE = 4_096;

/**
 * The text of a body that has neither tokens nor an error, such as a page of a proxy: to be shown, never to decide by. Empty if it has none,
 * or may have a secret.
 */
export function textOf(body: Uint8Array): string {
  const { text, lossy } = decodeText(body.subarray(0, LONGEST_PAGE));
  // A cut within a character is not what makes a body unreadable.
  if (lossy && body.length <= LONGEST_PAGE) return '';
  const title = /<title>([^<]{1,300})<\/title>/i.exec(text)?.[1];
  const shown = title ?? text;
  if (NAMED_SECRET.test(shown)) return '';
  // The marks of JSON say nothing.
  if (/^\s*[[{]/.test(text)) return text.replace(/[[\]{}"]/g, ' ').replace(/\s+(?=[:,])/g, '');
  return title ?? text.replace(/<(script|style)\b[^>]*>[^<]*/gi, ' ').replace(/<[^>]*>?/g, ' ');
}

/** The code of an authorization, not that of an error or a status; in XML, it cannot be told apart. */
const CODE = String.raw`(?<!(error|status|response|http|reason|result|fault)[ _-]?)(?<!<\/?)\bcode|(device|auth|user)_?code`;
/**
 * The name of a secret with a value after it: after a sign, as in JSON, XML, YAML, forms and what PHP prints, or a word with a digit.
 */
const NAMED_SECRET = new RegExp(
  String.raw`(token|secret|assertion|passw(or)?d|passphrase|pwd|authorization|bearer|credential|api.?key|cookie|session|${CODE})[\w-]{0,20}(\s*[^\w\s.,;!?]|\s+(?=\S{0,80}\d))`,
  'i',
);

function isSuccess(value: unknown): boolean {
  if (value === undefined || value === null || value === '') return true;
  if (Array.isArray(value)) return value.length === 0;
  if (typeof value !== 'object') return SUCCESS.test(String(value)) && String(value) !== 'true';
  const members = membersOf(value);
  const isEmpty = Object.values(value).every((each) => typeof each !== 'object' && isSuccess(each));
  return isEmpty || (members('code') !== undefined && isSuccess(members('code')));
}

/** The objects that may describe the error, from the outside to the inside. */
function errorObjects(root: object): Placed[] {
  const levels = levelsOf(root).slice(1);
  return levels
    .flat()
    .filter(
      ({ under }) =>
        ERROR_OBJECTS.test(under) || OTHER_OBJECTS.test(under) || plainName(under) === WHOLE_BODY,
    )
    .slice(0, MOST_PIECES);
}

function codeOf([root, ...below]: readonly Members[]): string | undefined {
  const stated = root?.('error');
  if (typeof stated === 'string' && !isSuccess(stated)) return stated;
  const found = [...(root ? [root] : []), ...below].flatMap((members) =>
    CODE_NAMES.flatMap((name) =>
      [members(name)]
        .flat()
        .slice(0, 1)
        .filter((value) => isCode(value) && (name !== 'id' || WORD.test(String(value))))
        .map(String)
        .filter((code) => code.length <= LONGEST_CODE),
    ),
  );
  // A word says more than a number.
  return found.find((each) => /\D/.test(each)) ?? found[0];
}

function isCode(value: unknown): value is string | number {
  if (typeof value === 'number') return isErrorNumber(value) && !SUCCESS.test(String(value));
  return typeof value === 'string' && value !== '' && !NO_CODE.test(value) && !SUCCESS.test(value);
}

function descriptionOf(
  root: object,
  code: string | undefined,
  placed: readonly Placed[],
): string | undefined {
  const standard = membersOf(root)('error_description');
  const stated = membersOf(root)('error');
  // A response as in RFC 6749 says it all in these two.
  const hint = membersOf(root)('hint');
  if (typeof stated === 'string' && typeof standard === 'string')
    return typeof hint === 'string' && hint !== '' ? `${standard}; ${hint}` : standard;
  const named = Object.keys(root).filter((name) => ERROR_TEXTS.test(name) && !NOT_SHOWN.test(name));
  const names = [...WORD_NAMES, ...named.filter((name) => plainName(name) !== 'error')];
  const own = names.flatMap((name) => textsIn(membersOf(root)(name)));
  const isLong = typeof stated === 'string' && stated.length > LONGEST_CODE;
  const below = placed.map(({ object, under }) => phraseOf(object, ERROR_OBJECTS.test(under)));
  const all = [...(isLong ? [stated] : []), ...own, ...below].filter(
    (text) => text !== '' && text !== code && !SUCCESS.test(text),
  );
  return all.length === 0 ? undefined : [...new Set(all)].slice(0, MOST_PIECES).join('; ');
}

/** The texts of an object, with the name of each that does not say what it is about. */
function phraseOf(object: object, isAllAboutIt: boolean): string {
  return Object.entries(object)
    .filter(([name]) => (isAllAboutIt ? !NOT_SHOWN.test(name) : WORD_NAMES.includes(plainName(name))))
    .flatMap(([name, value]) =>
      textsIn(value).map((text) => (PLAIN_NAMES.test(name) || !isAllAboutIt ? text : `${name} ${text}`)),
    )
    .slice(0, MOST_PIECES)
    .join(' ');
}

function textsIn(value: unknown): string[] {
  return [value]
    .flat()
    .filter((each) => typeof each === 'string' && each.trim() !== '' && each.length <= LONGEST_PIECE * 10)
    .map((each) => String(each).slice(0, LONGEST_PIECE));
}

/** These numbers have at most seven digits. A longer one could be a piece of a secret. */
function isErrorNumber(value: unknown): boolean {
  return Number.isInteger(value) && Number(value) >= 0 && Number(value) < 10_000_000;
}

function numbersOf(members: Members): number[] {
  const numbers = members('error_codes');
  return Array.isArray(numbers) ? numbers.filter(isErrorNumber) : [];
}
