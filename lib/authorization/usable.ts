import { RotatorError } from '../errors.ts';
import { LARGEST_SECRET_BYTES } from '../rotation/ports.ts';
import type { FirstCredentials } from './storeConnection.ts';

const NAMES: Readonly<Record<keyof FirstCredentials, string>> = {
  clientId: 'client id',
  clientSecret: 'client secret',
  refreshToken: 'refresh token',
};

/**
 * Refuses what no provider would take, before it takes the place of something that works. No value stands in the error.
 * @throws RotatorError `input_unreadable`, `refresh_token_too_large`
 */
export function refuseUseless(credentials: Partial<FirstCredentials>): void {
  for (const [key, name] of Object.entries(NAMES)) {
    const value = credentials[key as keyof FirstCredentials];
    if (value === undefined) continue;
    refuseUnsendable(name, value);
    refuseTooLarge(key, name, value);
  }
}

/** RFC 6749 appendix A.1, A.2 and A.17: printable ASCII. */
function refuseUnsendable(name: string, value: string): void {
  const blank = value.trim() === '';
  if (!blank && /^[ -~]+$/.test(value)) return;
  const why = blank
    ? 'is blank'
    : 'holds a line break, a control character or something else that is no printable ASCII';
  throw new RotatorError({
    code: 'input_unreadable',
    message: `The ${name} ${why}: nothing was written.`,
    fix: `Give the whole ${name}, as the provider shows it, and nothing else.`,
  });
}

function refuseTooLarge(key: string, name: string, value: string): void {
  const { length } = value;
  if (length <= LARGEST_SECRET_BYTES) return;
  throw new RotatorError({
    code: key === 'refreshToken' ? 'refresh_token_too_large' : 'input_unreadable',
    message: `The ${name} has ${length} bytes; Key Vault takes ${LARGEST_SECRET_BYTES}: nothing was written.`,
    fix:
      key === 'refreshToken'
        ? 'Have the provider issue smaller ones: ask for fewer scopes or claims.'
        : `Give the ${name} alone.`,
  });
}
