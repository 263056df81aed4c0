/** `npm run soak -- --hours N [--seed N]`: the local stack under random faults of all kinds, and a report at the end. */
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
    ['grants', result.grants],
    ['tokens lost avoidably, and other violations', violations.length],
    ...[...lost].map(([cause, number]): [string, number] => [`chains lost unavoidably: ${cause}`, number]),
    ['repairs by a person', result.repairs],
    ['connections with overlapping grants, unavoidable', result.strayOverlaps],
    ['reads by consumers', consumer.reads],
    ['expired token read though a newer one was there', consumer.violations.length],
    [
      'longest time without a valid token: single use, waiting for a person included',
      seconds(gapOf('single')),
    ],
    ['the same with grace', seconds(gapOf('grace'))],
    ['the same with reusable tokens', seconds(gapOf('none'))],
    ['everything well again after the last fault', seconds(result.recoveredAfter)],
    ['peak memory of a host', `${(result.peakMemory / 2 ** 20).toFixed(0)} MB`],
  ];
}

const result = await soak(hours * HOUR_MS, seed);
for (const violation of result.violations) console.log(violation);
console.log('\n| what | figure |\n| --- | --- |');
for (const [name, figure] of rowsOf(result)) console.log(`| ${name} | ${figure} |`);
process.exitCode = result.violations.length > 0 ? 1 : 0;
