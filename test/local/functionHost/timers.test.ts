import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { installFunctionsCore } from '../../../local/functionHost/coreApi.ts';
import { invokeTimer } from '../../../local/functionHost/invoke.ts';
import { createTimers } from '../../../local/functionHost/timers.ts';
import { resetState, state } from './fixture/state.ts';
import { startFixture } from './start.ts';

const DAY_MS = 86_400_000;

beforeEach(() => {
  resetState();
  vi.useFakeTimers({ now: new Date('2026-01-01T00:00:01Z') });
});
afterEach(() => vi.useRealTimers());

/** The timer of a registry that holds one timer function with this schedule. */
function timerOf(schedule: string, run: (name: string) => Promise<void> = async () => {}) {
  const metadata = { name: 't', bindings: { timer: { type: 'timerTrigger', schedule } } };
  const functions = new Map([['t', { name: 't', metadata, callback: () => {} }]]);
  const [timer] = createTimers({ functions }, { SCHEDULE: '*/10 * * * * *' }, run);
  if (!timer) throw new Error('no timer was made');
  return timer;
}

test('passes the same timer to a timer function as the real worker', async () => {
  vi.useRealTimers();
  const host = await startFixture();
  await invokeTimer(installFunctionsCore(), 'oftenTimer', () => {});
  await host.close();
  expect(state.timers).toEqual([
    { schedule: { adjustForDST: true }, scheduleStatus: null, isPastDue: false },
  ]);
});

test('the schedule from the setting ticks even after a failure, but not after stop', async () => {
  const run = vi.fn(() => Promise.reject(new Error('no sweep')));
  const timer = timerOf('%SCHEDULE%', run);
  timer.start();
  expect(run).not.toHaveBeenCalled();
  await vi.advanceTimersByTimeAsync(30_000);
  expect(run).toHaveBeenCalledTimes(3);
  await timer.stop();
  await vi.advanceTimersByTimeAsync(30_000);
  expect(run).toHaveBeenCalledTimes(3);
});

test('skips a tick during a run, and stop waits for the run', async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  const run = vi.fn(() => promise);
  const timer = timerOf('* * * * * *', run);
  timer.start();
  await vi.advanceTimersByTimeAsync(5_000);
  expect(run).toHaveBeenCalledTimes(1);
  let stopped = false;
  const stopping = timer.stop().then(() => {
    stopped = true;
  });
  await vi.advanceTimersByTimeAsync(1_000);
  expect(stopped).toBe(false);
  resolve();
  await stopping;
});

test('ticks on the days on which Azure runs the schedule', async () => {
  vi.setSystemTime(new Date('2026-01-03T11:00:00Z'));
  const days: string[] = [];
  const timer = timerOf('0 0 12 * * Mon-Sun', async () => {
    days.push(new Date().toISOString());
  });
  timer.start();
  await vi.advanceTimersByTimeAsync(9 * DAY_MS);
  await timer.stop();
  expect(days).toEqual(['2026-01-04T12:00:00.000Z', '2026-01-05T12:00:00.000Z', '2026-01-11T12:00:00.000Z']);
});

test('waits for a run that is months away', async () => {
  const run = vi.fn(async () => {});
  const timer = timerOf('0 0 0 1 4 *', run);
  timer.start();
  await vi.advanceTimersByTimeAsync(Date.UTC(2026, 3, 1) - Date.now() - 1);
  expect(run).not.toHaveBeenCalled();
  await vi.advanceTimersByTimeAsync(1);
  expect(run).toHaveBeenCalledTimes(1);
  await timer.stop();
});

test.each(['* * * * *', '@hourly', '61 * * * * *', '*/2 * * * * 1-7', '0 0 0 30 2 *', ''])(
  'refuses a schedule that Azure would not run: "%s"',
  (schedule) => {
    expect(() => timerOf(schedule)).toThrow(`Function "t": "${schedule}" is not a valid NCRONTAB schedule: `);
  },
);
