/** `npm run faults`: runs the model, the real processes and the mutants one after the other, then prints one table of results. */
import { availableParallelism } from 'node:os';
import { startVitest } from 'vitest/node';
import { playOnAllCores } from './model/onAllCores.ts';
import { failsAnyway, judgeAll, type Verdict } from './mutants/judge.ts';
import { MUTANTS } from './mutants/mutants.ts';
import { type Findings, type ProcessTest, problemsOf, rowsOfFindings } from './summary.ts';

const SCHEDULES = 100_000;
/** How many histories the model plays against a mutant at most. */
const HISTORIES = 1_000;

/** Runs the same tests as `npm run faults:process`. */
async function testProcesses(): Promise<ProcessTest[]> {
  const vitest = await startVitest('test', ['test/faults/process'], {
    mode: 'full',
    watch: false,
  });
  const tests = vitest.state.getTestModules().flatMap((module) => [...module.children.allTests()]);
  await vitest.close();
  return tests.map((test) => ({ name: test.fullName, isPassed: test.result().state === 'passed' }));
}

async function judgeMutants(): Promise<Verdict[]> {
  const failing = await failsAnyway(MUTANTS, HISTORIES);
  if (failing) throw new Error(`Fails without any mutant: ${failing}`);
  return judgeAll(MUTANTS, HISTORIES, Math.min(2, availableParallelism()), ({ name, failed, history }) =>
    console.log(`${name}: ${failed ?? history ?? 'SURVIVED'}`),
  );
}

const startedAt = performance.now();
const findings: Findings = {
  model: await playOnAllCores(0, SCHEDULES),
  processes: await testProcesses(),
  mutants: await judgeMutants(),
};
const problems = problemsOf(findings);
console.log('\n| what | figure |\n| --- | --- |');
for (const [what, figure] of rowsOfFindings(findings)) console.log(`| ${what} | ${figure} |`);
console.log(`| minutes | ${((performance.now() - startedAt) / 60_000).toFixed(1)} |`);
for (const problem of problems) console.log(problem);
process.exitCode = problems.length > 0 ? 1 : 0;
