import { describe, expect, it } from 'vitest';
import type { Clock, WritePacer } from '../../lib/rotation/ports.ts';

/** One pacer, and the clock that it uses. */
export interface PacerSide {
  readonly pacer: WritePacer;
  readonly clock: Clock;
  /** Lets time pass until the promise is settled. */
  settle<T>(promise: Promise<T>): Promise<T>;
}

type Ask = readonly [vault: string, writes: number];

const WINDOW_MS = 10_000;
const A = 'https://a.vault.azure.net';
const B = 'https://b.vault.azure.net';

/**
 * The behavior of every pacer.
 * @param limit number of new versions that the pacer admits in 10 s; at least 20
 */
export function describePacer(limit: number, start: () => PacerSide): void {
  /**
   * Asks for writes in order, one every `gapMs` milliseconds.
   * @returns the time at which each was admitted, in milliseconds from the start, in the order of admission
   */
  async function pace(asks: readonly Ask[], gapMs = 0): Promise<[index: number, at: number][]> {
    const { pacer, clock, settle } = start();
    const begin = clock.monotonic();
    const admitted: [number, number][] = [];
    const taken = asks.map(async ([vault, writes], index) => {
      if (gapMs > 0) await clock.sleep(index * gapMs);
      await pacer.take(vault, writes);
      admitted.push([index, clock.monotonic() - begin]);
    });
    await settle(Promise.all(taken));
    return admitted;
  }

  describe('a write pacer', () => {
    it('admits writes up to the limit immediately, and more after the window', async () => {
      const most = limit - 1;
      expect(
        await pace([
          [A, most],
          [A, 1],
          [A, 1],
          [A, most],
          [A, 1],
        ]),
      ).toEqual([
        [0, 0],
        [1, 0],
        [2, WINDOW_MS],
        [3, WINDOW_MS],
        [4, 2 * WINDOW_MS],
      ]);
    });

    it('keeps the order: a small write does not overtake a large one', async () => {
      const most = limit - 1;
      expect(
        await pace([
          [A, most],
          [A, most],
          [A, 1],
        ]),
      ).toEqual([
        [0, 0],
        [1, WINDOW_MS],
        [2, WINDOW_MS],
      ]);
    });

    it('counts the writes of each vault separately and ignores the case of its address', async () => {
      expect(
        await pace([
          [A, limit],
          [B, limit],
          [A.toUpperCase(), 1],
        ]),
      ).toEqual([
        [0, 0],
        [1, 0],
        [2, WINDOW_MS],
      ]);
    });

    it('admits a request of more writes than the limit, but only alone', async () => {
      expect(
        await pace([
          [A, 1],
          [A, limit + 1],
          [A, 1],
        ]),
      ).toEqual([
        [0, 0],
        [1, WINDOW_MS],
        [2, 2 * WINDOW_MS],
      ]);
    });

    it.each([0, 700, 1_900])(
      'never admits more than the limit in any 10 s: one request every %i ms',
      async (gapMs) => {
        const asks = Array.from(
          { length: 60 },
          (_, index): Ask => [A, Math.floor(limit / (3 + (index % 7)))],
        );
        const admitted = await pace(asks, gapMs);
        expect(admitted.map(([index]) => index)).toEqual(asks.map((_, index) => index));
        for (const [, from] of admitted) {
          const within = admitted.filter(([, at]) => at >= from && at < from + WINDOW_MS);
          const writes = within.reduce((sum, [index]) => sum + (asks[index]?.[1] ?? 0), 0);
          expect(writes).toBeLessThanOrEqual(limit);
        }
      },
    );
  });
}
