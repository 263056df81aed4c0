import type { ErrorCode, Problem } from '../../lib/errors.ts';

/** A problem with nothing special about it. */
export function problemWith(code: ErrorCode): Problem {
  return { code, message: `It is ${code}.`, fix: 'See why.' };
}
