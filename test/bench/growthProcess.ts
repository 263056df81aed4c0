/** Rotates connections that are all due, as many as the argument says, and prints what that costs as JSON. */
import { costOf, median, startFleet } from './measure.ts';
import { startStage } from './stage.ts';

/** What rotations cost. */
export interface GrowthCost {
  /** CPU of one rotation, in milliseconds. */
  readonly cpuMs: number;
  /** Resident memory after the last sweep. */
  readonly megabytes: number;
}

const size = Number(process.argv[2]);
/** The first sweeps of a process are slower, and those of few connections are short. */
const rounds = size < 1_000 ? 9 : size < 10_000 ? 3 : 1;

const stage = await startStage(8);
try {
  const fleet = await startFleet(stage, size);
  const costs: number[] = [];
  for (let round = 0; round < rounds; round++) {
    await fleet.becomeDue();
    costs.push(((await costOf(fleet.sweep)).cpuSeconds / size) * 1000);
  }
  const megabytes = process.memoryUsage().rss / 2 ** 20;
  console.log(JSON.stringify({ cpuMs: median(costs), megabytes } satisfies GrowthCost));
} finally {
  await stage.close();
}
