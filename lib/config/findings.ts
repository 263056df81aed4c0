import { type ErrorCode, RotatorError } from '../errors.ts';

/** One thing that is wrong in the configuration. No part of it repeats a configured value. */
export interface Finding {
  /** The setting or the path inside the file: `connections.dynamics-prod.tokenUri`. */
  readonly where: string;
  /** Follows `where` in a sentence: "must use https". */
  readonly cause: string;
  /** A sentence that says what to do. */
  readonly fix: string;
}

/** More would only hide the first ones; the rest is seen when these are repaired. */
const MOST_SHOWN = 12;

/**
 * All findings in one problem.
 * @param findings at least one
 */
export function findingsError(code: ErrorCode, findings: readonly Finding[]): RotatorError {
  const shown = findings.slice(0, MOST_SHOWN);
  const hidden = findings.length - shown.length;
  const causes = new Set(shown.map(({ where, cause }) => `${where} ${cause}`));
  const more = hidden > 0 ? `; and ${hidden} more` : '';
  const fixes = new Set(shown.map(({ fix }) => fix));
  return new RotatorError({ code, message: `${[...causes].join('; ')}${more}.`, fix: [...fixes].join(' ') });
}

const LONGEST_NAME = 127;

/**
 * A name out of the file in a form that is safe in a log line, a terminal and an answer: control characters,
 * white space and everything beyond ASCII become `?`, and the end of an overlong name is cut off.
 */
export function printable(name: string): string {
  const plain = name.replace(/[^\x21-\x7e]/g, '?');
  if (plain === '') return '(empty)';
  return plain.length > LONGEST_NAME ? `${plain.slice(0, LONGEST_NAME)}...` : plain;
}
