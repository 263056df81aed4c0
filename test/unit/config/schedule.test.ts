import { describe, expect, it } from 'vitest';
import { longestGapMs } from '../../../lib/config/schedule.ts';

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
    ['more white space than needed', ' 0  */5 * * * * ', 300_000],
  ])('%s', (_, schedule, gap) => {
    expect(longestGapMs(schedule)).toBe(gap);
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
    ['a step of 0', '*/0 * * * * *'],
    ['the last day', '0 0 0 L * *'],
    ['a question mark', '0 0 0 ? * *'],
    ['the second Friday', '0 0 0 * * 5#2'],
    ['the nearest weekday', '0 0 0 15W * *'],
    ['an unknown name', '0 0 0 * Foo *'],
    ['a date that never comes', '0 0 0 30 2 *'],
    ['words', 'every ten seconds at all times'],
  ])('%s', (_, schedule) => {
    expect(longestGapMs(schedule)).toBeUndefined();
  });
});
