import { LONGEST_SECRET_NAME } from './secretNames.ts';

// Which external text may appear in a message, a log line or a response. Sentences of a provider need more: see
// lib/oauth/sanitize.ts, which knows the secrets that they must not repeat.

/**
 * What must not reach a terminal: control characters, which begin escape sequences, and characters that are invisible or change
 * the order of others (Unicode categories C, Zl and Zp).
 */
const UNPRINTABLE = /[\p{C}\p{Zl}\p{Zp}]/gu;
/** The longest sentence of another program or a record that is shown, in characters. */
const LONGEST_SENTENCE = 1_000;

/** The longest names of errors have about 50 characters; longer text may be anything. */
const CODE = /^\w{1,64}$/;
/** The names of settings, possibly misspelled. */
const KEY = /^[a-z$_@][\w$.@-]{0,39}$/i;

/**
 * The code of an error of a library, a service or the operating system, such as `ECONNREFUSED`. Its message may contain
 * parts of a request, its code does not.
 * @returns undefined if it is not one word of at most 64 letters, digits and underscores
 */
export function safeCode(code: unknown): string | undefined {
  return typeof code === 'string' && CODE.test(code) ? code : undefined;
}

/** The {@link safeCode} of any thrown value. */
export function safeCodeOf(thrown: unknown): string | undefined {
  return safeCode((thrown as { readonly code?: unknown } | null | undefined)?.code);
}

/**
 * An unknown key of the configuration, such as `client_secrett`.
 * @returns undefined if it does not look like a key, because it may be a misplaced value
 */
export function safeKey(key: string): string | undefined {
  return KEY.test(key) ? key : undefined;
}

/**
 * A name from the configuration or a tag in a form that is safe to show. Control characters, white space and everything beyond
 * ASCII become `?`, and the end of an overlong name is cut off.
 */
export function safeName(name: string): string {
  const plain = name.replace(/[^\x21-\x7e]/g, '?');
  if (plain === '') return '(empty)';
  // No valid name is longer.
  const longest = LONGEST_SECRET_NAME;
  return plain.length > longest ? `${plain.slice(0, longest)}...` : plain;
}

/** A text in a form that is safe to print: everything unprintable becomes `?`, except line breaks and tabs. */
export function printable(text: string): string {
  return text.replace(UNPRINTABLE, (each) => (each === '\n' || each === '\t' ? each : '?'));
}

/** A sentence of another program, or from a record, in a form that is safe to print: on one line, and cut off if it is too long. */
export function safeSentence(text: string): string {
  const line = text
    .slice(0, 2 * LONGEST_SENTENCE)
    .replace(/\s+/g, ' ')
    .replace(UNPRINTABLE, '?')
    .trim();
  return line.length > LONGEST_SENTENCE ? `${line.slice(0, LONGEST_SENTENCE)}...` : line;
}

/** A JSON document that is safe to print: the unprintable characters in its texts are escaped, so nothing is lost. */
export function printableJson(document: object): string {
  return JSON.stringify(document).replace(UNPRINTABLE, (each) =>
    Array.from(
      { length: each.length },
      (_, at) => `\\u${each.charCodeAt(at).toString(16).padStart(4, '0')}`,
    ).join(''),
  );
}
