import { expect, test } from 'vitest';
import { soak } from './soak.ts';

const FAULTS_MS = 15_000;
/** A stopped process goes on after 40 s, an outage ends after 90 s, and what failed meanwhile is tried again later. */
const TIMEOUT_MS = 400_000;

test(
  'under random faults no token is lost avoidably, and all is well soon after the last',
  async () => {
    const { violations, grants, consumer } = await soak(FAULTS_MS, 7);
    expect(violations).toEqual([]);
    expect(grants).toBeGreaterThanOrEqual(12);
    expect(consumer.reads).toBeGreaterThan(10);
  },
  TIMEOUT_MS,
);
