import { RotatorError } from '../errors.ts';
import { refuseTooLarge, type TooLarge } from '../secretSize.ts';
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
    refuseTooLarge(value, tooLarge(key, name));
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

function tooLarge(key: string, name: string): TooLarge {
  const what = `Nothing was written: the ${name}`;
  if (key !== 'refreshToken') return { code: 'input_unreadable', what, fix: `Give the ${name} alone.` };
  const fix = 'Have the provider issue smaller ones: ask for fewer scopes or claims.';
  return { code: 'refresh_token_too_large', what, fix };
}
