/** `npm run faults`: the model, the real processes and the mutants, one after the other; then one table of what came of them. */
import { availableParallelism } from 'node:os';
import { startVitest } from 'vitest/node';
import { playOnAllCores } from './model/onAllCores.ts';
import { failsAnyway, judgeAll, type Verdict } from './mutants/judge.ts';
import { MUTANTS } from './mutants/mutants.ts';
import { type Findings, type ProcessTest, problemsOf, rowsOfFindings } from './summary.ts';

const SCHEDULES = 100_000;
/** The histories that are played against a mutant at most. */
const HISTORIES = 1_000;

/** The same as `npm run faults:process`. */
async function strikeProcesses(): Promise<ProcessTest[]> {
  const vitest = await startVitest('test', ['test/faults/process'], {
    mode: 'full',
    watch: false,
    maxConcurrency: 10,
  });
  const tests = vitest.state.getTestModules().flatMap((module) => [...module.children.allTests()]);
  await vitest.close();
  return tests.map((test) => ({ name: test.fullName, isPassed: test.result().state === 'passed' }));
}

async function judgeMutants(): Promise<Verdict[]> {
  const anyway = await failsAnyway(MUTANTS, HISTORIES);
  if (anyway) throw new Error(`It fails without any mutant: ${anyway}`);
  return judgeAll(MUTANTS, HISTORIES, Math.min(2, availableParallelism()), ({ name, failed, history }) =>
    console.log(`${name}: ${failed ?? history ?? 'SURVIVED'}`),
  );
}

const startedAt = performance.now();
const findings: Findings = {
  model: await playOnAllCores(0, SCHEDULES),
  processes: await strikeProcesses(),
  mutants: await judgeMutants(),
};
const problems = problemsOf(findings);
console.log('\n| what | figure |\n| --- | --- |');
for (const [what, figure] of rowsOfFindings(findings)) console.log(`| ${what} | ${figure} |`);
console.log(`| minutes | ${((performance.now() - startedAt) / 60_000).toFixed(1)} |`);
for (const problem of problems) console.log(problem);
process.exitCode = problems.length > 0 ? 1 : 0;
