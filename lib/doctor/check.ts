import { type Problem, problemOf, type RotatorError } from '../errors.ts';

/** One thing that was looked at. */
export interface Check {
  /** What was looked at: "refresh token". */
  readonly check: string;
  /** The connection that it is about, where it is about one. */
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

/** What was thrown, as a failed check. */
export function thrownCheck(check: string, thrown: unknown): Check {
  return failed(check, problemOf(thrown));
}

/** Is it this problem? */
export function hasCode(thrown: unknown, code: RotatorError['code']): boolean {
  return problemOf(thrown).code === code;
}
