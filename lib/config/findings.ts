import { type ErrorCode, RotatorError } from '../errors.ts';

/** One problem in the configuration. No part of it repeats a configured value. */
export interface Finding {
  /** The setting or the path inside the file: `connections.dynamics-prod.tokenUri`. */
  readonly where: string;
  /** The keys from the entry, or from the top of the file, to the field, as they are written; missing: the whole. */
  readonly within?: readonly PropertyKey[];
  /** Follows `where` in a sentence: "must use https". */
  readonly cause: string;
  /** A sentence that says what to do. */
  readonly fix: string;
}

/** More would only hide the first ones; the others are reported when these are fixed. */
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
