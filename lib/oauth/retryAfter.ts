/**
 * The time that a `Retry-After` header asks for (RFC 9110 section 10.2.3), in ms from `now`.
 * @param now the time of the clock that dates are compared with, in ms since the epoch
 * @returns undefined where there is none or it makes no sense; never throws
 */
export function retryAfterMs(header: string | undefined, now: number): number | undefined {
  const value = header?.trim() ?? '';
  if (/^\d{1,10}$/.test(value)) return Number(value) * 1_000;
  // Date.parse alone would take "3.5" for a date.
  const date = /^[A-Za-z]{3,9},? .*\d{2}:\d{2}:\d{2}/.test(value) ? Date.parse(value) : Number.NaN;
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}
