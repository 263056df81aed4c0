import { type ErrorCode, type Problem, problemOf, type RotatorError } from '../errors.ts';

/** The result of one check. */
export interface Check {
  /** What was checked: "refresh token". */
  readonly check: string;
  /** The connection, if the check is about one. */
  readonly connection?: string;
  readonly level: 'ok' | 'warning' | 'failed';
  /** The error code, if the failure has one. */
  readonly code?: ErrorCode;
  /** What was found, one sentence. */
  readonly message: string;
  /** What to do, one sentence; not with `ok`. */
  readonly fix?: string;
}

export function ok(check: string, message: string): Check {
  return { check, level: 'ok', message };
}

export function warning(check: string, message: string, fix: string): Check {
  return { check, level: 'warning', message, fix };
}

export function failed(
  check: string,
  { code, message, fix }: Omit<Problem, 'code'> & { readonly code?: ErrorCode },
): Check {
  return { check, level: 'failed', ...(code !== undefined && { code }), message, fix };
}

/** A thrown value as a failed check. */
export function thrownCheck(check: string, thrown: unknown): Check {
  return failed(check, problemOf(thrown));
}

/** Does the thrown value have this code? */
export function hasCode(thrown: unknown, code: RotatorError['code']): boolean {
  return problemOf(thrown).code === code;
}
