import { describe, expect, test } from 'vitest';
import { laterToken, lookDue, mustPause } from '../../../lib/consumer/freshness.ts';

const MINUTE = 60_000;
const HOUR_TOKEN = { issuedAt: 0, expiresAt: 60 * MINUTE };
const SHORT_TOKEN = { issuedAt: 0, expiresAt: 30_000 };

describe('a look is due', () => {
  test.each([
    ['not immediately', HOUR_TOKEN, 0, 59_999, 'no'],
    ['meanwhile after a minute', HOUR_TOKEN, 0, MINUTE, 'look_meanwhile'],
    ['first after two minutes without a call', HOUR_TOKEN, 0, 2 * MINUTE, 'look_first'],
    ['not again right after a look', HOUR_TOKEN, 10 * MINUTE, 10 * MINUTE + 999, 'no'],
    ['meanwhile before the last minute', HOUR_TOKEN, 58 * MINUTE, 59 * MINUTE - 1, 'no'],
    ['first in the last minute', HOUR_TOKEN, 59 * MINUTE - 1_000, 59 * MINUTE, 'look_first'],
    ['once a second in the last minute', HOUR_TOKEN, 59 * MINUTE, 59 * MINUTE + 999, 'no'],
    ['meanwhile after 5 s of a token of 30 s', SHORT_TOKEN, 0, 5_000, 'look_meanwhile'],
    ['first in the last 5 s of a token of 30 s', SHORT_TOKEN, 24_000, 25_000, 'look_first'],
    ['first after the clock was set back', HOUR_TOKEN, 30 * MINUTE, 29 * MINUTE, 'look_first'],
  ] as const)('%s', (_, token, lookedAt, now, expected) => {
    expect(lookDue(token, { lookedAt, failures: 0 }, now)).toBe(expected);
  });

  test('at least two times between the renewal at two thirds and the expiry', () => {
    for (const seconds of [30, 60, 600, 3600, 86_400]) {
      const token = { issuedAt: 0, expiresAt: seconds * 1000 };
      const lookedAt = Math.ceil((token.expiresAt * 2) / 3) - 1;
      const next = lookedAt + Math.ceil(token.expiresAt / 6);
      expect(lookDue(token, { lookedAt, failures: 0 }, next)).not.toBe('no');
    }
  });

  test('only in the background after a failure, even in the last minute', () => {
    const looks = { lookedAt: 59 * MINUTE, failures: 1 };
    expect(lookDue(HOUR_TOKEN, looks, 59 * MINUTE + 999)).toBe('no');
    expect(lookDue(HOUR_TOKEN, looks, 59 * MINUTE + 1_000)).toBe('look_meanwhile');
  });
});

test.each([
  [1, 1_000],
  [2, 2_000],
  [3, 4_000],
  [4, 8_000],
  [5, 10_000],
  [5_000, 10_000],
])('after %i failures the pause is %i ms', (failures, ms) => {
  expect(mustPause({ lookedAt: 0, failures }, ms - 1)).toBe(true);
  expect(mustPause({ lookedAt: 0, failures }, ms)).toBe(false);
});

describe('the token from the vault', () => {
  const held = { issuedAt: 10 * MINUTE, expiresAt: 70 * MINUTE };

  test.each([
    ['replaces one that was issued earlier', 40 * MINUTE, true],
    ['replaces one that was issued in the same second', 10 * MINUTE, true],
    ['does not replace one that was issued later', 10 * MINUTE - 1_000, false],
  ])('%s', (_, issuedAt, replaces) => {
    // It expires later, so only the time of issue decides.
    const found = { issuedAt, expiresAt: 100 * MINUTE };
    expect(laterToken(held, found)).toBe(replaces ? found : held);
  });

  test('is used if none in memory is valid', () => expect(laterToken(undefined, held)).toBe(held));
});
