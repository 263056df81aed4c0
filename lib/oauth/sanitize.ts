import type { TokenRequest } from '../rotation/core/tokenRequest.ts';
import { basicCredentials, rawBasicCredentials } from './clientAuthentication.ts';
import { holdsPieceOf } from './pieces.ts';

/** The longest text of a provider that is shown, in characters. */
const LONGEST_TEXT = 200;
/** How much of a text is read, in characters: what is shown, and enough after it to recognize a secret that the end cuts off. */
const LONGEST_INPUT = 512;
/** An `error` as RFC 6749 section 5.2 allows it; the longest known one has half of this length. */
const ERROR_CODE = /^[ !#-[\]-~]{1,60}$/;
/** RFC 6749 section 3.3: words of printable ASCII, one space between them. */
const SCOPE = /^[!#-[\]-~]+(?: [!#-[\]-~]+)*$/;
/** Printable ASCII without a space at either end. */
const MEMBER = /^[!-~](?:[ -~]*[!-~])?$/;
/** The longest scope or other member that is kept, in characters; half of what a tag of Key Vault can hold. */
const LONGEST_MEMBER = 256;
const REDACTED = '[redacted]';

// biome-ignore lint/suspicious/noControlCharactersInRegex: the expression finds control characters
const ESCAPE_SEQUENCE = /\u001b(?:\[[0-?]*[ -/]*[@-~]|\][^\u0007\u001b]*(?:\u0007|\u001b\\)?|[@-_])/g;
const JSON_WEB_TOKEN = /eyJ[\w-]{5,}\.[\w-]+(?:\.[\w-]*)*/g;

/** Any text that looks like a token: a provider may repeat one that was used earlier. */
const TOKEN_LIKE = /[\w~+/.-]{24,}=*/g;
const GUID = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/i;

/** What may be shown: printable ASCII, and letters, digits and marks of any script that can be seen. Not lone surrogates. */
const NOT_SHOWN = /[^ -~\p{L}\p{M}\p{N}\p{P}\p{S}]|\p{Default_Ignorable_Code_Point}/gu;
/** No word needs more combining characters on one letter. */
const MANY_MARKS = /(\p{M}{3})\p{M}+/gu;

/** Makes a provider's text safe to log, store and show. */
export type Sanitizer = (text: string) => string;

/**
 * A sanitizer that keeps at most 200 characters: the printable ASCII of RFC 6749 section 5.2, and the letters, digits and marks of all
 * scripts, but nothing that is invisible or changes the order of others. It shows nothing of a text that holds a piece of one of the
 * given secrets, as `pieces.ts` says, and hides what looks like another token.
 * @param secrets every secret that was sent or received
 */
export function sanitizer(secrets: readonly string[]): Sanitizer {
  const known = [...secrets, ...secrets.map(printable)];
  return (text) => {
    const shown = printable(text.slice(0, LONGEST_INPUT)).slice(0, LONGEST_INPUT);
    // Characters of another script may separate those of a secret.
    const readings = new Set([shown, shown.replace(/[^ -~]/g, '')]);
    if ([...readings].some((each) => holdsPieceOf(known, each))) return REDACTED;
    const hidden = shown.replace(JSON_WEB_TOKEN, REDACTED);
    return cut(hidden.replace(TOKEN_LIKE, (run) => (isToken(run) ? REDACTED : run)));
  };
}

/** The `error` member of a token response, in a form that fits into a sentence; never a part of a secret. */
export function shownError(error: string, sanitize: Sanitizer): string {
  return ERROR_CODE.test(error) && sanitize(error) === error ? error : 'an error that cannot be shown';
}

/**
 * The `scope` of a token response, which goes into a tag that consumers can read, and into an entry.
 * @param secrets every secret that was sent or received
 * @returns undefined if it is not a scope, is too long, or holds a piece of a secret
 */
export function shownScope(scope: unknown, secrets: readonly string[]): string | undefined {
  if (typeof scope !== 'string' || scope.length > LONGEST_MEMBER || !SCOPE.test(scope)) return undefined;
  return holdsPieceOf(secrets, scope) ? undefined : scope;
}

/**
 * Another member of a token response, which goes into a tag that consumers can read.
 * @param secrets every secret that was sent or received
 * @returns undefined if it is not printable ASCII, is too long, or holds a piece of a secret or a JSON Web Token
 */
export function shownMember(value: string, secrets: readonly string[]): string | undefined {
  if (value.length > LONGEST_MEMBER || !MEMBER.test(value) || value.search(JSON_WEB_TOKEN) !== -1)
    return undefined;
  return holdsPieceOf(secrets, value) ? undefined : value;
}

/** The secrets of one request, and what the Authorization header contains them in. An empty client secret hides nothing. */
export function secretsSent(
  {
    clientId,
    clientSecret,
    clientAssertion,
  }: Pick<TokenRequest, 'clientId' | 'clientSecret' | 'clientAssertion'>,
  ...tokens: readonly string[]
): string[] {
  const basic = [basicCredentials, rawBasicCredentials].map((encode) => encode(clientId, clientSecret));
  const client = [...(clientSecret === '' ? [] : [clientSecret, ...basic]), clientAssertion ?? ''];
  return [...tokens, ...client].filter((each) => each !== '');
}

function printable(text: string): string {
  // Of the forms of a character, the plain one is shown and compared.
  const plain = text.replace(ESCAPE_SEQUENCE, '').normalize('NFKC').replace(/\s+/g, ' ');
  return plain
    .replaceAll('"', "'")
    .replaceAll('\\', '/')
    .replace(NOT_SHOWN, '')
    .replace(MANY_MARKS, '$1')
    .trim()
    .replace(/^\p{M}+/u, '');
}

/** Words have no digits, and the ids that a provider's support team asks for are GUIDs. */
function isToken(run: string): boolean {
  return /\d/.test(run) && /[a-z]/i.test(run) && !GUID.test(run);
}

function cut(text: string): string {
  // The end of the cut text may be half of a character.
  return text.length <= LONGEST_TEXT
    ? text
    : `${text.slice(0, LONGEST_TEXT - 3).replace(/[\ud800-\udbff]$/, '')}...`;
}
