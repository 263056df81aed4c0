import { defineConfig } from 'vitest/config';

/** For Stryker: the unit tests of the pure core and nothing else, so that no other test can hide what they miss. */
export default defineConfig({
  test: {
    // Its sandbox has a new name each time: what would be kept of it is never read again.
    fsModuleCache: false,
    include: [
      'test/unit/rotation/{decide,currentVersion,replay,outcome,record,times,tags,status,warnings}.test.ts',
      'test/unit/explanations.test.ts',
    ],
  },
});
