import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { parseSchedule } from '../../../local/functionHost/schedule.ts';
import { createTimers } from '../../../local/functionHost/timers.ts';
import { resetState, state } from './fixture/state.ts';
import { type FixtureHost, startFixture } from './start.ts';

let host: FixtureHost | undefined;

beforeEach(resetState);
afterEach(async () => {
  vi.unstubAllEnvs();
  state.gate.resolve();
  await host?.close();
  host = undefined;
});

/** Timers of a registry that holds one timer function with this trigger. */
function timersOf(trigger: object, env = {}, invoke = vi.fn(async (_name: string, _data: object) => {})) {
  const metadata = { name: 't', bindings: { timer: { type: 'timerTrigger', ...trigger } } };
  const functions = new Map([['t', { name: 't', metadata, callback: () => {} }]]);
  const timers = createTimers({ functions }, env, invoke);
  return { timer: timers[0] as (typeof timers)[0], invoke };
}

test('the schedule comes from its setting and has its next run in UTC', async () => {
  host = await startFixture({ FIXTURE_SCHEDULE: '*/10 * * * * *' });
  const timer = host.timers.get('oftenTimer');
  expect(timer?.schedule).toBe('*/10 * * * * *');
  expect(timer?.nextRun(new Date('2026-01-01T00:00:01Z'))).toEqual(new Date('2026-01-01T00:00:10Z'));
  expect([...host.timers.keys()]).toEqual(['oftenTimer', 'hourlyTimer', 'failingTimer']);
});

test('nothing runs at the start', async () => {
  host = await startFixture();
  expect(state.events).toEqual(['appStart']);
  expect(host.timers.get('oftenTimer')?.runOnStartup).toBe(false);
  expect(timersOf({ schedule: '0 0 0 1 1 *', runOnStartup: true }).timer.runOnStartup).toBe(true);
});

test('runTimerNow hands over the timer that the real worker makes', async () => {
  host = await startFixture({ FIXTURE_SCHEDULE: '*/30 * * * * *' });
  await host.runTimerNow('oftenTimer');
  await host.runTimerNow('hourlyTimer');
  const iso = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d/);
  expect(state.timers).toEqual([
    // The real host keeps no status of schedules below a minute.
    { schedule: { adjustForDST: true }, scheduleStatus: null, isPastDue: false },
    {
      schedule: { adjustForDST: true },
      scheduleStatus: { last: iso, next: iso, lastUpdated: iso },
      isPastDue: false,
    },
  ]);
  expect(host.lines).toEqual(['timer ran']);
});

test('runTimerNow rejects with what the handler threw, after one log line', async () => {
  host = await startFixture();
  await expect(host.runTimerNow('failingTimer')).rejects.toThrow('no sweep');
  expect(host.lines).toEqual(['Function "failingTimer" failed: no sweep']);
  expect(await host.timers.get('failingTimer')?.tick()).toBe(true);
});

test('runTimerNow of a name that is no timer says so', async () => {
  host = await startFixture();
  await expect(host.runTimerNow('probe')).rejects.toThrow('No timer function is registered as "probe".');
});

test('a tick during a run is skipped, runTimerNow waits for the run', async () => {
  vi.stubEnv('FIXTURE_HOLD', 'yes');
  host = await startFixture();
  const first = host.runTimerNow('oftenTimer');
  await state.begun.promise;
  expect(await host.timers.get('oftenTimer')?.tick()).toBe(false);
  const second = host.runTimerNow('oftenTimer');
  expect(state.timers).toHaveLength(1);
  state.gate.resolve();
  await Promise.all([first, second]);
  expect(state.events).toEqual(['appStart', 'timer ended', 'timer ended']);
});

test('the schedule ticks, and not after stop', async () => {
  vi.useFakeTimers({ now: new Date('2026-01-01T00:00:01Z') });
  try {
    const { timer, invoke } = timersOf({ schedule: '*/10 * * * * *' });
    timer.start();
    await vi.advanceTimersByTimeAsync(30_000);
    expect(invoke).toHaveBeenCalledTimes(3);
    await timer.stop();
    await vi.advanceTimersByTimeAsync(30_000);
    expect(invoke).toHaveBeenCalledTimes(3);
    await expect(timer.runNow()).rejects.toThrow('The timer of "t" is stopped.');
  } finally {
    vi.useRealTimers();
  }
});

test('a schedule without its setting names the function and the setting', async () => {
  await expect(startFixture({ FIXTURE_SCHEDULE: '' })).rejects.toThrow(
    'Function "oftenTimer": schedule "%FIXTURE_SCHEDULE%": the setting FIXTURE_SCHEDULE is missing',
  );
});

test.each([
  '* * * * *',
  '@hourly',
  '0 0 0 L * *',
  '0 0 0 ? * *',
  '0 0 0 * * 5#2',
  '61 * * * * *',
  '',
  '0 x * * * *',
])('what NCRONTAB does not know is refused: "%s"', (schedule) => {
  expect(() => timersOf({ schedule })).toThrow(
    /^Function "t": schedule ".*": ".*" is no NCRONTAB expression/,
  );
});

test.each([
  ['0 */5 * * * *', '2026-01-01T00:05:00Z'],
  ['5/20 * * * * *', '2026-01-01T00:00:05Z', '2026-01-01T00:00:25Z'],
  ['0 30 9 * * MON-FRI', '2026-01-01T09:30:00Z', '2026-01-02T09:30:00Z', '2026-01-05T09:30:00Z'],
  ['0 0 0 13 * 5', '2026-02-13T00:00:00Z', '2026-03-13T00:00:00Z'],
  ['0,30 0 0 * * *', '2026-01-01T00:00:30Z', '2026-01-02T00:00:00Z'],
])('%s is read as NCRONTAB', (schedule, ...runs) => {
  const next = parseSchedule(schedule).nextRuns(runs.length, new Date('2026-01-01T00:00:00Z'));
  expect(next).toEqual(runs.map((run) => new Date(run)));
});
