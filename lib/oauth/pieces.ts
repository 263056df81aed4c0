/** So many characters of a secret in a row are a piece of it. Of a shorter secret, only the whole is. */
const PIECE = 8;
/** How often escapes are decoded: an escaped escape is one more. */
const LAYERS = 4;

/**
 * Does a short text hold a piece of a secret? A piece is found as it is, in other case, backwards, with separators in it, with
 * percent, HTML or backslash escapes, and in hex, Base64 or base64url. Other encodings are not recognized, and neither are pieces of
 * fewer than 8 characters with words between them.
 * @param secrets of any length; the work is proportional to it
 * @param text a few hundred characters
 */
export function holdsPieceOf(secrets: readonly string[], text: string): boolean {
  const readings = readingsOf(text);
  const runs = new Set(readings.flatMap(runsOf));
  return secrets.flatMap(formsOf).some((form) => {
    if (form.length < PIECE) return readings.some((reading) => reading.includes(form));
    for (let at = 0; at + PIECE <= form.length; at += 1)
      if (runs.has(form.slice(at, at + PIECE))) return true;
    return false;
  });
}

/** A secret in lower case, with and without separators, in both directions. */
function formsOf(secret: string): string[] {
  const lower = secret.toLowerCase();
  const compact = withoutSeparators(lower);
  const forward = [lower, ...(compact.length >= PIECE ? [compact] : [])].filter((form) => form !== '');
  return [...forward, ...forward.map(backwards)];
}

/** Everything that a text can be read as, in lower case. */
function readingsOf(text: string): string[] {
  const plain = unescaped(text);
  const separators = new Set(plain.replace(/[a-z\d]/gi, ''));
  const thinned = [...separators].map((separator) => plain.replaceAll(separator, ''));
  const decoded = [plain, backwards(plain)].flatMap((each) => [...fromHex(each), ...fromBase64(each)]);
  const all = [text, plain, ...thinned, ...decoded, ...decoded.map(unescaped)].map((each) =>
    each.toLowerCase(),
  );
  return [...all, ...all.map(withoutSeparators)];
}

function runsOf(text: string): string[] {
  return Array.from({ length: Math.max(0, text.length - PIECE + 1) }, (_, at) => text.slice(at, at + PIECE));
}

function backwards(text: string): string {
  return [...text].reverse().join('');
}

function withoutSeparators(text: string): string {
  return text.replace(/[^a-z\d]/gi, '');
}

/** `%73`, `&#115;`, `&#x73;`, `&amp;`, `\u0073`, `\u{73}`, `\x73` and `=73`, also with a slash instead of the backslash. */
const ESCAPE =
  /%u([\da-f]{4})|%([\da-f]{2})|&#x([\da-f]{1,6});?|&#(\d{1,7});?|[\\/]u\{?([\da-f]{2,6})\}?|[\\/]x\{?([\da-f]{2})\}?|=([\da-f]{2})|&([a-z]{2,8});/gi;
const ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

function unescaped(text: string): string {
  let plain = text;
  for (let layer = 0; layer < LAYERS; layer += 1) {
    const before = plain;
    plain = plain.replace(ESCAPE, (_, unicode, percent, entity, decimal, braced, byte, printable, name) => {
      // The name of another mark stands for a separator, so its letters do not count.
      if (name !== undefined) return ENTITIES[name.toLowerCase()] ?? ' ';
      const hex = unicode ?? percent ?? entity ?? braced ?? byte ?? printable;
      const code = hex === undefined ? Number(decimal) : Number.parseInt(hex, 16);
      return code <= 0xffff ? String.fromCharCode(code) : ' ';
    });
    if (plain === before) break;
  }
  return plain;
}

/** The hex digits of a text as bytes, wherever the first byte begins. Words around them have hex digits as well, so each run counts alone. */
function fromHex(text: string): string[] {
  const runs = text.replace(/0x|[^\da-z]/gi, '').match(/[\da-f]{2,}/gi) ?? [];
  return runs.flatMap((run) =>
    [run, run.slice(1)].map((digits) => Buffer.from(digits, 'hex').toString('latin1')),
  );
}

/** A text as Base64 and base64url, wherever the first group of four begins. A hyphen may be a separator or a digit. */
function fromBase64(text: string): string[] {
  const digits = [text.replace(/[^\w+/-]/g, ''), text.replace(/[^a-z\d+/]/gi, '')];
  return digits.flatMap((each) =>
    [0, 1, 2, 3].map((skipped) => Buffer.from(each.slice(skipped), 'base64').toString('latin1')),
  );
}
