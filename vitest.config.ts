import { fileURLToPath } from 'node:url';
import { defineConfig, type TestProjectInlineConfiguration } from 'vitest/config';
import { bundlePackages } from './test/support/packages/bundlePackages.ts';

// The tests start several hundred processes. Each would compile the same sources again, and load a thousand files of packages.
process.env.NODE_COMPILE_CACHE ??= fileURLToPath(new URL('node_modules/.cache/node', import.meta.url));
process.env.NODE_OPTIONS = await bundlePackages(process.env.NODE_OPTIONS);

/** Files that share a worker, because they keep nothing in a module or in the environment: it halves their time. */
const SHARED = [
  'test/unit/**/*.test.ts',
  'test/contract/**/*.test.ts',
  'test/integration/{authorization,azure}/**/*.test.ts',
  // Not those of the managed identity: the SDK keeps the first one that it finds in a module.
  'test/integration/oauth/!(clientAssertion).test.ts',
  'test/local/authorizationServer/**/*.test.ts',
  'test/local/keyVault/!(managedIdentity).test.ts',
];
/** Files that start processes, which takes most of their time. They share workers as well, but more of them. */
const PROCESSES = [
  'test/cli/**/*.test.ts',
  'test/package/**/*.test.ts',
  'test/faults/{model,mutants}/**/*.test.ts',
  'test/faults/*.test.ts',
  'test/providers/*.test.ts',
  'test/local/stack/**/*.test.ts',
  'test/support/**/*.test.ts',
];
/** Files that mostly wait, with deadlines of the real clock that a busy machine would miss: they run after the others. */
const WAITING = ['test/integration/consumer/**/*.test.ts'];
/**
 * Trials of the whole product, with dozens of processes, programs of others (a browser, ODBC, Python, .NET, npm) or minutes of waiting.
 * `npm run test:slow` runs them, `npm run infra` those of the deployment, and `npm test` everything else: it must end while its reader
 * still waits for it.
 */
const SLOW = [
  'test/cli/browser.test.ts',
  'test/{examples,ncrontab,newcomer,odbc}/**/*.test.ts',
  'test/faults/process/**/*.test.ts',
  'test/faults/soak/soak.test.ts',
  'test/local/stack/{moveRegion,stack,start}.test.ts',
  'test/package/npmPackages.test.ts',
];
const INFRA = ['test/infra/**/*.test.ts'];
/** 78 connections in one process, each with the deadlines of the product: beside other tests it starves. */
const ALONE = ['test/security/hostile.test.ts'];
/** Only these start programs of ours, or may: the mutants of the unit tests need no bundles of them. */
const programs = { globalSetup: 'test/support/packages/bundlePrograms.ts' };
const ELSEWHERE = [...SHARED, ...PROCESSES, ...WAITING, ...SLOW, ...INFRA, ...ALONE];

export default defineConfig(({ mode }) => ({
  test: {
    // All cases of the processes, with `--mode full`, wait for most of their time.
    maxConcurrency: mode === 'full' ? 10 : 5,
    projects: [
      project('shared', { include: SHARED, isolate: false, maxWorkers: 2 }, 0),
      project(
        'processes',
        { ...programs, include: PROCESSES, exclude: SLOW, isolate: false, maxWorkers: 4 },
        1,
      ),
      project('own', { ...programs, include: ['test/**/*.test.ts'], exclude: ELSEWHERE, maxWorkers: 4 }, 1),
      project('waiting', { ...programs, include: WAITING, maxWorkers: 6 }, 2),
      project('infra', { include: INFRA, isolate: false, maxWorkers: 2 }, 3),
      project('slow', { ...programs, include: SLOW, maxWorkers: 4 }, 3),
      project('slow alone', { ...programs, include: ALONE, maxWorkers: 1 }, 4),
    ],
    // These only end what hangs: compilers and child processes are slow to start beside other workers.
    testTimeout: 90_000,
    hookTimeout: 120_000,
    coverage: {
      provider: 'v8',
      include: ['lib/**/*.ts'],
      reporter: ['text-summary', 'text'],
      thresholds: { lines: 95 },
    },
  },
}));

/** Tests of one kind; those of a lower `order` end before those of a higher one start. */
function project(
  name: string,
  test: NonNullable<TestProjectInlineConfiguration['test']>,
  groupOrder: number,
): TestProjectInlineConfiguration {
  return { extends: true, test: { ...test, name, sequence: { groupOrder } } };
}
