import { describe, expect, test } from 'vitest';
import { CAREFUL_BEHAVIOR, type TokenBehavior } from '../../../lib/rotation/core/connection.ts';
import {
  blockedRetryDelay,
  expectedRefreshTokenExpiry,
  handoverTime,
  type IssuedTimes,
  isRepeatable,
  isShortLived,
  lastLookDelay,
  lookDelay,
  probePause,
  publishPause,
  REMOVAL_PATIENCE_MS,
  refreshAcceptedAt,
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
  {
    renewBeforeMs,
    interval = INTERVAL,
    ...behavior
  }: { renewBeforeMs?: number; interval?: number } & Partial<TokenBehavior> = {},
) => renewalTime(times, { name, renewBeforeMs, behavior: { ...CAREFUL_BEHAVIOR, ...behavior } }, interval);
const NAMES = [
  '',
  'a',
  'crm',
  'dynamics-prod',
  '😀',
  'Z'.repeat(127),
  ...Array.from({ length: 50 }, (_, index) => `crm-${index}`),
];

describe('delays', () => {
  test.each([
    [0, 10_000],
    [1, 10_000],
    [2, 20_000],
    [5, 160_000],
    [6, 300_000],
    [1_000_000, 300_000],
  ])('after failure %i the next attempt follows in %i ms', (count, ms) =>
    expect(retryDelay(count, {})).toBe(ms),
  );

  test.each([
    [0, 60_000],
    [60_000, 60_000],
    [120_000, 120_000],
    [300_000, 300_000],
    [1_000_000, 300_000],
  ])('a connection that has been blocked for %i ms is looked at after %i ms', (blockedForMs, ms) =>
    expect(lookDelay(blockedForMs)).toBe(ms),
  );

  test.each([
    [1, 10_000],
    [3, 40_000],
    [4, 60_000],
    [100, 60_000],
  ])('after failure %i in a row a host is left alone for %i ms', (count, ms) =>
    expect(probePause(count)).toBe(ms),
  );

  test('a removal waits for a response and its save: 62 s and 20 s', () =>
    expect(REMOVAL_PATIENCE_MS).toBe(82_000));

  const AT = 50_000_000;
  test.each<[string, (number | undefined)[], number]>([
    ['of an unknown age', [undefined], HOUR],
    ['that were set ten minutes before', [AT - 600_000], HOUR],
    ['that were set later than that', [AT - 599_999], 30_000],
    ['of which one was set just before', [undefined, 0, AT - 1], 30_000],
    ['that are not the cause', [], HOUR],
  ])('a block by client credentials %s', (_, setAt, ms) => expect(blockedRetryDelay(setAt, AT)).toBe(ms));
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
    expect(due(15_000)).toBe(issuedAt + INTERVAL);
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

  test.each([
    ['two thirds of its life are less than a minute', 89_999, INTERVAL, true],
    ['two thirds of its life are a minute', 90_000, INTERVAL, false],
    ['two thirds of its life are less than three sweeps of a frequent schedule', 22_499, 5_000, true],
    ['two thirds of its life are three sweeps of a frequent schedule', 22_500, 5_000, false],
  ])('waits for the shortest time between two renewals if %s', (_, lifetime, interval, isShort) => {
    const { issuedAt } = token;
    expect(isShortLived({ issuedAt, expiresAt: issuedAt + lifetime }, interval)).toBe(isShort);
  });

  test('is due at the same time for the same connection, and at other times for others', () => {
    expect(renewal(token)).toBe(renewal(token));
    const times = new Set(Array.from({ length: 100 }, (_, index) => renewal(token, `crm-${index}`)));
    expect(times.size).toBeGreaterThan(95);
  });
});

describe('the renewal of an access token that the refresh ends', () => {
  const late = { accessTokenEndsAtRefresh: true } as const;
  const leftAt = (lifetime: number, more: Parameters<typeof renewal>[2] = {}) =>
    NAMES.map((name) => lifetime - renewal({ issuedAt: 0, expiresAt: lifetime }, name, { ...late, ...more }));

  test.each([
    ['the last five minutes of a long life', 8 * HOUR, 300_000],
    ['the last tenth of a short life', 600_000, 60_000],
    ['the last three sweeps of a very short life', 150_000, 30_000],
  ])('begins %s, or half of that time earlier', (_, lifetime, left) => {
    for (const each of leftAt(lifetime)) {
      expect(each).toBeGreaterThanOrEqual(left);
      expect(each).toBeLessThanOrEqual(left * 1.5);
    }
  });

  test('leaves time for three sweeps of a slow schedule', () => {
    for (const each of leftAt(HOUR, { interval: 120_000 })) expect(each).toBeGreaterThanOrEqual(360_000);
  });

  test('never takes more than the usual third, or a twentieth more, although three sweeps take longer', () => {
    for (const each of leftAt(150_000, { interval: 20_000 })) {
      expect(each).toBeGreaterThanOrEqual(50_000);
      expect(each).toBeLessThanOrEqual(57_500);
    }
  });

  test('is `renewBefore` before the end if the entry says so', () => {
    for (const each of leftAt(8 * HOUR, { renewBeforeMs: 60_000 })) {
      expect(each).toBeGreaterThanOrEqual(60_000);
      expect(each).toBeLessThanOrEqual(90_000);
    }
  });
});

describe('the renewal of an access token that the provider does not renew while it is young', () => {
  const earliest = { earliestRenewalMs: 570_000 };
  const dueAt = (
    lifetime: number,
    more: Parameters<typeof renewal>[2] = {},
    times: Partial<IssuedTimes> = {},
  ) =>
    NAMES.map((name) =>
      renewal({ issuedAt: 0, expiresAt: lifetime, ...times }, name, { ...earliest, ...more }),
    );

  test('comes after the provider accepts it, whatever the response took, and in time for a sweep and a request', () => {
    for (const due of dueAt(600_000)) {
      expect(due).toBeGreaterThanOrEqual(575_000);
      expect(due + INTERVAL).toBeLessThanOrEqual(595_000);
    }
  });

  test('is spread over a quarter of the time that is left', () => {
    const times = dueAt(600_000);
    expect(Math.max(...times)).toBeLessThanOrEqual(575_000 + 25_000 / 4);
    expect(Math.max(...times)).toBeGreaterThan(575_000 + 25_000 / 5);
    expect(Math.min(...times)).toBeLessThan(575_000 + 25_000 / 20);
  });

  test('is not spread if the token ends before the provider accepts it', () =>
    expect(new Set(dueAt(300_000))).toEqual(new Set([575_000])));

  test('does not come earlier for `renewBefore` or a refresh token that ends', () => {
    expect(Math.min(...dueAt(600_000, { renewBeforeMs: 300_000 }))).toBeGreaterThanOrEqual(575_000);
    expect(Math.min(...dueAt(600_000, {}, { refreshTokenExpiresAt: 300_000 }))).toBeGreaterThanOrEqual(
      575_000,
    );
  });

  test('is the usual one if that is later', () =>
    expect(renewal(token, 'crm', earliest)).toBe(renewal(token)));

  test('is not tried until then, also if a caller forces it, counted from the published token, or else from the save', () => {
    const behavior = { ...CAREFUL_BEHAVIOR, ...earliest };
    expect(refreshAcceptedAt(3_000, { issuedAt: 1_000 }, behavior)).toBe(576_000);
    expect(refreshAcceptedAt(900_000, { issuedAt: 1_000 }, behavior)).toBe(1_475_000);
    expect(refreshAcceptedAt(900_000, {}, behavior)).toBe(1_475_000);
    expect(refreshAcceptedAt(900_000, {}, CAREFUL_BEHAVIOR)).toBe(Number.NEGATIVE_INFINITY);
  });

  test('leaves half of the requests of a day after failures', () => {
    expect(retryDelay(6, { requestsPerDay: 200 })).toBe(320_000);
    expect(retryDelay(100, { requestsPerDay: 200 })).toBe(864_000);
    expect(retryDelay(100, { requestsPerDay: 100_000 })).toBe(300_000);
  });
});

const phase = { state: 'requesting', startedAt: 0, firstStartedAt: 0, awaitedUntil: 62_000 } as const;
const NEVER = Number.POSITIVE_INFINITY;

describe('a grace period', () => {
  const lasting = (refreshTokenGraceMs: number) => ({ ...CAREFUL_BEHAVIOR, refreshTokenGraceMs });

  test.each([
    ['none', 0, NEVER],
    ['one that leaves the sender less than 8 s for the response', 21_999, NEVER],
    ['one that leaves the sender 8 s for the response', 22_000, 8_000],
    ['ten minutes', 600_000, 586_000],
    ['one without an end', NEVER, NEVER],
  ])('decides when the lease is given back for a repetition in time: %s', (_, graceMs, at) =>
    expect(handoverTime(phase, lasting(graceMs), INTERVAL)).toBe(at),
  );

  test('counts from the first request, and the time for the response from the last one', () => {
    const repeated = { ...phase, startedAt: 10_000, awaitedUntil: 72_000 };
    expect(handoverTime(repeated, lasting(31_999), INTERVAL)).toBe(NEVER);
    expect(handoverTime(repeated, lasting(32_000), INTERVAL)).toBe(18_000);
  });

  test.each([
    ['none', 0, false],
    ['as long as lease, schedule interval and margin', 27_000, false],
    ['longer than that', 27_001, true],
    ['without an end', NEVER, true],
  ])('lets another process repeat the request in time: %s', (_, graceMs, expected) =>
    expect(isRepeatable(lasting(graceMs), INTERVAL)).toBe(expected),
  );

  test.each([
    ['none', 0, 12_000],
    ['over', 2_999, 12_000],
    ['running', 3_001, 0],
    ['without an end', NEVER, 0],
  ])('spares the look whether the earlier sender saves its response: %s', (_, graceMs, ms) =>
    expect(lastLookDelay(phase, lasting(graceMs), 1_000)).toBe(ms),
  );
});

describe('a grace period that is disputed', () => {
  const known = { ...CAREFUL_BEHAVIOR, refreshTokenGraceMs: 600_000 };
  const disputed = { ...known, refreshTokenGraceIsDisputed: true } as const;

  test('does not give the lease back so that another process can repeat the request', () => {
    expect(handoverTime(phase, known, INTERVAL)).toBe(586_000);
    expect(handoverTime(phase, disputed, INTERVAL)).toBe(NEVER);
  });

  test('does not make a request at a slow host harmless', () => {
    expect(isRepeatable(known, INTERVAL)).toBe(true);
    expect(isRepeatable(disputed, INTERVAL)).toBe(false);
  });

  test('does not spare the look whether the earlier sender saves its response', () => {
    expect(lastLookDelay(phase, known, 1_000)).toBe(0);
    expect(lastLookDelay(phase, disputed, 1_000)).toBe(12_000);
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
  const lasting = (ends: Partial<TokenBehavior>) => ({ ...CAREFUL_BEHAVIOR, ...ends });
  const issued = (lifetimeMs?: number) => ({ issuedAt: 1_000, lifetimeMs });

  test('comes from the response first', () =>
    expect(refreshTokenExpiry(issued(30), lasting({ refreshTokenAbsoluteMs: 5_000 }), 100)).toBe(1_030));

  test('counts from the renewal or from the sign-in', () => {
    expect(refreshTokenExpiry(issued(), lasting({ refreshTokenIdleMs: 500 }), 100)).toBe(1_500);
    expect(refreshTokenExpiry(issued(), lasting({ refreshTokenAbsoluteMs: 5_000 }), 100)).toBe(5_100);
  });

  test.each([
    [500, 5_000, 1_500],
    [5_000, 1_500, 1_600],
  ])(
    'is the earlier of an idle end (%i) and an absolute end (%i)',
    (refreshTokenIdleMs, refreshTokenAbsoluteMs, end) =>
      expect(refreshTokenExpiry(issued(), lasting({ refreshTokenIdleMs, refreshTokenAbsoluteMs }), 100)).toBe(
        end,
      ),
  );

  test('is not an absolute end that the provider has evidently moved: it issues tokens after it', () =>
    expect(refreshTokenExpiry(issued(), lasting({ refreshTokenAbsoluteMs: 500 }), 100)).toBeUndefined());

  test('is not an absolute end at the moment of issue', () =>
    expect(refreshTokenExpiry(issued(), lasting({ refreshTokenAbsoluteMs: 900 }), 100)).toBeUndefined());

  test('is unknown if the sign-in or the lifetime is', () => {
    expect(
      refreshTokenExpiry(issued(), lasting({ refreshTokenAbsoluteMs: 5_000 }), undefined),
    ).toBeUndefined();
    expect(refreshTokenExpiry(issued(), lasting({}), 100)).toBeUndefined();
  });

  const NOW = 10_000;
  const known = { familyStartedAt: 1_000, rotatedAt: 4_000, refreshTokenExpiresAt: 9_000 };
  test.each<
    [string, Parameters<typeof expectedRefreshTokenExpiry>[0], Partial<TokenBehavior>, number | undefined]
  >([
    ['as documented, from the renewal', known, { refreshTokenIdleMs: 500 }, 10_500],
    ['as documented, from the sign-in', known, { refreshTokenAbsoluteMs: 20_000 }, 21_000],
    ['as documented, although the last one is unknown', {}, { refreshTokenIdleMs: 500 }, 10_500],
    ['as far away as last time', known, {}, 15_000],
    [
      'the same as last time if renewals do not move it',
      { ...known, refreshTokenEndIsFixed: true },
      {},
      9_000,
    ],
    ['as far away as last time if renewals move it', { ...known, refreshTokenEndIsFixed: false }, {}, 15_000],
    ['the same as last time if there was no rotation', { refreshTokenExpiresAt: 9_000 }, {}, 9_000],
    ['unknown if nothing says it', { familyStartedAt: 1_000, rotatedAt: 4_000 }, {}, undefined],
  ])('of the next token is expected: %s', (_, record, documented, end) =>
    expect(expectedRefreshTokenExpiry(record, lasting(documented), NOW)).toBe(end),
  );
});
