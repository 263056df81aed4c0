import { expect, test } from 'vitest';
import { retryAfterMs } from '../../../lib/oauth/retryAfter.ts';

const now = Date.UTC(2026, 0, 1, 12, 0, 0);

const headers: Record<string, [string | undefined, number | undefined]> = {
  'no header asks for nothing': [undefined, undefined],
  'an empty header asks for nothing': ['', undefined],
  'seconds are seconds': ['120', 120_000],
  'zero is now': ['0', 0],
  'a date is compared with the clock': ['Thu, 01 Jan 2026 12:01:00 GMT', 60_000],
  'a date of RFC 850 is understood': ['Thursday, 01-Jan-26 12:01:00 GMT', 60_000],
  'a date that has passed is now': ['Thu, 01 Jan 2026 11:00:00 GMT', 0],
  'a negative number is no time': ['-5', undefined],
  'a fraction is no time': ['3.5', undefined],
  'words are no time': ['soon', undefined],
  'a number of many digits is no time': ['9'.repeat(400), undefined],
};

test.each(Object.entries(headers))('%s', (_, [header, expected]) => {
  expect(retryAfterMs(header, now)).toBe(expected);
});
