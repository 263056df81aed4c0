import { describe } from 'vitest';
import { createWritePacer } from '../../lib/azure/writePacer.ts';
import { WRITES_PER_10_SECONDS } from '../unit/rotation/world/process.ts';
import { VirtualClock } from '../unit/rotation/world/virtualClock.ts';
import { World } from '../unit/rotation/world.ts';
import { describePacer } from './pacerContract.ts';

describe('with a limit of 20', () =>
  describePacer(20, () => {
    const clock = new VirtualClock();
    return { pacer: createWritePacer(20, clock), clock, settle: (promise) => clock.settle(promise) };
  }));

// The world has no separate pacer: its processes use the pacer of a deployment.
describe('of a process in memory', () =>
  describePacer(WRITES_PER_10_SECONDS, () => {
    const world = new World();
    const { pacer, clock } = world.process().ports;
    return { pacer, clock, settle: (promise) => world.settle(promise) };
  }));
