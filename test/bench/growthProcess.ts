/** Rotates connections that are all due, as often as it is told, and reports what each time costs. The first message says where the servers are. */
import { costOf, sweepAll, UNTIL_DUE_MS } from './measure.ts';
import { rotatorOf, useServers } from './rotator.ts';
import type { Addresses } from './servers.ts';

/** What rotations cost. */
export interface GrowthCost {
  /** CPU of one rotation, in milliseconds. */
  readonly cpuMs: number;
  /** Resident memory after the sweep. */
  readonly megabytes: number;
}

/** What a process of rotations starts with. */
export interface GrowthStart {
  readonly addresses: Addresses;
  readonly entries: Readonly<Record<string, object>>;
}

process.once('message', ({ addresses, entries }: GrowthStart) => {
  useServers(addresses);
  const size = Object.keys(entries).length;
  let passed = 0;
  const { hasty, complaints } = rotatorOf(addresses, entries, false, () => performance.now() + passed);
  process.on('message', async () => {
    // As much time has passed for the servers. Otherwise the last list would still count.
    passed += UNTIL_DUE_MS;
    const { cpuSeconds } = await costOf(() => sweepAll(hasty, size, complaints));
    const cost: GrowthCost = {
      cpuMs: (cpuSeconds / size) * 1000,
      megabytes: process.memoryUsage().rss / 2 ** 20,
    };
    process.send?.(cost);
  });
});
