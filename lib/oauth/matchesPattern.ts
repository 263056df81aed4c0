import type { ErrorPattern, Wording } from '../rotation/core/tokenRequest.ts';
import type { TokenResponseBody } from './readTokenResponse.ts';
import { wordsOf } from './responseError.ts';

/**
 * Whether a failed token response has everything that the pattern names.
 * @param actual the HTTP status, and whether a valid `Retry-After` names the time of the next request
 * @param response undefined if the body is not a token response
 */
export function matchesPattern(
  { status, error, description, says, number, hasRetryAfter, members = {} }: ErrorPattern,
  actual: { readonly status: number; readonly hasRetryAfter: boolean },
  response: TokenResponseBody | undefined,
): boolean {
  const { description: words = '', numbers = [] } = response?.error ?? {};
  const code = codeBeside(response?.error?.code, actual.status);
  return (
    isAmong(status, actual.status) &&
    (hasRetryAfter === undefined || actual.hasRetryAfter) &&
    (error === undefined || (error === true ? code !== undefined : code === error)) &&
    (description === undefined || description.test(words)) &&
    (says === undefined || (response?.error !== undefined && isSaid(says, wordsOf(response.error)))) &&
    (number === undefined || numbers.includes(number)) &&
    Object.entries(members).every(([name, value]) => response?.members?.(name) === value)
  );
}

/** An error that only repeats the HTTP status says nothing. */
export function codeBeside(code: string | undefined, status: number): string | undefined {
  return code === String(status) ? undefined : code;
}

function isSaid({ any, none = [] }: Wording, words: string): boolean {
  return any.some((each) => each.test(words)) && !none.some((each) => each.test(words));
}

function isAmong(wanted: ErrorPattern['status'], status: number): boolean {
  if (wanted === undefined) return status < 300 || (status >= 400 && status < 500 && status !== 429);
  const [first, last] = typeof wanted === 'number' ? [wanted, wanted] : wanted;
  return status >= first && status <= last;
}
