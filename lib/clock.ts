import { setTimeout as sleep } from 'node:timers/promises';
import type { Clock } from './rotation/ports.ts';

/** Timers count in signed 32-bit milliseconds, 24.8 days: a longer one would end immediately. */
const LONGEST_TIMER_MS = 0x7fffffff;

/** The machine's clock. */
export const systemClock: Clock = {
  monotonic: () => performance.now(),
  sleep: async (ms, signal) => {
    // The only possible failure is an abort, which ends the wait.
    await sleep(Math.min(ms, LONGEST_TIMER_MS), undefined, signal && { signal }).catch(() => {});
  },
};
