import { expect, test } from 'vitest';
import { LONGEST_LIST_AGE_MS } from '../../../lib/rotation/core/times.ts';
import type { Process } from '../../unit/rotation/world/process.ts';
import { seeded } from '../../unit/rotation/world/scenario.ts';
import type { HookContext } from '../../unit/rotation/world.ts';
import { sweep } from './play.ts';
import { INTERVAL_MS } from './schedule.ts';

/** More than a rotation has. */
const OPERATIONS = 14;
const MOST_SWEEPS = 60;

interface Kill {
  readonly when: 'before' | 'after';
  /** Which operation of the second rotation, counted from 0. */
  readonly nth: number;
  readonly graceMs: number;
  /** How many sweeps before the kill the other process made its list, if it uses lists of this age. */
  readonly joinedAt: number;
}

/** @returns what was interrupted, and what the record says when the other process has taken over, and when that was */
async function takenOver({ when, nth, graceMs, joinedAt }: Kill, listAgeMs: number | undefined) {
  const { world, connection } = seeded({ behavior: { refreshTokenGraceMs: graceMs } });
  world.listAgeMs = listAgeMs;
  world.provider.lifetimeMs = 300_000;
  const processes: Process[] = [world.process()];
  const [victim] = processes;
  let interrupted: string | undefined;
  let operations = 0;
  const kill = ({ operation, caller }: HookContext) => {
    if (caller !== victim || !caller.alive || world.provider.sent.length === 0) return;
    if (world.clock.monotonic() < INTERVAL_MS || operations++ !== nth) return;
    interrupted = operation;
    caller.crash();
  };
  world[when](/./, kill, Number.POSITIVE_INFINITY);
  for (let count = 0; count < MOST_SWEEPS; count++) {
    if (count === joinedAt) processes.push(world.process());
    await sweep(
      { world, connection },
      processes.filter(({ alive }) => alive),
    );
    const { phase, generation, failure } = world.record('crm');
    const isOver = phase.state === 'idle' || failure?.blocked;
    if (interrupted !== undefined && isOver && world.provider.sent.length > 1)
      return { interrupted, at: world.clock.monotonic(), generation, failure: failure?.code };
  }
  return { interrupted };
}

test.each([0, 30_000, Number.POSITIVE_INFINITY])(
  'an interrupted rotation is taken over as soon with an old list of the records as with a new one, with a grace period of %d ms',
  async (graceMs) => {
    const points = Array.from({ length: OPERATIONS }, (_, nth) => nth);
    let interrupted = 0;
    for (const when of ['before', 'after'] as const)
      for (const nth of points)
        for (const joinedAt of [0, 14, 15, 16, 17, 18]) {
          const kill = { when, nth, graceMs, joinedAt };
          const found = await takenOver(kill, LONGEST_LIST_AGE_MS);
          expect(found, JSON.stringify(kill)).toEqual(await takenOver(kill, undefined));
          if (found.at !== undefined) interrupted += 1;
        }
    expect(interrupted).toBeGreaterThan(2 * 10 * 6);
  },
);
