import { basicCredentials, formEncode } from './clientAuthentication.ts';

/** Longest text of a provider that is shown, in characters. */
const LONGEST_TEXT = 200;
/** Longest `error` of a provider that is shown, in characters. */
const LONGEST_ERROR = 60;
/** What is looked at; everything behind is cut off unseen. */
const LONGEST_INPUT = 8_192;
/** This many characters in a row out of a secret are enough to be hidden. */
const TELLING_LENGTH = 8;
/** What is shorter is no secret, and would black out half of every text. */
const SHORTEST_SECRET = 4;
const REDACTED = '[redacted]';

// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what this is about
const ESCAPE_SEQUENCE = /\u001b(?:\[[0-?]*[ -/]*[@-~]|\][^\u0007\u001b]*(?:\u0007|\u001b\\)?|[@-_])/g;
const JSON_WEB_TOKEN = /eyJ[\w-]{5,}\.[\w-]+(?:\.[\w-]*)*/g;

/** What looks like a token, whosever it is: a provider may repeat one that was used before. */
const TOKEN_LIKE = /[\w~+/.-]{24,}=*/g;
const GUID = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/i;

/** Makes text of a provider safe to log, store and show. */
export type Sanitizer = (text: string) => string;

/**
 * A sanitizer that lets through the printable ASCII of RFC 6749 section 5.2, at most 200 characters of it, and
 * none of the given secrets: neither whole nor in part, neither plain nor encoded.
 * @param secrets everything that was sent or received and is nobody else's business
 */
export function sanitizer(secrets: readonly string[]): Sanitizer {
  const parts = partsOf(secrets.filter(({ length }) => length >= SHORTEST_SECRET).flatMap(formsOf));
  return (text) => {
    const shown = printable(text.slice(0, LONGEST_INPUT));
    const hidden = withoutParts(shown, parts).replace(JSON_WEB_TOKEN, REDACTED);
    return cut(hidden.replace(TOKEN_LIKE, (run) => (isToken(run) ? REDACTED : run)));
  };
}

/** The `error` member of a provider's answer (RFC 6749 section 5.2), as it can stand in a sentence. */
export function shownError(error: string, sanitize: Sanitizer): string {
  return sanitize(error).slice(0, LONGEST_ERROR) || 'an error without a name';
}

/** The secrets of one request, with the header that holds two of them. */
export function secretsSent(clientId: string, clientSecret: string, ...tokens: string[]): string[] {
  return [...tokens, clientSecret, basicCredentials(clientId, clientSecret).slice('Basic '.length)];
}

/** As they may come back: plain, form-encoded, and each as it looks after unprintable characters are gone. */
function formsOf(secret: string): string[] {
  const encoded = [secret, formEncode(secret), Buffer.from(secret).toString('base64')];
  return [...new Set([...encoded, ...encoded.map(printable)])];
}

function printable(text: string): string {
  const plain = text.replace(ESCAPE_SEQUENCE, '').replace(/\s+/g, ' ');
  return plain
    .replaceAll('"', "'")
    .replaceAll('\\', '/')
    .replace(/[^ -~]/g, '')
    .trim();
}

/** Every telling run of characters, by its length. */
type Parts = ReadonlyMap<number, ReadonlySet<string>>;

function partsOf(secrets: readonly string[]): Parts {
  const parts = new Map<number, Set<string>>();
  for (const secret of secrets) {
    const length = Math.min(TELLING_LENGTH, secret.length);
    if (length < SHORTEST_SECRET) continue;
    const runs = parts.get(length) ?? new Set();
    for (let at = 0; at + length <= secret.length; at += 1) runs.add(secret.slice(at, at + length));
    parts.set(length, runs);
  }
  return parts;
}

/** Hides every character that belongs to a run which also stands in a secret. */
function withoutParts(text: string, parts: Parts): string {
  const hidden = new Uint8Array(text.length);
  for (const [length, runs] of parts) {
    for (let at = 0; at + length <= text.length; at += 1) {
      if (runs.has(text.slice(at, at + length))) hidden.fill(1, at, at + length);
    }
  }
  let shown = '';
  for (let at = 0; at < text.length; at += 1) {
    if (hidden[at] !== 1) shown += text[at];
    else if (at === 0 || hidden[at - 1] !== 1) shown += REDACTED;
  }
  return shown;
}

/** Words have no digits; the ids that a provider's support asks for are GUIDs. */
function isToken(run: string): boolean {
  return /\d/.test(run) && /[a-z]/i.test(run) && !GUID.test(run);
}

function cut(text: string): string {
  return text.length <= LONGEST_TEXT ? text : `${text.slice(0, LONGEST_TEXT - 3)}...`;
}
