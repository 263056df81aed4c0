import { type ErrorCode, RotatorError } from '../errors.ts';
import { safeName } from '../safeText.ts';

/** One problem in the configuration. No part of it repeats a configured value. */
export interface Finding {
  /** The setting or the path inside the file: `connections.crm-prod.tokenUri`. */
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

/** The members whose items are objects. */
const LISTS: ReadonlySet<string> = new Set(['errors', 'clientKey']);

/** A key that appears twice. @param at the path of the entry or profile @param path inside it, as it is written */
export function repeatedFinding(at: string, path: readonly string[]): Finding {
  const where = path.reduce(
    (joined, part, index) =>
      LISTS.has(path[index - 1] ?? '') && /^\d+$/.test(part)
        ? `${joined}[${part}]`
        : `${joined}.${safeName(part)}`,
    at,
  );
  return {
    where,
    cause: 'appears twice',
    fix: `Keep one ${where}: only the last would count.`,
    within: path,
  };
}
