import { setTimeout as sleep } from 'node:timers/promises';
import type { Clock } from './rotation/ports.ts';

/** Timers count in signed 32-bit milliseconds, 24.8 days: one that is longer would end at once. */
const LONGEST_TIMER_MS = 0x7fffffff;

/** The machine's clock. */
export const systemClock: Clock = {
  monotonic: () => performance.now(),
  sleep: async (ms, signal) => {
    // The only failure is the signal, and that means: no need to wait any longer.
    await sleep(Math.min(ms, LONGEST_TIMER_MS), undefined, signal && { signal }).catch(() => {});
  },
};
