import { RotatorError } from '../../errors.ts';
import type { Secret } from '../ports.ts';
import { isManaged } from './tags.ts';

/** The secret of a credential, and what it is for. */
export interface CredentialPlace {
  readonly secret: string;
  readonly vaultUrl: string;
  /** What the secret holds: "the client secret". */
  readonly what: string;
  /** false for a private key, which stays here and may have several lines. Default: true. */
  readonly isSent?: boolean;
}

/** What editors, pipes and copying leave at the ends of a value: a byte order mark, line ends and blanks. */
const MARGIN = '\ufeff\r\n ';
const OPENS = /^["'`\u2018-\u201f\u00ab\u2039]/;
const CLOSES = /["'`\u2018-\u201f\u00bb\u203a]$/;
/** A private key as PEM, also with its line ends written as \n, as the base64 of PEM, or as JWK (RFC 7517 section 9.3). */
const PRIVATE_KEY = /-----BEGIN [A-Z0-9 ]*PRIVATE KEY|^LS0tLS1CRUdJTi|^\{(?=.*"kty"\s*:).*"d"\s*:/s;
/** RFC 6749 appendix A.1, A.2 and A.17: printable ASCII. */
const NOT_SENDABLE = /[^ -~]/u;

/** The value without what an editor or a pipe put around it. */
export function bareValue(text: string): string {
  let from = 0;
  let to = text.length;
  while (from < to && MARGIN.includes(text.charAt(from))) from += 1;
  while (to > from && MARGIN.includes(text.charAt(to - 1))) to -= 1;
  return text.slice(from, to);
}

/** Does the text begin with a quote, straight or typographic? */
export function beginsWithQuote(text: string): boolean {
  return OPENS.test(text);
}

/** Does the text end with a quote, straight or typographic? */
export function endsWithQuote(text: string): boolean {
  return CLOSES.test(text);
}

/** Is the text in quotes, as in a script or an .env file? */
export function isQuoted(text: string): boolean {
  return text.length > 1 && beginsWithQuote(text) && endsWithQuote(text);
}

/**
 * Why no provider would accept the value of a client id, a client secret or a refresh token that an operator provides. The
 * words do not repeat the value.
 * @returns the end of a sentence, such as "is blank"; undefined if the value can be sent
 */
export function flawOf(value: string): string | undefined {
  if (value.trim() === '') return 'is blank';
  if (isQuoted(value)) return 'has quotes around it';
  if (PRIVATE_KEY.test(value) || isKeyInDer(value)) return 'is a private key, which is never sent';
  const found = NOT_SENDABLE.exec(value);
  if (!found) return undefined;
  const code = (found[0].codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0');
  return `contains a line break, a control character or another character that is not printable ASCII: U+${code} at character ${found.index + 1}`;
}

/**
 * Is the text the base64 of a private key (PKCS #1, PKCS #8, SEC 1) or of a PKCS #12 archive, as Key Vault returns the private key of an
 * exportable certificate? Each is a DER sequence over the whole text that begins with a version of 0, 1 or 3.
 */
function isKeyInDer(value: string): boolean {
  if (!/^M[A-Za-z0-9+/\r\n]+=*$/.test(value)) return false;
  const der = Buffer.from(value, 'base64');
  const first = der[1] ?? 0;
  const lengthBytes = first < 0x80 ? 0 : first - 0x80;
  if (lengthBytes > 4) return false;
  const header = 2 + lengthBytes;
  // The length may be open (0x80): BER, which some archives are.
  const isWhole = first === 0x80 || header + lengthIn(der, first, lengthBytes) === der.length;
  const version = der.subarray(header, header + 3).toString('hex');
  return isWhole && ['020100', '020101', '020103'].includes(version);
}

function lengthIn(der: Buffer, first: number, lengthBytes: number): number {
  return lengthBytes === 0 || der.length < 2 + lengthBytes ? first : der.readUIntBE(2, lengthBytes);
}

/**
 * Why a secret cannot be sent: it is missing, empty, or an operator set it to a value that no provider accepts. What the provider
 * issued and the rotator saved is sent as it is.
 * @returns an error that a new version of the secret clears; undefined if its {@link bareValue} can be sent
 */
export function unusableSecret(
  found: Pick<Secret, 'value' | 'version' | 'tags'> | undefined,
  place: CredentialPlace,
): RotatorError | undefined {
  const { secret, vaultUrl, what } = place;
  const clearedBy = [{ secret, version: found?.version ?? null }];
  const at = `The secret ${secret} in ${vaultUrl}`;
  if (!found?.value.trim()) {
    const isMissing = found === undefined;
    const problem = {
      code: isMissing ? 'secret_missing' : 'secret_empty',
      message: `${at} ${isMissing ? 'does not exist' : 'is empty'}.`,
      fix: `Set ${secret} to ${what}${isMissing ? ', or recover it if it was deleted' : ''}. The rotator detects the change.`,
    } as const;
    return new RotatorError(problem, { clearedBy });
  }
  const isSent = place.isSent !== false && !isManaged(found.tags);
  const flaw = isSent ? flawOf(bareValue(found.value)) : undefined;
  if (flaw === undefined) return undefined;
  return new RotatorError(
    {
      code: 'secret_malformed',
      message: `${at} ${flaw}. Nothing was sent.`,
      fix: `Set ${secret} to ${what} exactly as the provider shows it, without quotes and other text. The rotator detects the change.`,
    },
    { clearedBy },
  );
}
