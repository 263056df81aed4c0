import { expect, test } from 'vitest';
import { httpDate, retryAfterMs } from '../../lib/retryAfter.ts';

const now = Date.UTC(2026, 0, 1, 12, 0, 0);

const headers: Record<string, [string | undefined, number | undefined]> = {
  'no header requests no wait': [undefined, undefined],
  'an empty header requests no wait': ['', undefined],
  'seconds are seconds': ['120', 120_000],
  'zero is now': ['0', 0],
  'a date is compared with the clock': ['Thu, 01 Jan 2026 12:01:00 GMT', 60_000],
  'a date of RFC 850 is understood': ['Thursday, 01-Jan-26 12:01:00 GMT', 60_000],
  'a date of asctime is understood, as UTC': ['Thu Jan  1 12:01:00 2026', 60_000],
  'white space around the value is ignored': [' 7 ', 7_000],
  'a date that has passed is now': ['Thu, 01 Jan 2026 11:00:00 GMT', 0],
  'a negative number is not valid': ['-5', undefined],
  'a fraction is not valid': ['3.5', undefined],
  'a date that does not exist is not valid': ['Thu, 32 Jan 2026 12:01:00 GMT', undefined],
  'a date of another standard is not valid': ['2026-01-01T12:01:00Z', undefined],
  'words are not valid': ['soon', undefined],
  'a number with many digits is not valid': ['9'.repeat(400), undefined],
};

test.each(Object.entries(headers))('%s', (_, [header, expected]) => {
  expect(retryAfterMs(header, now)).toBe(expected);
});

test('a date requests no wait if the current time is unknown', () => {
  expect(retryAfterMs('Thu, 01 Jan 2026 12:01:00 GMT', undefined)).toBeUndefined();
  expect(retryAfterMs('120', undefined)).toBe(120_000);
  expect(httpDate(undefined)).toBeUndefined();
});
