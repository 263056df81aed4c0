/**
 * `npm run faults:mutants -- [--only TEXT] [--histories N]`: switches off the guards of the protocol, one at a time, and prints
 * the test and the history of the model that notice it. Exits with 1 if a mutant survives.
 */
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { failsAnyway, isKilled, judgeAll, type Verdict } from './judge.ts';
import { MUTANTS } from './mutants.ts';

const text = { type: 'string' } as const;
const { values } = parseArgs({ options: { only: text, histories: text } });
const histories = Number(values.histories ?? 1_000);
const mutants = MUTANTS.filter(({ name }) => name.includes(values.only ?? ''));
const atOnce = Math.min(2, availableParallelism());
/** A violation may contain a whole record; the seed is enough to play it again. */
const LONGEST_CELL = 120;

function row({ name, failed, history, problem, seconds }: Verdict): string {
  const cells = [
    name,
    problem ?? failed ?? 'nothing',
    history?.slice(0, LONGEST_CELL) ?? '',
    seconds.toFixed(0),
  ];
  return `| ${cells.join(' | ')} |`;
}

/** @returns the exit code */
async function main(): Promise<number> {
  const startedAt = performance.now();
  if (mutants.length === 0) {
    console.error(`No guard has ${values.only} in its name.`);
    return 1;
  }
  const failing = await failsAnyway(mutants, histories);
  if (failing) {
    console.error(`Fails without any mutant: ${failing}`);
    return 1;
  }
  const verdicts = await judgeAll(mutants, histories, atOnce, (verdict) =>
    console.error(`${isKilled(verdict) ? 'killed  ' : 'SURVIVED'}  ${verdict.name}`),
  );
  console.log('| guard, and how it is switched off | killed by the test | killed by the history | seconds |');
  console.log('| --- | --- | --- | --- |');
  for (const verdict of verdicts) console.log(row(verdict));
  const killed = verdicts.filter(isKilled).length;
  const minutes = ((performance.now() - startedAt) / 60_000).toFixed(1);
  console.log(`\n${killed} of ${verdicts.length} mutants killed, in ${minutes} min.`);
  return killed > 0 && killed === verdicts.length ? 0 : 1;
}

process.exitCode = await main();
