import { describe, expect, it } from 'vitest';
import { longestGapMs, nextRunOf } from '../../../lib/config/schedule.ts';

describe('the schedule interval is the longest gap between two runs', () => {
  it.each([
    ['every ten seconds', '*/10 * * * * *', 10_000],
    ['every second', '* * * * * *', 1000],
    ['a step that does not divide the minute', '*/7 * * * * *', 7000],
    ['two seconds of a minute, close together', '0,5 * * * * *', 55_000],
    ['two minutes of an hour, close together', '0 0,1 * * * *', 59 * 60_000],
    ['a step from a number to the end', '50/5 * * * * *', 55_000],
    ['every five minutes', '0 */5 * * * *', 300_000],
    ['a range of hours', '0 0 8-18 * * *', 14 * 3_600_000],
    ['working days by name', '0 0 9 * * Mon-Fri', 3 * 86_400_000],
    ['months by name', '0 0 0 1 jan,feb *', 335 * 86_400_000],
    ['a day and a day of week that must both match', '0 0 0 1 * 1', 427 * 86_400_000],
    ['more spaces than needed', ' 0  */5 * * * * ', 300_000],
    ['full names', '0 0 0 * January Monday', 343 * 86_400_000],
    [
      'a range whose ends are swapped: only Sunday and Monday',
      '*/10 * * * * Mon-Sun',
      5 * 86_400_000 + 10_000,
    ],
    ['a range whose ends are swapped: every day', '*/10 * * * * Sat-Sun', 10_000],
    ['a pause at night', '*/10 * 8-18 * * *', 13 * 3_600_000 + 10_000],
    ['a day that only leap years have', '0 0 0 29 2 *', 1461 * 86_400_000],
    ['one day in 28 years', '0 0 0 29 2 1', 28 * 365.25 * 86_400_000],
  ])('%s', (_, schedule, gap) => {
    expect(longestGapMs(schedule)).toBe(gap);
  });
});

describe('a schedule that the host would not run is refused', () => {
  it.each([
    ['nothing', ''],
    ['five fields', '*/5 * * * *'],
    ['seven fields', '0 0 0 1 1 * 2030'],
    ['a time span', '00:00:10'],
    ['a nickname', '@hourly'],
    ['a date', '2030-01-01T00:00:00'],
    ['a second of 60', '60 * * * * *'],
    ['the last day', '0 0 0 L * *'],
    ['a question mark', '0 0 0 ? * *'],
    ['the second Friday', '0 0 0 * * 5#2'],
    ['the nearest weekday', '0 0 0 15W * *'],
    ['a Sunday called 7', '0 0 0 * * 7'],
    ['a week that ends with 7', '0 0 0 * * 1-7'],
    ['tabs between fields', '*/10\t*\t*\t*\t*\t*'],
    ['a line break at the end', '*/10 * * * * *\n'],
    ['an unknown name', '0 0 0 * Foo *'],
    ['a date that never comes', '0 0 0 30 2 *'],
    ['words', 'every ten seconds at all times'],
  ])('%s', (_, schedule) => {
    expect(longestGapMs(schedule)).toBeUndefined();
  });
});

describe('the next run', () => {
  const START = Date.parse('2026-01-03T23:59:59.500Z');
  it.each([
    ['is never the moment itself', '* * * * * *', START - 500, '2026-01-04T00:00:00.000Z'],
    ['may be in the same second', '* * * * * *', START - 501, '2026-01-03T23:59:59.000Z'],
    ['may be on the next day', '0 0 12 * * *', START, '2026-01-04T12:00:00.000Z'],
    ['may be years away', '0 0 0 29 2 *', START, '2028-02-29T00:00:00.000Z'],
  ])('%s', (_, schedule, after, expected) => {
    expect(new Date(nextRunOf(schedule)(after) ?? 0).toISOString()).toBe(expected);
  });
});
