/** What stands for no value, or for one that is not shown. */
const NO_VALUE =
  /^\W?(null|undefined|none|nil|n\/?a|nan|empty|false|true|void|redacted|hidden|masked|removed|filtered|secret)\W?$/i;
/** A mask in brackets, and one that hides all or a part of a token. */
const MASKS = [
  /^[[<({][ \w-]*(redacted|hidden|masked|removed|filtered|omitted|secret|token)[ \w-]*[\])}>]$/i,
  /^([*\u2022\u25cf#x.-])\1{2,}$/i,
  /^\*{4,}|\*{4,}$|\*{6,}/,
];

/** A text in the place of a token: a blank, a word for no value such as `null`, or a mask such as `********`. It counts as missing. */
export function isPlaceholder(text: string): boolean {
  const trimmed = text.trim();
  return trimmed === '' || NO_VALUE.test(trimmed) || MASKS.some((mask) => mask.test(trimmed));
}

/** A refresh token has at least 128 bits of randomness in practice; in characters. */
const SHORTEST = 16;
/** Long words that say something about a token. A random text has none. */
const WORDS = /invalid|expired|required|missing|revoked|malformed|unsupported|redacted/i;

/**
 * Whether a text can be a refresh token where words about one are likelier, as in `{"error":"invalid_request","refresh_token":"required"}`:
 * it is long, has a digit and neither white space nor a telling word.
 */
export function looksLikeToken(text: string): boolean {
  return text.length >= SHORTEST && /^\S+$/.test(text) && /\d/.test(text) && !WORDS.test(text);
}
