/** `npm run faults -- [--schedules N] [--from SEED]`: plays many histories of faults, and prints what came of them. */
import { parseArgs } from 'node:util';
import { play, type Verdict } from './model/play.ts';
import { type Schedule, scheduleOf } from './model/schedule.ts';

const text = { type: 'string' } as const;
const { values } = parseArgs({ options: { schedules: text, from: text } });
const count = Number(values.schedules ?? 100_000);
const from = Number(values.from ?? 0);

const tally = new Map<string, number>();
const add = (name: string, number = 1) => tally.set(name, (tally.get(name) ?? 0) + number);

function enter({ seed, racers, readOnly }: Schedule, verdict: Verdict): void {
  add('schedules');
  add('grants', verdict.grants);
  add('kills', verdict.kills);
  add('schedules with racing processes', racers > 1 ? 1 : 0);
  add('schedules with a vault outage', readOnly ? 1 : 0);
  add('overlapping grants', verdict.overlaps);
  for (const cause of verdict.losses) add(`tokens that never or too late came to the vault: ${cause}`);
  add('chains lost unavoidably, and reported', verdict.end === 'lost' ? 1 : 0);
  add('violations', verdict.violations.length);
  for (const violation of verdict.violations) console.log(`seed ${seed}: ${violation}`);
}

for (let seed = from; seed < from + count; seed++) {
  const schedule = scheduleOf(seed);
  enter(schedule, await play(schedule));
}
for (const [name, number] of tally) console.log(`${name.padEnd(64)} ${number}`);
process.exitCode = tally.get('violations') ? 1 : 0;
