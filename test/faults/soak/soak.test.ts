import { expect, test } from 'vitest';
import { soak } from './soak.ts';

const FAULTS_MS = 15_000;
/** A stopped process continues after 40 s, an outage ends after 90 s, and the rotator retries failed rotations later. */
const TIMEOUT_MS = 400_000;

test(
  'loses no token avoidably under random faults, and all connections are fresh soon after the last fault',
  async () => {
    const { violations, tokenRequests, consumer } = await soak(FAULTS_MS, 7);
    expect(violations).toEqual([]);
    expect(tokenRequests).toBeGreaterThanOrEqual(12);
    expect(consumer.reads).toBeGreaterThan(10);
  },
  TIMEOUT_MS,
);
