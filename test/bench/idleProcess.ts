/** Sweeps over connections of which none is due, and reports the cost. The message says where the servers are. */
import { idleName, rotatorOf, useServers } from './rotator.ts';
import type { Addresses } from './servers.ts';

/** What idle sweeps cost. */
export interface IdleCost {
  /** Of one sweep on average, in milliseconds. */
  readonly cpuMs: number;
  /** The most resident memory after a sweep. */
  readonly megabytes: number;
}

/** With the default schedule, in milliseconds. */
const INTERVAL_MS = 10_000;
/** After the first one, which reads the configuration. Every fifth, at the latest, asks for the list again. */
const SWEEPS = 10;

async function measure(addresses: Addresses, size: number): Promise<IdleCost> {
  useServers(addresses);
  let passed = 0;
  const rotator = rotatorOf(addresses, entriesOf(addresses, size), true, () => performance.now() + passed);
  const costs: number[] = [];
  let bytes = 0;
  for (let sweep = 0; sweep <= SWEEPS; sweep++) {
    passed += INTERVAL_MS;
    const before = process.cpuUsage();
    const { due, connections } = await rotator.sweep();
    const { user, system } = process.cpuUsage(before);
    if (due > 0 || connections !== size) throw new Error(`${due} of ${connections} are due.`);
    costs.push((user + system) / 1000);
    bytes = Math.max(bytes, process.memoryUsage().rss);
  }
  const cpuMs = costs.slice(1).reduce((sum, each) => sum + each) / SWEEPS;
  return { cpuMs, megabytes: bytes / 2 ** 20 };
}

function entriesOf({ tokenEndpoints: [tokenUri] }: Addresses, size: number): Record<string, object> {
  const names = Array.from({ length: size }, (_, position) => idleName(position));
  return Object.fromEntries(names.map((name) => [name, { tokenUri, clientId: 'id' }]));
}

process.once('message', async ({ addresses, size }: { addresses: Addresses; size: number }) => {
  process.send?.(await measure(addresses, size));
  process.disconnect();
});
