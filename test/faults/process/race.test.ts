import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { connectionOf, slice } from './cases.ts';
import { Consumer } from './consumer.ts';
import { type Rig, type StruckHost, startRig } from './rig.ts';
import { force, nextToken, requestsOf, statusWhere } from './stage.ts';

const TIMEOUT = 600_000;
const RACES = [
  { processes: 2, rounds: 36, connections: 12 },
  { processes: 2, rounds: 200, connections: 24 },
  { processes: 8, rounds: 200, connections: 24 },
];

/** How many connections the processes compete for at the same time. */
const AT_ONCE = 4;
const PAUSE_MS = 200;

/** It rotated, another process is rotating, or the last rotation was too recent. */
const EXPECTED = ['200', '409 in_progress', '429 cooldown'];

test.for(slice(RACES, 3))(
  '$processes processes sweep and take manual calls at once, for $rounds rotations: never two token requests of one connection in flight',
  { timeout: TIMEOUT },
  async ({ processes, rounds, connections }) => {
    const all = Array.from({ length: connections }, (_, index) => connectionOf('strict', `raced-${index}`));
    const rig = await startRig(all);
    try {
      const hosts = await Promise.all(
        Array.from({ length: processes }, () => rig.startHost(all, () => undefined)),
      );
      const names = all.map(({ name }) => name);
      await race(rig, hosts, names, rounds);
      await Promise.all(names.map((name) => expectUnharmed(rig, hosts, name)));
    } finally {
      await rig.close();
    }
  },
);

/** The provider revoked no token family: the stored refresh token still brings a new access token. */
async function expectUnharmed({ servers }: Rig, [host]: readonly StruckHost[], name: string): Promise<void> {
  expect(servers.authorization.concurrentRequests(name), name).toBe(1);
  if (host) await statusWhere(host, name, ({ state }) => state === 'fresh');
  await nextToken(servers, name, await nextToken(servers, name));
}

/**
 * Asks all processes to rotate the same few connections at once, then the next few, until there were `rounds` rotations.
 * All connections at once would test the capacity of the emulated storage account, not the lease.
 */
async function race(rig: Rig, hosts: readonly StruckHost[], names: readonly string[], rounds: number) {
  const consumer = new Consumer(rig.servers);
  const over = new AbortController();
  const watching = consumer.watch(names, 50, over.signal);
  const rotations = () => names.reduce((sum, name) => sum + requestsOf(rig.servers, { name }), 0);
  try {
    for (let from = 0; rotations() < rounds; from = (from + AT_ONCE) % names.length) {
      const raced = names.slice(from, from + AT_ONCE);
      const responses = await Promise.all(
        raced.flatMap((name) => hosts.map((host) => responseOf(host, name))),
      );
      expect(responses.filter((response) => !EXPECTED.includes(response))).toEqual([]);
      await sleep(PAUSE_MS);
    }
  } finally {
    over.abort();
    await watching;
  }
  expect(consumer.violations).toEqual([]);
  expect(consumer.reads).toBeGreaterThan(0);
}

/** @returns status and code of the response to a forced rotation; with its detail if the response is not in EXPECTED */
async function responseOf(host: StruckHost, name: string): Promise<string> {
  const response = await force(host, name);
  if (!response) return 'no response';
  const { code = '', detail = '' } = (await response.json()) as { code?: string; detail?: string };
  const known = `${response.status} ${code}`.trimEnd();
  return EXPECTED.includes(known) ? known : `${known}: ${detail}`;
}
