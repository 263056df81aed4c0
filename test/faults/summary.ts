import { type Result, rowsOf } from './model/tally.ts';
import { isKilled, type Verdict } from './mutants/judge.ts';

/** A test with real processes: its full name, and whether it passed. */
export interface ProcessTest {
  readonly name: string;
  readonly isPassed: boolean;
}

/** Everything that `npm run faults` found. */
export interface Findings {
  readonly model: Result;
  readonly processes: readonly ProcessTest[];
  readonly mutants: readonly Verdict[];
}

/** The kinds of tests with real processes, each with the pattern of its test names. */
const KINDS: readonly [string, RegExp][] = [
  ['kills', /, killed:/],
  ['stops and continues', /, stopped for/],
  ['responses lost, damaged or slow', /, response /],
  ['races', /processes sweep/],
  ['outages of the vault after the token request', /^the vault refuses/],
  ['drains', /^a process that gets the signal to end/],
];

/** The rows of the table: a label and its figure. */
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

/** One line for each problem. It is also a problem if no history, no test of a kind, or no mutant was run: that proves nothing. */
export function problemsOf({ model, processes, mutants }: Findings): string[] {
  const empty = [];
  if (!model.tally.get('schedules')) empty.push('The model played no history.');
  for (const [kind, pattern] of KINDS)
    if (!processes.some(({ name }) => pattern.test(name))) empty.push(`No test counts as ${kind}.`);
  if (mutants.length === 0) empty.push('The findings contain no mutant.');
  return [
    ...model.violations,
    ...processes.filter(({ isPassed }) => !isPassed).map(({ name }) => `Failed: ${name}`),
    ...mutants.filter((mutant) => !isKilled(mutant)).map(({ name }) => `Survived: ${name}`),
    ...empty,
  ];
}
