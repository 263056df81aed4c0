import type { ErrorCode, Problem } from '../../lib/errors.ts';

/** A problem with the code and otherwise arbitrary text. */
export function problemWith(code: ErrorCode): Problem {
  return { code, message: `It is ${code}.`, fix: 'See why.' };
}
