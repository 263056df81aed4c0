/** A text, and whether some of its bytes could not be decoded: U+FFFD replaces those. */
export interface DecodedText {
  readonly text: string;
  readonly lossy: boolean;
}

/**
 * The text of a response. JSON is UTF-8 (RFC 8259 section 8.1), but a response in UTF-16, or with bytes that are
 * not valid UTF-8, may still have a refresh token. Never throws.
 */
export function decodeText(bytes: Uint8Array): DecodedText {
  const encoding = encodingOf(bytes);
  try {
    return { text: new TextDecoder(encoding, { fatal: true }).decode(bytes), lossy: false };
  } catch {
    return { text: new TextDecoder(encoding).decode(bytes), lossy: true };
  }
}

/** A byte order mark shows UTF-16, and so does a zero in one of the first two bytes: the text begins with ASCII. */
function encodingOf([first, second]: Uint8Array): 'utf-8' | 'utf-16le' | 'utf-16be' {
  if ((first === 0xff && second === 0xfe) || (second === 0 && first !== 0)) return 'utf-16le';
  if ((first === 0xfe && second === 0xff) || (first === 0 && second !== 0)) return 'utf-16be';
  return 'utf-8';
}
