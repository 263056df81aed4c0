import type { ErrorPattern } from '../rotation/core/tokenRequest.ts';
import type { TokenResponseBody } from './readTokenResponse.ts';

/**
 * Whether a failed token response has everything that the pattern names.
 * @param actual the HTTP status
 * @param response undefined if the body is not a token response
 */
export function matchesPattern(
  { status, error, description, number, members = {} }: ErrorPattern,
  actual: number,
  response: TokenResponseBody | undefined,
): boolean {
  const { code, description: words = '', numbers = [] } = response?.error ?? {};
  return (
    isAmong(status, actual) &&
    (error === undefined || (error === true ? code !== undefined : code === error)) &&
    (description === undefined || description.test(words)) &&
    (number === undefined || numbers.includes(number)) &&
    Object.entries(members).every(([name, value]) => response?.members?.(name) === value)
  );
}

function isAmong(wanted: ErrorPattern['status'], status: number): boolean {
  if (wanted === undefined) return status < 300 || (status >= 400 && status < 500 && status !== 429);
  const [first, last] = typeof wanted === 'number' ? [wanted, wanted] : wanted;
  return status >= first && status <= last;
}
