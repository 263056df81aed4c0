import { expect, test } from 'vitest';
import { play } from './play.ts';
import { type Fault, type Schedule, scheduleOf } from './schedule.ts';

/** `.ci/run` plays 2,000 with `npm run faults:model`, which takes half of the time for each. */
const SCHEDULES = 500;
const PER_TEST = 50;

const firstSeeds = Array.from({ length: SCHEDULES / PER_TEST }, (_, index) => index * PER_TEST);

test.each(firstSeeds)(
  'keeps the invariants in the histories from seed %i',
  async (first) => {
    for (let seed = first; seed < first + PER_TEST; seed++) {
      const { violations } = await play(scheduleOf(seed));
      expect(violations, `seed ${seed}: npm run faults:model -- --from ${seed} --schedules 1`).toEqual([]);
    }
  },
  60_000,
);

/** A history that once revealed a defect. It is written out so that it stays the same if the meaning of seeds changes. */
function history(
  faults: readonly (readonly [number, Fault['kind'], number])[],
  rest: Partial<Schedule>,
): Schedule {
  return {
    seed: 1,
    graceMs: 0,
    racers: 1,
    faults: new Map(faults.map(([operation, kind, ms]) => [operation, { kind, ms }])),
    events: new Map(),
    readOnly: undefined,
    lag: undefined,
    listAgeMs: undefined,
    refused: undefined,
    slow: undefined,
    deadline: undefined,
    twoStores: false,
    ...rest,
  };
}

test('explains a loss if a save arrives after its process was killed and another process assumed that the token was lost', async () => {
  const { end, losses, violations } = await play(
    history(
      [
        [110, 'late_execution', 70_000],
        [5, 'freeze_before', 3_000],
        [114, 'kill_before', 3_000],
      ],
      { seed: 53_402, racers: 8 },
    ),
  );
  expect({ end, losses, violations }).toEqual({
    end: 'lost',
    losses: ['killed_before_save'],
    violations: [],
  });
});

test("follows an operator's token if a restored record is older than it and from the same second", async () => {
  const { end, violations } = await play(
    history([[20, 'operator_replaces', 20_000]], {
      seed: 8_955,
      racers: 2,
      graceMs: 1_800_000,
      events: new Map([
        [1, 'record_copied'],
        [20, 'record_restored'],
      ]),
    }),
  );
  expect({ end, violations }).toEqual({ end: 'healthy', violations: [] });
});

test("follows an operator's token of the same second as the first one if an older record is restored", async () => {
  const { end, violations } = await play(
    history([[14, 'operator_replaces', 3_000]], {
      seed: 84_025,
      graceMs: Number.POSITIVE_INFINITY,
      events: new Map([
        [16, 'record_copied'],
        [24, 'record_restored'],
      ]),
      lag: { listingLagMs: 40_000, latestLagMs: 3_000 },
    }),
  );
  expect({ end, violations }).toEqual({ end: 'healthy', violations: [] });
});

test('does not overwrite the token of another process with a placeholder after a freeze before the first rotation', async () => {
  const { end, violations } = await play(
    history([[10, 'freeze_before', 70_000]], {
      seed: 4_934,
      racers: 2,
      graceMs: Number.POSITIVE_INFINITY,
    }),
  );
  expect({ end, violations }).toEqual({ end: 'healthy', violations: [] });
});

test('sends a revoked refresh token again within its grace if the refusal was lost, because that cannot do harm', async () => {
  const { end, violations } = await play(
    history(
      [
        [19, 'freeze_between', 70_000],
        [48, 'failed_after', 3_000],
      ],
      { seed: 723, racers: 2, graceMs: 30_000 },
    ),
  );
  expect({ end, violations }).toEqual({ end: 'lost', violations: [] });
});

test('plays the same history for the same seed', async () => {
  const seed = 4_711;
  expect(await play(scheduleOf(seed))).toEqual(await play(scheduleOf(seed)));
});
