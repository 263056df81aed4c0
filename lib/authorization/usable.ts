import { RotatorError } from '../errors.ts';
import { flawOf } from '../rotation/core/credentialValue.ts';
import { refuseTooLarge, type TooLarge } from '../secretSize.ts';
import type { FirstCredentials } from './storeConnection.ts';

const NAMES: Readonly<Record<keyof FirstCredentials, string>> = {
  clientId: 'client id',
  clientSecret: 'client secret',
  refreshToken: 'refresh token',
};

/**
 * Refuses a value that no provider would accept, before it replaces one that works. The error does not show the value.
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

function refuseUnsendable(name: string, value: string): void {
  const why = flawOf(value);
  if (why === undefined) return;
  throw new RotatorError({
    code: 'input_unreadable',
    message: `The ${name} ${why}. Nothing was written.`,
    fix: `Provide the ${name} exactly as the provider shows it, without quotes and other text.`,
  });
}

function tooLarge(key: string, name: string): TooLarge {
  const what = `Nothing was written: the ${name}`;
  if (key !== 'refreshToken') return { code: 'input_unreadable', what, fix: `Provide only the ${name}.` };
  const fix = 'Request fewer scopes or claims, so that the provider issues smaller tokens.';
  return { code: 'refresh_token_too_large', what, fix };
}
