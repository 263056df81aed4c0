import { describe, expect, test } from 'vitest';
import { CAREFUL_BEHAVIOR } from '../../../lib/rotation/core/connection.ts';
import { type ConnectionRecord, newRecord } from '../../../lib/rotation/core/record.ts';
import { replayTime, withinGrace } from '../../../lib/rotation/core/times.ts';
import { failing, recordNamed, tokenTimes } from './world/record.ts';

const START = 10_000_000;
const INTERVAL = 10_000;
/** The process that sent the request has died, or may still wait for the response. */
const phase = {
  state: 'requesting',
  startedAt: START,
  firstStartedAt: START,
  awaitedUntil: START + 62_000,
} as const;
/** With the margin for clocks that differ. */
const WAIT_OVER = START + 62_000;
const REUSABLE = Number.POSITIVE_INFINITY;
const behaviorOf = (refreshTokenGraceMs: number) => ({ ...CAREFUL_BEHAVIOR, refreshTokenGraceMs });

/** @param failures how often it was given up: no process waits for a response any more */
function recordWith(expiresAt: number | undefined, failures = 0): ConnectionRecord {
  let record = recordNamed('crm', {
    phase: failures === 0 ? phase : { ...phase, awaitedUntil: START },
    ...(expiresAt !== undefined && { accessToken: tokenTimes(START, expiresAt) }),
  });
  for (let count = 0; count < failures; count++) record = failing(record, START, { code: 'outcome_unknown' });
  return record;
}

test('a disputed grace period repeats the request only when no process can wait for the response any more', () => {
  const behavior = { ...behaviorOf(600_000), refreshTokenGraceIsDisputed: true } as const;
  const alone = recordWith(START + 3_600_000);
  expect(replayTime(alone, behavior, INTERVAL, START + 1)).toBe(WAIT_OVER);
  const givenUp = recordWith(START + 3_600_000, 1);
  expect(replayTime(givenUp, behavior, INTERVAL, START + 1)).toBe(START);
});

describe('a token request whose outcome is unknown is repeated', () => {
  const HOUR = START + 3_600_000;
  const cases: Record<string, [ConnectionRecord, number, number, number, number]> = {
    'reusable: immediately': [recordWith(HOUR), REUSABLE, INTERVAL, START + 1, START],
    'reusable, third failure: after its delay': [
      recordWith(HOUR, 3),
      REUSABLE,
      INTERVAL,
      START + 1,
      START + 40_000,
    ],
    'within the grace period: immediately': [recordWith(HOUR, 2), 60_000, INTERVAL, START + 50_000, START],
    'after the grace period: as for single use': [
      recordWith(HOUR),
      60_000,
      INTERVAL,
      START + 58_000,
      HOUR - 60_000,
    ],
    'single use: a minute before the published token ends': [
      recordWith(HOUR),
      0,
      INTERVAL,
      START + 1,
      HOUR - 60_000,
    ],
    'single use, long schedule interval: four intervals before the published token ends': [
      recordWith(HOUR),
      0,
      60_000,
      START + 1,
      HOUR - 240_000,
    ],
    'single use, schedule interval of hours: a quarter of the lifetime before the published token ends': [
      recordWith(HOUR),
      0,
      14 * 3_600_000,
      START + 1,
      HOUR - 900_000,
    ],
    'single use, the published token ends soon: when no process can wait for the response any more': [
      recordWith(START + 70_000),
      0,
      INTERVAL,
      START + 1,
      WAIT_OVER,
    ],
    'single use, many failures: not before the delay': [
      recordWith(START + 70_000, 6),
      0,
      INTERVAL,
      START + 1,
      START + 300_000,
    ],
    'never published: when no process can wait any more': [
      recordWith(undefined),
      0,
      INTERVAL,
      START + 1,
      WAIT_OVER,
    ],
    'published token expired: when no process can wait any more': [
      recordWith(START),
      0,
      INTERVAL,
      START,
      WAIT_OVER,
    ],
    'published token expired, failed before: after its delay': [
      recordWith(START, 1),
      0,
      INTERVAL,
      START + 1,
      START + 10_000,
    ],
  };
  test.each(Object.entries(cases))('%s', (_, [record, graceMs, scheduleIntervalMs, now, expected]) => {
    expect(replayTime(record, behaviorOf(graceMs), scheduleIntervalMs, now)).toBe(expected);
  });

  test('the grace period counts from the first intent, not from the last', () => {
    const second = { ...phase, startedAt: START + 50_000 };
    expect(withinGrace(second, behaviorOf(60_000), START + 57_999)).toBe(true);
    expect(withinGrace(second, behaviorOf(60_000), START + 58_000)).toBe(false);
    const record = { ...recordWith(START + 3_600_000), phase: second };
    expect(replayTime(record, behaviorOf(60_000), INTERVAL, START + 59_000)).toBe(START + 3_540_000);
  });

  test('a record without a request in flight does not wait', () => {
    expect(replayTime(newRecord('crm'), behaviorOf(0), INTERVAL, START)).toBe(START);
  });
});
