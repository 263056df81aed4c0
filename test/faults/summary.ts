import { type Result, rowsOf } from './model/tally.ts';
import { isKilled, type Verdict } from './mutants/judge.ts';

/** A test that struck real processes: its full name, and whether it passed. */
export interface ProcessTest {
  readonly name: string;
  readonly isPassed: boolean;
}

/** Everything that `npm run faults` found out. */
export interface Findings {
  readonly model: Result;
  readonly processes: readonly ProcessTest[];
  readonly mutants: readonly Verdict[];
}

/** What the tests of real processes are counted as, by what their names say. */
const KINDS: readonly [string, RegExp][] = [
  ['kills', /, killed:/],
  ['stops and continues', /, stopped for/],
  ['answers lost or mutilated', /, answer /],
  ['races', /processes sweep/],
  ['outages of the vault after the grant', /^the vault refuses/],
  ['drains', /^a process that is told to end/],
];

/** The table's rows: what was counted, and how often. */
export function rowsOfFindings({ model, processes, mutants }: Findings): [string, string][] {
  const passed = (tests: readonly ProcessTest[]) =>
    `${tests.filter(({ isPassed }) => isPassed).length} of ${tests.length} as promised`;
  const kinds = KINDS.map(([kind, pattern]): [string, string] => [
    `processes: ${kind}`,
    passed(processes.filter(({ name }) => pattern.test(name))),
  ]);
  const others = processes.filter(({ name }) => !KINDS.some(([, pattern]) => pattern.test(name)));
  return [
    ...rowsOf(model.tally).map(([name, number]): [string, string] => [`model: ${name}`, `${number}`]),
    ...kinds,
    ['processes: other', passed(others)],
    ['mutants killed', `${mutants.filter(isKilled).length} of ${mutants.length}`],
  ];
}

/** Whatever is wrong, one line each. Findings without a single history, test or mutant prove nothing and are wrong too. */
export function problemsOf({ model, processes, mutants }: Findings): string[] {
  const empty = [];
  if (!model.tally.get('schedules')) empty.push('No history was played.');
  for (const [kind, pattern] of KINDS)
    if (!processes.some(({ name }) => pattern.test(name))) empty.push(`No test counts as: ${kind}.`);
  if (mutants.length === 0) empty.push('No mutant was judged.');
  return [
    ...model.violations,
    ...processes.filter(({ isPassed }) => !isPassed).map(({ name }) => `Failed: ${name}`),
    ...mutants.filter((mutant) => !isKilled(mutant)).map(({ name }) => `Survived: ${name}`),
    ...empty,
  ];
}
