import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { connectionOf, slice } from './cases.ts';
import { Consumer } from './consumer.ts';
import { type Rig, type StruckHost, startRig } from './rig.ts';
import { force, grantsOf, nextToken, statusWhere } from './stage.ts';

const TIMEOUT = 600_000;
const RACES = [
  { processes: 2, rounds: 36, connections: 12 },
  { processes: 2, rounds: 200, connections: 24 },
  { processes: 8, rounds: 200, connections: 24 },
];

/** Rotated, another one is at it, or too soon after the last. */
const EXPECTED = ['200', '409 in_progress', '429 cooldown'];

test.for(slice(RACES, 3))(
  '$processes processes sweep and take manual calls at once, for $rounds rotations: never two grants of one connection in flight',
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

/** No family was revoked: the stored token still brings a new access token. */
async function expectUnharmed({ servers }: Rig, [host]: readonly StruckHost[], name: string): Promise<void> {
  expect(servers.authorization.concurrentGrants(name), name).toBe(1);
  if (host) await statusWhere(host, name, ({ state }) => state === 'fresh');
  await nextToken(servers, name, await nextToken(servers, name));
}

/** Everybody is asked to rotate everything, at once, until there were so many rotations. */
async function race(rig: Rig, hosts: readonly StruckHost[], names: readonly string[], rounds: number) {
  const consumer = new Consumer(rig.servers);
  const over = new AbortController();
  const watching = consumer.watch(names, 50, over.signal);
  const rotations = () => names.reduce((sum, name) => sum + grantsOf(rig.servers, { name }), 0);
  try {
    while (rotations() < rounds) {
      const calls = names.flatMap((name) => hosts.map((host) => answerOf(host, name)));
      const answers = await Promise.all(calls);
      expect(answers.filter((answer) => !EXPECTED.includes(answer))).toEqual([]);
      await sleep(1_000);
    }
  } finally {
    over.abort();
    await watching;
  }
  expect(consumer.violations).toEqual([]);
  expect(consumer.reads).toBeGreaterThan(0);
}

/** @returns status and code of the answer to a forced rotation */
async function answerOf(host: StruckHost, name: string): Promise<string> {
  const answer = await force(host, name);
  if (!answer) return 'no answer';
  const { code = '' } = (await answer.json()) as { code?: string };
  return `${answer.status} ${code}`.trimEnd();
}
