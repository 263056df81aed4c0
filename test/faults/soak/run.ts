/** `npm run soak -- --hours N [--seed N]`: runs the local stack under random faults of all kinds, and prints a report. */
import { parseArgs } from 'node:util';
import { type SoakResult, soak } from './soak.ts';

const text = { type: 'string' } as const;
const { values } = parseArgs({ options: { hours: text, seed: text } });
const hours = Number(values.hours ?? 1);
const seed = Number(values.seed ?? 1);
const HOUR_MS = 3_600_000;

function rowsOf(result: SoakResult): [string, string | number][] {
  const { crew, consumer, lost, violations } = result;
  const gapOf = (kind: string) =>
    Math.max(0, ...[...consumer.longestGap].map(([name, ms]) => (name.startsWith(kind) ? ms : 0)));
  const seconds = (ms: number) => `${(ms / 1000).toFixed(0)} s`;
  return [
    ['hours', hours],
    ['seed', seed],
    ['connections', result.connections.length],
    ...[...crew.counts].toSorted(([one], [other]) => one.localeCompare(other)),
    ['token requests', result.tokenRequests],
    ['avoidable token losses and other violations', violations.length],
    ...[...lost].map(([cause, number]): [string, number] => [
      `token families lost unavoidably: ${cause}`,
      number,
    ]),
    ['repairs by the operator', result.repairs],
    ['connections with overlapping token requests, unavoidable', result.strayOverlaps],
    ['reads by consumers', consumer.reads],
    ['expired tokens read although the vault had a newer one', consumer.violations.length],
    ['the same after a late write', consumer.staleReads],
    [
      'longest time without a valid token: single use, including the wait for the operator',
      seconds(gapOf('single')),
    ],
    ['the same with grace', seconds(gapOf('grace'))],
    ['the same with reusable tokens', seconds(gapOf('none'))],
    ['all connections fresh after the last fault', seconds(result.recoveredAfter)],
    ['peak memory of a host', `${(result.peakMemory / 2 ** 20).toFixed(0)} MB`],
  ];
}

const result = await soak(hours * HOUR_MS, seed);
for (const violation of result.violations) console.log(violation);
console.log('\n| what | figure |\n| --- | --- |');
for (const [name, figure] of rowsOf(result)) console.log(`| ${name} | ${figure} |`);
process.exitCode = result.violations.length > 0 ? 1 : 0;
