/** The name of a day, and a time somewhere after it; asctime has the year after the time. */
const HTTP_DATE = /^[A-Za-z]{3,9},? .*\d{2}:\d{2}:\d{2}( \d{4}$)?/;

/**
 * The moment of an HTTP date, in any of its three forms (RFC 9110 section 5.6.7), in milliseconds since the epoch.
 * @returns undefined if the text is not an HTTP date: `Date.parse` alone accepts almost anything
 */
export function httpDate(text: string | undefined): number | undefined {
  const value = text?.trim() ?? '';
  const match = HTTP_DATE.exec(value);
  if (!match) return undefined;
  // HTTP dates are in UTC, which asctime omits.
  const moment = Date.parse(match[1] === undefined ? value : `${value} GMT`);
  return Number.isNaN(moment) ? undefined : moment;
}

/**
 * The wait that a `Retry-After` header requests (RFC 9110 section 10.2.3), in milliseconds from `now`.
 * @param now the time that a date is compared with, in milliseconds since the epoch; if undefined, a date requests no wait
 * @returns undefined if the header is missing or not valid; never throws
 */
export function retryAfterMs(header: string | undefined, now: number | undefined): number | undefined {
  const value = header?.trim() ?? '';
  if (/^\d{1,10}$/.test(value)) return Number(value) * 1_000;
  const date = httpDate(value);
  return date === undefined || now === undefined ? undefined : Math.max(0, date - now);
}
