import { describe, expect, test } from 'vitest';
import { CAREFUL_BEHAVIOR } from '../../../lib/rotation/core/connection.ts';
import {
  type IssuedTimes,
  lookDelay,
  publishPause,
  refreshTokenExpiry,
  refusedDelay,
  renewalTime,
  retryDelay,
  savePause,
} from '../../../lib/rotation/core/times.ts';

const HOUR = 3_600_000;
const INTERVAL = 10_000;
const token = { issuedAt: 1_000_000, expiresAt: 1_000_000 + HOUR };

const renewal = (
  times: IssuedTimes,
  name = 'crm',
  { renewBeforeMs, interval = INTERVAL }: { renewBeforeMs?: number; interval?: number } = {},
) => renewalTime(times, { name, renewBeforeMs }, interval);

describe('delays', () => {
  test.each([
    [0, 10_000],
    [1, 10_000],
    [2, 20_000],
    [5, 160_000],
    [6, 300_000],
    [1_000_000, 300_000],
  ])('after failure %i the next attempt follows in %i ms', (count, ms) => expect(retryDelay(count)).toBe(ms));

  test.each([
    [0, 60_000],
    [60_000, 60_000],
    [120_000, 120_000],
    [300_000, 300_000],
    [1_000_000, 300_000],
  ])('a connection that has been blocked for %i ms is looked at after %i ms', (blockedForMs, ms) =>
    expect(lookDelay(blockedForMs)).toBe(ms),
  );
});

describe('the renewal of an access token', () => {
  test('is due after two thirds of its lifetime, or at most a twentieth earlier', () => {
    for (const name of ['', 'a', 'crm', 'dynamics-prod', '😀', 'Z'.repeat(127)]) {
      const gone = (renewal(token, name) - token.issuedAt) / HOUR;
      expect(gone).toBeGreaterThan(2 / 3 - 1 / 20);
      expect(gone).toBeLessThanOrEqual(2 / 3);
    }
  });

  test('is due `renewBefore` before its end, or a little earlier', () => {
    const before = token.expiresAt - renewal(token, 'crm', { renewBeforeMs: 600_000 });
    expect(before).toBeGreaterThanOrEqual(600_000);
    expect(before).toBeLessThan(600_000 + HOUR / 20);
  });

  test('is never due in the first quarter of its lifetime', () => {
    expect(renewal(token, 'crm', { renewBeforeMs: 10 * HOUR })).toBe(token.issuedAt + HOUR / 4);
  });

  test('is due earlier if the refresh token ends first', () => {
    const { issuedAt } = token;
    const due = (life: number, refreshTokenEndIsFixed?: boolean) =>
      renewal({ ...token, refreshTokenExpiresAt: issuedAt + life, refreshTokenEndIsFixed });
    expect(due(HOUR / 2)).toBe(issuedAt + HOUR / 3);
    expect(due(24 * HOUR)).toBe(renewal(token));
    expect(due(30_000)).toBe(issuedAt + 20_000);
    expect(due(30_000, false)).toBe(issuedAt + 20_000);
  });

  test('comes in steps of a minute towards an end that no renewal moves', () => {
    const refreshTokenExpiresAt = token.issuedAt + 30_000;
    const times = { ...token, refreshTokenExpiresAt, refreshTokenEndIsFixed: true };
    expect(renewal(times)).toBe(token.issuedAt + 60_000);
  });

  test.each([
    ['after a minute if it lives for a second', 1_000, INTERVAL, 60_000],
    ['after a minute if the schedule is slower as well', 1_000, 300_000, 60_000],
    ['after a minute if two thirds of its life are gone earlier', 80_000, INTERVAL, 60_000],
    ['after three sweeps with a schedule more frequent than the default', 1_000, 5_000, 15_000],
    ['in time with short tokens and a frequent schedule', 30_000, 5_000, 18_610],
    ['in time if it lives long enough', 120_000, INTERVAL, 74_439],
  ])('is due %s', (_, lifetime, interval, expected) => {
    const { issuedAt } = token;
    const due = renewal({ issuedAt, expiresAt: issuedAt + lifetime }, 'crm', { interval });
    expect(due - issuedAt).toBe(expected);
  });

  test('waits for a minute if the refresh token ends before the next sweep anyway', () => {
    const refreshTokenExpiresAt = token.issuedAt + 1_000;
    expect(renewal({ ...token, refreshTokenExpiresAt })).toBe(token.issuedAt + 60_000);
  });

  test('is not postponed by a short life of the access token if the refresh token ends first', () => {
    const { issuedAt } = token;
    const times = { issuedAt, expiresAt: issuedAt + 1_000, refreshTokenExpiresAt: issuedAt + 60_000 };
    expect(renewal(times)).toBe(issuedAt + 40_000);
  });

  test('is due at the same time for the same connection, and at other times for others', () => {
    expect(renewal(token)).toBe(renewal(token));
    const times = new Set(Array.from({ length: 100 }, (_, index) => renewal(token, `crm-${index}`)));
    expect(times.size).toBeGreaterThan(95);
  });
});

describe('the pauses', () => {
  test.each([
    [1, 0, 250],
    [2, 0, 500],
    [5, 0, 4_000],
    [20, 0, 10_000],
    [1, 3_000, 3_000],
    [1, 60_000, 10_000],
  ])('after save %i with Retry-After %i ms: %i ms', (attempt, retryAfterMs, ms) =>
    expect(savePause(attempt, retryAfterMs)).toBe(ms),
  );

  test('between publications grow evenly', () =>
    expect([1, 2, 3].map(publishPause)).toEqual([500, 1_000, 1_500]));

  const DAY = 24 * HOUR;
  test.each([
    [0, 1, 60_000],
    [60_000, 2, 120_000],
    [DAY - 1, 20, HOUR],
    [DAY, 1, DAY],
    [7 * DAY - 1, 30, DAY],
    [7 * DAY, 1, Number.POSITIVE_INFINITY],
  ])('of a token that was refused for %i ms, %i times: %d ms', (refusedForMs, count, ms) =>
    expect(refusedDelay(refusedForMs, count)).toBe(ms),
  );
});

describe('the expiry of a refresh token', () => {
  const lasting = (refreshTokenDeadline?: 'idle' | 'absolute') => ({
    ...CAREFUL_BEHAVIOR,
    refreshTokenLifetimeMs: 500,
    ...(refreshTokenDeadline && { refreshTokenDeadline }),
  });
  const issued = (lifetimeMs?: number) => ({ issuedAt: 1_000, lifetimeMs });

  test('comes from the response first', () =>
    expect(refreshTokenExpiry(issued(30), lasting('absolute'), 100)).toBe(1_030));

  test('counts from the renewal or from the sign-in', () => {
    expect(refreshTokenExpiry(issued(), lasting('idle'), 100)).toBe(1_500);
    expect(refreshTokenExpiry(issued(), lasting('absolute'), 100)).toBe(600);
  });

  test('is unknown if the sign-in, the kind or the lifetime is', () => {
    expect(refreshTokenExpiry(issued(), lasting('absolute'), undefined)).toBeUndefined();
    expect(refreshTokenExpiry(issued(), lasting(), 100)).toBeUndefined();
    expect(
      refreshTokenExpiry(issued(), { ...CAREFUL_BEHAVIOR, refreshTokenDeadline: 'idle' }, 100),
    ).toBeUndefined();
  });
});
