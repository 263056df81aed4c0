import { basicCredentials, formEncode } from './clientAuthentication.ts';

/** The longest text of a provider that is shown, in characters. */
const LONGEST_TEXT = 200;
/** The longest `error` of a provider that is shown, in characters. */
const LONGEST_ERROR = 60;
/** The longest input, in characters; the sanitizer cuts off the rest without reading it. */
const LONGEST_INPUT = 8_192;
/** The sanitizer hides every run of this many characters of a secret. */
const TELLING_LENGTH = 8;
/** A shorter value does not count as a secret: hiding it would black out half of every text. */
const SHORTEST_SECRET = 4;
const REDACTED = '[redacted]';

// biome-ignore lint/suspicious/noControlCharactersInRegex: the expression finds control characters
const ESCAPE_SEQUENCE = /\u001b(?:\[[0-?]*[ -/]*[@-~]|\][^\u0007\u001b]*(?:\u0007|\u001b\\)?|[@-_])/g;
const JSON_WEB_TOKEN = /eyJ[\w-]{5,}\.[\w-]+(?:\.[\w-]*)*/g;

/** Any text that looks like a token: a provider may repeat one that was used earlier. */
const TOKEN_LIKE = /[\w~+/.-]{24,}=*/g;
const GUID = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/i;

/** Makes a provider's text safe to log, store and show. */
export type Sanitizer = (text: string) => string;

/**
 * A sanitizer that keeps at most 200 characters of the printable ASCII of RFC 6749 section 5.2. It hides
 * the given secrets, whole or in part, plain or encoded.
 * @param secrets every secret that was sent or received
 */
export function sanitizer(secrets: readonly string[]): Sanitizer {
  const parts = partsOf(secrets.filter(({ length }) => length >= SHORTEST_SECRET).flatMap(formsOf));
  return (text) => {
    const shown = printable(text.slice(0, LONGEST_INPUT));
    const hidden = withoutParts(shown, parts).replace(JSON_WEB_TOKEN, REDACTED);
    return cut(hidden.replace(TOKEN_LIKE, (run) => (isToken(run) ? REDACTED : run)));
  };
}

/** The `error` member of a token response (RFC 6749 section 5.2), in a form that fits into a sentence. */
export function shownError(error: string, sanitize: Sanitizer): string {
  return sanitize(error).slice(0, LONGEST_ERROR) || 'an error without a name';
}

/** The secrets of one request, and the header that contains two of them. */
export function secretsSent(clientId: string, clientSecret: string, ...tokens: string[]): string[] {
  return [...tokens, clientSecret, basicCredentials(clientId, clientSecret).slice('Basic '.length)];
}

/**
 * The forms in which a provider may repeat a secret: plain, form-encoded or Base64, each with and without unprintable
 * characters.
 */
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

/** The runs of characters to hide, by their length. */
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

/** Hides every character of a run that also appears in a secret. */
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

/** Words have no digits, and the ids that a provider's support team asks for are GUIDs. */
function isToken(run: string): boolean {
  return /\d/.test(run) && /[a-z]/i.test(run) && !GUID.test(run);
}

function cut(text: string): string {
  return text.length <= LONGEST_TEXT ? text : `${text.slice(0, LONGEST_TEXT - 3)}...`;
}
