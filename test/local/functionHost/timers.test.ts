import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { installFunctionsCore } from '../../../local/functionHost/coreApi.ts';
import { invokeTimer } from '../../../local/functionHost/invoke.ts';
import { createTimers } from '../../../local/functionHost/timers.ts';
import { resetState, state } from './fixture/state.ts';
import { startFixture } from './start.ts';

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

test.each(['* * * * *', '@hourly', '61 * * * * *', ''])('refuses an invalid schedule: "%s"', (schedule) => {
  expect(() => timerOf(schedule)).toThrow(`Function "t": "${schedule}" is not a valid NCRONTAB expression`);
});
