import type { Clock } from './rotation/ports.ts';

/** Timers count in signed 32-bit milliseconds, 24.8 days: a longer one would end immediately. */
const LONGEST_TIMER_MS = 0x7fffffff;

/** The machine's clock. */
export const systemClock: Clock = {
  monotonic: () => performance.now(),
  // Not the timer of `node:timers/promises`: an abort, which is how most waits end, makes an error with its stack there.
  sleep: (ms, signal) =>
    new Promise((resolve) => {
      if (signal?.aborted) return resolve();
      const end = () => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', end);
        resolve();
      };
      const timer = setTimeout(end, Math.min(ms, LONGEST_TIMER_MS));
      signal?.addEventListener('abort', end);
    }),
};
