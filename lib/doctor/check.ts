import { type Problem, problemOf, type RotatorError } from '../errors.ts';

/** The result of one check. */
export interface Check {
  /** What was checked: "refresh token". */
  readonly check: string;
  /** The connection, if the check is about one. */
  readonly connection?: string;
  readonly level: 'ok' | 'warning' | 'failed';
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

export function failed(check: string, { message, fix }: Pick<Problem, 'message' | 'fix'>): Check {
  return { check, level: 'failed', message, fix };
}

/** A thrown value as a failed check. */
export function thrownCheck(check: string, thrown: unknown): Check {
  return failed(check, problemOf(thrown));
}

/** Does the thrown value have this code? */
export function hasCode(thrown: unknown, code: RotatorError['code']): boolean {
  return problemOf(thrown).code === code;
}
