import { describe } from 'vitest';
import { systemClock } from '../../lib/clock.ts';
import { World } from '../unit/rotation/world.ts';
import { describeClock } from './clockContract.ts';

describe("the machine's clock", () =>
  describeClock(() => ({ clock: systemClock, settle: (promise) => promise })));

describe('the virtual clock, as a process sees it', () =>
  describeClock(() => {
    const world = new World();
    return { clock: world.process().ports.clock, settle: (promise) => world.settle(promise) };
  }));
