import { describe, expect, it } from 'vitest';
import type { Clock } from '../../lib/rotation/ports.ts';

/** One clock. */
export interface ClockSide {
  readonly clock: Clock;
  /** Lets time pass until the promise is settled. */
  settle<T>(promise: Promise<T>): Promise<T>;
}

/** A timer of the machine may end this much too early, because it counts in whole milliseconds. */
const TOLERANCE_MS = 2;
/** Far longer than the timeout of a test. */
const FOREVER_MS = 600_000;

/** The behavior of every clock: the machine's and the virtual one. */
export function describeClock(start: () => ClockSide): void {
  it('ends a sleep when its time has passed, the shorter ones first', async () => {
    const { clock, settle } = start();
    const begin = clock.monotonic();
    const ended: number[] = [];
    const sleep = async (ms: number) => {
      await clock.sleep(ms);
      expect(clock.monotonic() - begin).toBeGreaterThanOrEqual(ms - TOLERANCE_MS);
      ended.push(ms);
    };
    await settle(Promise.all([sleep(60), sleep(5), sleep(30)]));
    expect(ended).toEqual([5, 30, 60]);
  });

  it('ends a sleep of 0 ms', async () => {
    const { clock, settle } = start();
    const begin = clock.monotonic();
    await settle(clock.sleep(0));
    expect(clock.monotonic()).toBeGreaterThanOrEqual(begin);
  });

  it('never goes back', async () => {
    const { clock, settle } = start();
    const times: number[] = [];
    for (let index = 0; index < 200; index++) {
      if (index % 50 === 0) await settle(clock.sleep(1));
      times.push(clock.monotonic());
    }
    expect(times).toEqual(times.toSorted((one, other) => one - other));
    expect(times.at(-1)).toBeGreaterThan(times[0] ?? 0);
  });

  describe('a signal', () => {
    it('ends a sleep immediately and without an error', async () => {
      const { clock, settle } = start();
      const abort = new AbortController();
      const begin = clock.monotonic();
      const slept = clock.sleep(FOREVER_MS, abort.signal);
      await settle(clock.sleep(5));
      abort.abort();
      expect(await settle(slept)).toBeUndefined();
      expect(clock.monotonic() - begin).toBeLessThan(FOREVER_MS / 10);
    });

    it('that has already fired prevents a sleep', async () => {
      const { clock, settle } = start();
      const begin = clock.monotonic();
      expect(await settle(clock.sleep(FOREVER_MS, AbortSignal.abort()))).toBeUndefined();
      expect(clock.monotonic() - begin).toBeLessThan(FOREVER_MS / 10);
    });

    it('that fires after a sleep has no effect on the next', async () => {
      const { clock, settle } = start();
      const abort = new AbortController();
      await settle(clock.sleep(1, abort.signal));
      const begin = clock.monotonic();
      const next = clock.sleep(20);
      abort.abort();
      await settle(next);
      expect(clock.monotonic() - begin).toBeGreaterThanOrEqual(20 - TOLERANCE_MS);
    });
  });

  it('does not end a sleep early if it is longer than the longest timer of the machine', async () => {
    const { clock, settle } = start();
    const abort = new AbortController();
    let ended = false;
    const slept = clock.sleep(2 ** 31, abort.signal).then(() => {
      ended = true;
    });
    await settle(clock.sleep(50));
    expect(ended).toBe(false);
    abort.abort();
    await settle(slept);
  });
}
