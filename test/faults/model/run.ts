/** `npm run faults:model -- [--schedules N] [--from SEED]`: plays histories of faults on all cores, and prints the results. */
import { parseArgs } from 'node:util';
import { playOnAllCores } from './onAllCores.ts';
import { rowsOf } from './tally.ts';

const text = { type: 'string' } as const;
const { values } = parseArgs({ options: { schedules: text, from: text } });
const { tally, violations } = await playOnAllCores(
  Number(values.from ?? 0),
  Number(values.schedules ?? 100_000),
);
for (const violation of violations) console.log(violation);
for (const [name, figure] of rowsOf(tally)) console.log(`${name.padEnd(64)} ${figure}`);
process.exitCode = violations.length > 0 ? 1 : 0;
