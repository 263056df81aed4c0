/** Sweeps over connections of which none is due, and reports the cost. The message says where the servers are. */
import { median } from './measure.ts';
import type { Addresses } from './servers.ts';
import { rotatorOf, useServers } from './stage.ts';

/** What idle sweeps cost. */
export interface IdleCost {
  /** Of one sweep, in milliseconds. */
  readonly cpuMs: number;
  /** Resident memory after the last sweep. */
  readonly megabytes: number;
}

const SWEEPS = 7;

async function measure(addresses: Addresses, names: readonly string[]): Promise<IdleCost> {
  useServers(addresses);
  const [tokenUri] = addresses.tokenEndpoints;
  const entries = names.map((name) => [name, { tokenUri, clientId: 'id' }]);
  const rotator = rotatorOf(addresses, Object.fromEntries(entries), true);
  const costs: number[] = [];
  for (let sweep = 0; sweep < SWEEPS; sweep++) {
    const before = process.cpuUsage();
    const { due, connections } = await rotator.sweep();
    const { user, system } = process.cpuUsage(before);
    if (due > 0 || connections !== names.length) throw new Error(`${due} of ${connections} are due.`);
    costs.push((user + system) / 1000);
  }
  // The first one reads the configuration.
  return { cpuMs: median(costs.slice(1)), megabytes: process.memoryUsage().rss / 2 ** 20 };
}

process.once('message', async ({ addresses, names }: { addresses: Addresses; names: string[] }) => {
  process.send?.(await measure(addresses, names));
  process.disconnect();
});
