import { setImmediate as drain } from 'node:timers/promises';
import type { Clock } from '../../../../lib/rotation/ports.ts';

interface Timer {
  readonly at: number;
  readonly fire: () => void;
}

/** A clock whose time passes only when all processes wait for it: sleeps end in order, and take no real time. */
export class VirtualClock implements Clock {
  #now = 0;
  #timers: Timer[] = [];

  monotonic(): number {
    return this.#now;
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const timer = { at: this.#now + ms, fire: resolve };
      const cancel = () => {
        this.#timers = this.#timers.filter((other) => other !== timer);
        resolve();
      };
      if (signal?.aborted) return resolve();
      signal?.addEventListener('abort', cancel, { once: true });
      this.#timers.push(timer);
    });
  }

  /** Lets everything run, and time pass, until the promise is settled. */
  async settle<T>(promise: Promise<T>): Promise<T> {
    let settled = false;
    const done = () => {
      settled = true;
    };
    promise.then(done, done);
    for (;;) {
      await drain();
      if (settled) return promise;
      if (!this.#fireNext())
        throw new Error('The promise is not settled, and no timer is left that could settle it.');
    }
  }

  /** Lets everything run for this long. */
  async pass(ms: number): Promise<void> {
    await this.settle(this.sleep(ms));
  }

  /** Lets time pass as if all processes were frozen: no sleep ends. */
  freeze(ms: number): void {
    this.#now += ms;
  }

  #fireNext(): boolean {
    const next = this.#timers.reduce<Timer | undefined>(
      (first, timer) => (first === undefined || timer.at < first.at ? timer : first),
      undefined,
    );
    if (!next) return false;
    this.#timers = this.#timers.filter((timer) => timer !== next);
    this.#now = Math.max(this.#now, next.at);
    next.fire();
    return true;
  }
}
