import { type ErrorCode, RotatorError } from './errors.ts';

/** The longest value that a secret can have, in bytes: 25 KB (Key Vault service limits). */
const LARGEST_SECRET_BYTES = 25_600;

/** How a value that is too large is reported. */
export interface TooLarge {
  readonly code: ErrorCode;
  /** The beginning of a sentence that continues with "has 25601 bytes". */
  readonly what: string;
  readonly fix: string;
}

/**
 * Refuses a value that no vault can store.
 * @throws RotatorError with the given code, without the value
 */
export function refuseTooLarge(value: string, { code, what, fix }: TooLarge): void {
  const bytes = Buffer.byteLength(value);
  if (bytes <= LARGEST_SECRET_BYTES) return;
  const message = `${what} has ${bytes} bytes; Key Vault allows ${LARGEST_SECRET_BYTES}.`;
  throw new RotatorError({ code, message, fix });
}
