import { setTimeout as sleep } from 'node:timers/promises';
import type { Clock } from './rotation/ports.ts';

/** The machine's clock. */
export const systemClock: Clock = {
  monotonic: () => performance.now(),
  sleep: async (ms, signal) => {
    // The only failure is the signal, and that means: no need to wait any longer.
    await sleep(ms, undefined, signal && { signal }).catch(() => {});
  },
};
