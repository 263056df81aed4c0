import { describe, expect, test } from 'vitest';
import { nextRunOf } from '../../../lib/config/schedule.ts';
import { scheduleWarnings } from '../../../lib/rotation/core/scheduleFit.ts';
import { createRotator } from '../../../lib/rotator.ts';
import { type ConnectionChanges, connectionNamed } from './world/connection.ts';
import { seeded } from './world/scenario.ts';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const NOW = Date.parse('2026-01-01T12:00:00Z');

type Known = Parameters<typeof scheduleWarnings>[1];

describe('a schedule is reported as too rare', () => {
  const hour: Known = { rotatedAt: NOW, expiresAt: NOW + HOUR };
  const endless = { refreshTokenGraceMs: Number.POSITIVE_INFINITY };
  const grace = (seconds: number) => ({ behavior: { refreshTokenGraceMs: seconds * SECOND } });
  const fixed = { renewBeforeMs: 5 * MINUTE };
  const cases: Record<string, [ConnectionChanges, Known, number, RegExp[]]> = {
    'not if every token outlives the next sweep': [{}, hour, 20 * MINUTE, []],
    'if the last third of the life of a token is shorter': [
      {},
      hour,
      30 * MINUTE,
      [/30 minutes.* 2\d minutes left/],
    ],
    'if a token is configured to be renewed late': [
      fixed,
      hour,
      10 * MINUTE,
      [/10 minutes.* [5-7] minutes left/],
    ],
    'by the default lifetime before the first token': [{}, undefined, DAY, [/24 hours.* 2\d minutes left/]],
    'by the default lifetime if the times of the token are unknown': [
      { behavior: { defaultExpiresInMs: 3 * DAY } },
      { rotatedAt: NOW },
      20 * HOUR,
      [],
    ],
    'by the default lifetime if only the time of issue is unknown': [
      {},
      { expiresAt: NOW + HOUR },
      30 * MINUTE,
      [/left/],
    ],
    'if the refresh token ends before the next sweep': [
      { behavior: endless },
      { ...hour, refreshTokenExpiresAt: NOW + 30 * MINUTE },
      15 * MINUTE,
      [/15 minutes.* 10 minutes left/],
    ],
    'not if a token lives for seconds, like those of the local stack': [
      {},
      { rotatedAt: NOW, expiresAt: NOW + 30 * SECOND },
      5 * SECOND,
      [],
    ],
    'if a token lives for less than three intervals': [
      {},
      { rotatedAt: NOW, expiresAt: NOW + 20 * SECOND },
      10 * SECOND,
      [/10 seconds.* 6 seconds left/],
    ],
    'not if the grace is longer than lease and interval': [grace(30), hour, 10 * SECOND, []],
    'if the grace ends before lease and interval': [
      grace(25),
      hour,
      10 * SECOND,
      [/grace of 25 seconds .* 25 seconds\./],
    ],
    'not if tokens stay valid after their use': [{ behavior: endless }, hour, 10 * MINUTE, []],
    'for both reasons': [grace(60), hour, HOUR, [/left/, /grace of 60 seconds/]],
  };
  test.each(Object.entries(cases))('%s', (_, [changes, known, intervalMs, expected]) => {
    const warnings = scheduleWarnings(connectionNamed('crm', changes), known, intervalMs);
    expect(warnings).toEqual(expected.map((each) => expect.stringMatching(each)));
  });
});

describe('with a sweep a day and tokens that live for an hour', () => {
  function onceADay() {
    const { world, process } = seeded();
    const nextSweep = nextRunOf('0 0 3 * * *');
    const ports = { ...process.ports, scheduleIntervalMs: DAY, nextSweep };
    return { world, nextSweep, rotator: createRotator(ports, world.now) };
  }

  test('the log and the status of a connection say so, and when the next attempt can be', async () => {
    const { world, rotator, nextSweep } = onceADay();
    expect(await world.settle(rotator.rotate('crm', false))).toMatchObject({ result: 'rotated' });
    expect(world.events('schedule_too_rare')).toMatchObject([
      { level: 'warn', connection: 'crm', fix: 'Set ROTATION_SCHEDULE to run more often.' },
    ]);
    const expected = {
      state: 'fresh' as const,
      nextAttempt: new Date(nextSweep(world.now()) ?? 0).toISOString(),
      warning: expect.stringMatching(/may expire before they are renewed.*Set ROTATION_SCHEDULE/),
    };
    expect(await rotator.status('crm')).toMatchObject(expected);
    expect((await rotator.overview()).connections).toMatchObject([expected]);
  });

  test('the next attempt stays in the future when it is overdue', async () => {
    const { world, rotator, nextSweep } = onceADay();
    await world.settle(rotator.rotate('crm', false));
    await world.clock.pass(2 * DAY);
    const nextAttempt = new Date(nextSweep(world.now()) ?? 0).toISOString();
    expect(await rotator.status('crm')).toMatchObject({ nextAttempt });
  });

  test('the status of a paused connection warns of nothing', async () => {
    const { world, rotator } = onceADay();
    world.connections.splice(0, 1, connectionNamed('crm', { enabled: false }));
    expect(await rotator.status('crm')).not.toHaveProperty('warning');
  });
});

test('the usual schedule is never reported', async () => {
  const { world, process } = seeded();
  const rotator = createRotator(process.ports, world.now);
  await world.settle(rotator.rotate('crm', false));
  expect(world.events('schedule_too_rare')).toEqual([]);
  expect(await rotator.status('crm')).not.toHaveProperty('warning');
});
