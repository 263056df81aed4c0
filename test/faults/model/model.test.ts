import { expect, test } from 'vitest';
import { play } from './play.ts';
import { scheduleOf } from './schedule.ts';

const SCHEDULES = 2_000;
const PER_TEST = 100;

const firstSeeds = Array.from({ length: SCHEDULES / PER_TEST }, (_, index) => index * PER_TEST);

test.each(firstSeeds)(
  'the invariants hold in the histories from seed %i',
  async (first) => {
    for (let seed = first; seed < first + PER_TEST; seed++) {
      const { violations } = await play(scheduleOf(seed));
      expect(violations, `seed ${seed}: npm run faults -- --from ${seed} --schedules 1`).toEqual([]);
    }
  },
  60_000,
);

test('seed 53402: a save that arrives after its process was killed, and after the token was taken for lost', async () => {
  const { end, losses, violations } = await play(scheduleOf(53_402));
  expect({ end, losses, violations }).toEqual({
    end: 'lost',
    losses: ['killed_before_save'],
    violations: [],
  });
});

test('the same seed gives the same history', async () => {
  const seed = 4_711;
  expect(await play(scheduleOf(seed))).toEqual(await play(scheduleOf(seed)));
});
