import { play, type Verdict } from './play.ts';
import { FAULT_KINDS, type Schedule, scheduleOf } from './schedule.ts';

/** How often something happened, by its name. */
export type Tally = Map<string, number>;

/** What came of a range of seeds. */
export interface Result {
  readonly tally: Tally;
  /** One line each, with the seed. */
  readonly violations: readonly string[];
}

/** The rows that are always shown. */
const ROWS = [
  'schedules',
  'schedules with racing processes',
  'schedules with a vault outage',
  'grants',
  ...FAULT_KINDS.map((kind) => `fault ${kind}`),
  'tokens lost avoidably, and other violations',
  'overlapping grants, avoidable',
  'overlapping grants, unavoidable',
  'expired tokens read after a late write',
];

/** Plays the schedules of so many seeds. */
export async function playAll(from: number, count: number): Promise<Result> {
  const tally: Tally = new Map();
  const violations: string[] = [];
  for (let seed = from; seed < from + count; seed++) {
    const schedule = scheduleOf(seed);
    const verdict = await play(schedule);
    enter(tally, schedule, verdict);
    violations.push(...verdict.violations.map((violation) => `seed ${seed}: ${violation}`));
  }
  return { tally, violations };
}

/** The counts in the order in which they are shown: lost chains and answers, each by its cause, are the last. */
export function rowsOf(tally: Tally): [string, number][] {
  const causes = [...tally.keys()].filter((name) => !ROWS.includes(name)).toSorted();
  return [...ROWS, ...causes].map((name) => [name, tally.get(name) ?? 0]);
}

/** Adds the counts of one tally to another. */
export function addUp(sum: Tally, more: Tally): void {
  for (const [name, number] of more) sum.set(name, (sum.get(name) ?? 0) + number);
}

function enter(tally: Tally, { racers, readOnly }: Schedule, verdict: Verdict): void {
  const { violations } = verdict;
  const overlaps = violations.filter((violation) => violation.startsWith('Two grants'));
  addUp(tally, new Map([...verdict.struck].map(([kind, times]) => [`fault ${kind}`, times])));
  const counts: [string, number][] = [
    ['schedules', 1],
    ['schedules with racing processes', racers > 1 ? 1 : 0],
    ['schedules with a vault outage', readOnly ? 1 : 0],
    ['grants', verdict.grants],
    ['overlapping grants, avoidable', overlaps.length],
    ['overlapping grants, unavoidable', verdict.overlaps],
    ['expired tokens read after a late write', verdict.staleReads],
    ['tokens lost avoidably, and other violations', violations.length],
    ...verdict.losses.map((cause): [string, number] => [`answer that never came to the vault: ${cause}`, 1]),
  ];
  if (verdict.end === 'lost') counts.push([`chain lost unavoidably, and reported: ${verdict.death}`, 1]);
  for (const [name, number] of counts) addUp(tally, new Map([[name, number]]));
}
