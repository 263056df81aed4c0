/** How long to wait between attempts, in milliseconds. */
export interface Backoff {
  /** After the first failure; above 0. */
  readonly first: number;
  /** The wait doubles with each further failure, up to this. */
  readonly longest: number;
  /** Failures in a row so far: 1 after the first. Anything below counts as 1. */
  readonly attempt: number;
}

/** The wait after that many failures in a row, in milliseconds. It only returns the duration; the caller waits. */
export function backoff({ first, longest, attempt }: Backoff): number {
  // Beyond 1,023 doublings the power is Infinity, and the result is still `longest`.
  return Math.min(longest, first * 2 ** (Math.max(1, attempt) - 1));
}
