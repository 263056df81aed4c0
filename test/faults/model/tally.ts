import { play, type Verdict } from './play.ts';
import { FAULT_KINDS, type Schedule, scheduleOf } from './schedule.ts';

/** How often something happened, by its name. */
export type Tally = Map<string, number>;

/** The results of a range of seeds. */
export interface Result {
  readonly tally: Tally;
  /** One line each, with the seed. */
  readonly violations: readonly string[];
}

/** The rows that are shown even if their count is 0. */
const ROWS = [
  'schedules',
  'schedules with racing processes',
  'schedules with two deployments',
  'schedules with a vault outage',
  'schedules with a slow provider',
  'schedules with a deadline of refresh tokens',
  'token requests',
  ...FAULT_KINDS.map((kind) => `fault ${kind}`),
  'avoidable token losses and other violations',
  'overlapping token requests, avoidable',
  'overlapping token requests, unavoidable',
  'expired tokens read after a late write',
];

/** Plays the schedules of `count` seeds. */
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

/** The counts in the order in which they are shown. Lost token responses and token families come last, each by its cause. */
export function rowsOf(tally: Tally): [string, number][] {
  const causes = [...tally.keys()].filter((name) => !ROWS.includes(name)).toSorted();
  return [...ROWS, ...causes].map((name) => [name, tally.get(name) ?? 0]);
}

/** Adds the counts of one tally to another. */
export function addUp(sum: Tally, more: Tally): void {
  for (const [name, number] of more) sum.set(name, (sum.get(name) ?? 0) + number);
}

function enter(
  tally: Tally,
  { racers, readOnly, slow, twoStores, deadline }: Schedule,
  verdict: Verdict,
): void {
  const { violations } = verdict;
  const overlaps = violations.filter((violation) => violation.startsWith('Two token requests'));
  addUp(tally, new Map([...verdict.struck].map(([kind, times]) => [`fault ${kind}`, times])));
  const counts: [string, number][] = [
    ['schedules', 1],
    ['schedules with racing processes', racers > 1 ? 1 : 0],
    ['schedules with two deployments', twoStores ? 1 : 0],
    ['schedules with a vault outage', readOnly ? 1 : 0],
    ['schedules with a slow provider', slow ? 1 : 0],
    ['schedules with a deadline of refresh tokens', deadline ? 1 : 0],
    ['token requests', verdict.tokenRequests],
    ['overlapping token requests, avoidable', overlaps.length],
    ['overlapping token requests, unavoidable', verdict.overlaps],
    ['expired tokens read after a late write', verdict.staleReads],
    ['avoidable token losses and other violations', violations.length],
    ...verdict.losses.map((cause): [string, number] => [`refresh token never saved: ${cause}`, 1]),
  ];
  if (verdict.end === 'lost') counts.push([`token family lost unavoidably, reported: ${verdict.death}`, 1]);
  for (const [name, number] of counts) addUp(tally, new Map([[name, number]]));
}
