import { describe, expect, test } from 'vitest';
import { createRotator } from '../../../lib/rotator.ts';
import { failure } from './world/fakeVault.ts';
import { ACCESS_TOKEN, HOUR, REFRESH_TOKEN, seeded } from './world/scenario.ts';

const SECOND = 1_000;

/** A deployment: the timer runs in one process, and the HTTP functions in another one. */
function deployment() {
  const { world, process } = seeded();
  const timer = createRotator(process.ports, world.now);
  const http = createRotator(world.process().ports, world.now);
  /** Sweeps every 10 s, as the timer does. */
  const sweeps = async (times: number) => {
    for (let at = 0; at < times; at++) {
      await world.settle(timer.sweep());
      await world.clock.pass(10 * SECOND);
    }
  };
  const probe = async () => {
    const { checkedAt: _, ...readiness } = await world.settle(http.readiness());
    return readiness;
  };
  return { world, sweeps, probe };
}

describe('a timer that stopped', () => {
  test.each([10, 60, 300])('costs no freshness if a probe comes every %i s', async (seconds) => {
    const { world, sweeps, probe } = deployment();
    await sweeps(3);
    let unready = 0;
    for (let passed = 0; passed < 3 * HOUR; passed += seconds * SECOND) {
      if (!(await probe()).isReady) unready++;
      await world.clock.pass(seconds * SECOND);
      expect(world.tokens.latest(ACCESS_TOKEN)?.expiresAt).toBeGreaterThan(world.now());
    }
    expect(world.record('crm').generation).toBeGreaterThan(3);
    const started = world.events('sweep_started_by_probe');
    expect(started.length).toBeGreaterThan(10);
    // A probe that is frequent enough never finds the rotator unhealthy.
    expect(unready === 0).toBe(seconds === 10);
  });

  test('is reported after four intervals, and not before', async () => {
    const { world, sweeps, probe } = deployment();
    await sweeps(1);
    await world.clock.pass(17 * SECOND);
    expect(await probe()).toEqual({ isReady: true });
    expect(world.events('sweep_started_by_probe')).toEqual([]);
    await world.clock.pass(15 * SECOND);
    expect(await probe()).toEqual({ isReady: false, isSilent: true });
    expect(world.events('sweep_started_by_probe')).toHaveLength(1);
    await world.clock.pass(10 * SECOND);
    expect(await probe()).toEqual({ isReady: true });
  });
});

describe('a probe', () => {
  test('starts nothing while sweeps run, however long they take', async () => {
    const { world, sweeps, probe } = deployment();
    await sweeps(2);
    world.before(`get ${REFRESH_TOKEN}`, () => world.clock.sleep(50 * SECOND));
    world.records.change('crm', (record) => ({ ...record, nextAttemptAt: 0 }));
    const sweeping = sweeps(1);
    for (let check = 0; check < 5; check++) {
      await world.clock.pass(10 * SECOND);
      expect(await probe()).toEqual({ isReady: true });
    }
    await sweeping;
    expect(world.events('sweep_started_by_probe')).toEqual([]);
  });

  test('counts from the start of the process before the first sweep of a deployment', async () => {
    const { world, probe } = deployment();
    expect(await probe()).toEqual({ isReady: true });
    await world.clock.pass(31 * SECOND);
    expect(await probe()).toEqual({ isReady: true });
    await world.clock.pass(10 * SECOND);
    expect(await probe()).toEqual({ isReady: true });
    expect(world.events('sweep_finished')).toHaveLength(1);
  });

  test('starts one sweep at a time, and no other one for an interval, if sweeps fail', async () => {
    const { world, sweeps, probe } = deployment();
    await sweeps(1);
    await world.clock.pass(60 * SECOND);
    world.before('note sweep', () => Promise.reject(failure('storage_forbidden')), Number.POSITIVE_INFINITY);
    for (let check = 0; check < 60; check++) {
      await probe();
      await world.clock.pass(SECOND);
    }
    expect(world.events('sweep_started_by_probe').length).toBeLessThanOrEqual(6);
  });

  test('starts nothing in a process that is about to end', async () => {
    const { world, process } = seeded();
    const rotator = createRotator(process.ports, world.now);
    await world.clock.pass(HOUR);
    await rotator.drain();
    await world.settle(rotator.readiness());
    expect(world.count(/^lease/)).toBe(0);
    expect(world.events('sweep_started_by_probe')).toEqual([]);
  });
});

test('the note of a sweep costs one write for two sweeps, and every status shows it', async () => {
  const { world, sweeps } = deployment();
  await sweeps(10);
  expect(world.count(/^note/)).toBe(5);
  const { lastSweep } = await createRotator(world.process().ports, world.now).overview();
  expect(world.now() - Date.parse(lastSweep ?? '')).toBeLessThanOrEqual(30 * SECOND);
});
