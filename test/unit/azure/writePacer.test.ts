import { describe, expect, it } from 'vitest';
import { createWritePacer } from '../../../lib/azure/writePacer.ts';
import type { Clock } from '../../../lib/rotation/ports.ts';

/** A clock that moves only by sleeping, to the earliest wake-up, when everything else has settled. */
function fakeClock(): Clock & { run(): Promise<void> } {
  let now = 1_000_000;
  let sleepers: { until: number; wake: () => void }[] = [];
  return {
    monotonic: () => now,
    sleep: (ms) => new Promise((wake) => void sleepers.push({ until: now + ms, wake })),
    async run() {
      for (;;) {
        await new Promise(setImmediate);
        const [next, ...rest] = sleepers.toSorted((one, other) => one.until - other.until);
        if (!next) return;
        sleepers = rest;
        now = Math.max(now, next.until);
        next.wake();
      }
    },
  };
}

/** Asks for writes in order and tells when each was let through, in milliseconds from the start. */
async function pace(limit: number, asks: readonly (readonly [vault: string, writes: number])[]) {
  const clock = fakeClock();
  const start = clock.monotonic();
  const pacer = createWritePacer(limit, clock);
  const admitted: [index: number, at: number][] = [];
  asks.forEach(([vault, writes], index) => {
    void pacer.take(vault, writes).then(() => admitted.push([index, clock.monotonic() - start]));
  });
  await clock.run();
  return admitted;
}

const A = 'https://a.vault.azure.net';

describe('a write pacer', () => {
  it('lets the limit through at once and the rest when the window has passed', async () => {
    expect(
      await pace(2, [
        [A, 1],
        [A, 1],
        [A, 1],
        [A, 1],
        [A, 1],
      ]),
    ).toEqual([
      [0, 0],
      [1, 0],
      [2, 10_000],
      [3, 10_000],
      [4, 20_000],
    ]);
  });

  it('keeps the order: a small ask does not pass a large one', async () => {
    expect(
      await pace(3, [
        [A, 2],
        [A, 2],
        [A, 1],
      ]),
    ).toEqual([
      [0, 0],
      [1, 10_000],
      [2, 10_000],
    ]);
  });

  it('counts each vault alone, however its host is spelled', async () => {
    const other = 'https://b.vault.azure.net';
    expect(
      await pace(1, [
        [A, 1],
        [other, 1],
        [A.toUpperCase(), 1],
      ]),
    ).toEqual([
      [0, 0],
      [1, 0],
      [2, 10_000],
    ]);
  });

  it('lets more than the limit through alone', async () => {
    expect(
      await pace(2, [
        [A, 1],
        [A, 5],
        [A, 1],
      ]),
    ).toEqual([
      [0, 0],
      [1, 10_000],
      [2, 20_000],
    ]);
  });

  it('never lets more than the limit through in any 10 s', async () => {
    const asks = Array.from({ length: 60 }, (_, index) => [A, 1 + (index % 3)] as const);
    const admitted = await pace(7, asks);
    expect(admitted.map(([index]) => index)).toEqual(asks.map((_, index) => index));
    for (const [, from] of admitted) {
      const within = admitted.filter(([, at]) => at >= from && at < from + 10_000);
      expect(within.reduce((sum, [index]) => sum + (asks[index]?.[1] ?? 0), 0)).toBeLessThanOrEqual(7);
    }
  });
});
