import { defineConfig } from 'vitest/config';

/** For Stryker: only the unit tests of the pure core, so that no other test can hide what they miss. */
export default defineConfig({
  test: {
    // Stryker's sandbox has a new name each time, so a cache of it would never be read again.
    fsModuleCache: false,
    // As in vitest.config.ts. Stryker sets a shorter limit of its own for each mutant.
    testTimeout: 90_000,
    include: [
      'test/unit/rotation/{decide,currentVersion,replay,outcome,record,plausible,times,tags,status,warnings}.test.ts',
      'test/unit/explanations.test.ts',
    ],
  },
});
