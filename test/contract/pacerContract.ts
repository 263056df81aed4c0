import { describe, expect, it } from 'vitest';
import type { AdaptivePacer } from '../../lib/azure/writePacer.ts';
import type { Clock } from '../../lib/rotation/ports.ts';

/** One pacer, and the clock that it uses. */
export interface PacerSide {
  readonly pacer: AdaptivePacer;
  readonly clock: Clock;
  /** Lets time pass until the promise is settled. */
  settle<T>(promise: Promise<T>): Promise<T>;
}

type Ask = readonly [vault: string, writes: number];

const WINDOW_MS = 10_000;
const A = 'https://a.vault.azure.net';
const B = 'https://b.vault.azure.net';
const each = (vault: string, count: number, writes = 1) =>
  Array.from({ length: count }, (): Ask => [vault, writes]);

/**
 * The behavior of every pacer.
 * @param limit number of new versions that the pacer admits in 10 s; at least 20
 */
export function describePacer(limit: number, start: () => PacerSide): void {
  /**
   * Asks for writes in order, one every `gapMs` milliseconds.
   * @returns the time at which each was admitted, in milliseconds from the start, in the order of admission
   */
  async function pace(
    asks: readonly Ask[],
    gapMs = 0,
    side = start(),
  ): Promise<[index: number, at: number][]> {
    const { pacer, clock, settle } = side;
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

  const burst = Math.max(3, Math.floor(limit / 60));
  /** The most writes of a tenth of a second. */
  const mostAtOnce = burst + limit / 100 + 1;

  describe('a write pacer', () => {
    it('spreads writes evenly, except for a sixtieth of the limit or those of one rotation', async () => {
      const times = (await pace(each(A, 2 * limit))).map(([, at]) => at);
      for (const from of times) {
        const within = times.filter((at) => at >= from && at < from + 100);
        expect(within.length).toBeLessThanOrEqual(mostAtOnce);
      }
    });

    it('lets the rest of the limit be used', async () => {
      const [, last = 0] = (await pace(each(A, 10 * limit))).at(-1) ?? [];
      expect((10 * limit * WINDOW_MS) / last).toBeGreaterThan(0.99 * (limit - burst));
    });

    it('keeps the order: a small write does not overtake a large one', async () => {
      const admitted = await pace([
        [A, limit - 1],
        [A, limit - 1],
        [A, 1],
      ]);
      expect(admitted.map(([index]) => index)).toEqual([0, 1, 2]);
      expect(admitted[1]?.[1]).toBeGreaterThan(0.9 * WINDOW_MS);
    });

    it('counts the writes of each vault separately and ignores the case of its address', async () => {
      const [first, second, third] = await pace([
        [A, limit],
        [B, limit],
        [A.toUpperCase(), 1],
      ]);
      expect([first, second]).toEqual([
        [0, 0],
        [1, 0],
      ]);
      expect(third?.[1]).toBeGreaterThan(0.9 * WINDOW_MS);
    });

    it('admits a request of more writes than the limit', async () => {
      const admitted = await pace([
        [A, 1],
        [A, limit + 1],
        [A, 1],
      ]);
      expect(admitted.map(([index]) => index)).toEqual([0, 1, 2]);
      expect(admitted[2]?.[1]).toBeGreaterThan(WINDOW_MS);
    });

    it('admits again what was given back', async () => {
      const side = start();
      await side.settle(side.pacer.take(A, limit));
      side.pacer.giveBack(A, limit);
      expect(await pace([[A, 1]], 0, side)).toEqual([[0, 0]]);
    });

    it('gains nothing from slots that are given back late: no burst follows', async () => {
      const side = start();
      await side.settle(side.pacer.take(A, limit));
      await side.settle(side.clock.sleep(2 * WINDOW_MS));
      side.pacer.giveBack(A, limit);
      const admitted = await pace(each(A, limit), 0, side);
      expect(admitted.filter(([, at]) => at < 100).length).toBeLessThanOrEqual(mostAtOnce);
    });

    it.each([
      [3_000, 3_000],
      [undefined, 1_000],
      [3_600_000, WINDOW_MS],
    ])(
      'admits nothing to a vault that asked for a pause of %s ms, and goes on at others',
      async (ms, expected) => {
        const side = start();
        side.pacer.pause(A, ms);
        expect(
          await pace(
            [
              [A, 1],
              [B, 1],
            ],
            0,
            side,
          ),
        ).toEqual([
          [1, 0],
          [0, expected],
        ]);
      },
    );

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
