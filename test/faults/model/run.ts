/** `npm run faults:model -- [--schedules N] [--from SEED]`: plays histories of faults on all cores, and prints what came of them. */
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { addUp, playAll, type Result, ROWS, type Tally } from './tally.ts';

interface Range {
  readonly from: number;
  readonly count: number;
}

function inWorker(range: Range): Promise<Result> {
  const worker = new Worker(new URL(import.meta.url), { workerData: range });
  return new Promise((resolve, reject) => {
    worker.once('message', resolve);
    worker.once('error', reject);
  });
}

async function main(): Promise<void> {
  const text = { type: 'string' } as const;
  const { values } = parseArgs({ options: { schedules: text, from: text } });
  const count = Number(values.schedules ?? 100_000);
  const first = Number(values.from ?? 0);
  const share = Math.ceil(count / availableParallelism());
  const ranges: Range[] = [];
  for (let from = first; from < first + count; from += share)
    ranges.push({ from, count: Math.min(share, first + count - from) });
  const results = await Promise.all(ranges.map(inWorker));
  const sum: Tally = new Map();
  for (const { tally } of results) addUp(sum, tally);
  for (const violation of results.flatMap(({ violations }) => violations)) console.log(violation);
  const causes = [...sum.keys()].filter((name) => !ROWS.includes(name)).toSorted();
  for (const name of [...ROWS, ...causes]) console.log(`${name.padEnd(64)} ${sum.get(name) ?? 0}`);
  process.exitCode = sum.get('tokens lost avoidably, and other violations') ? 1 : 0;
}

if (isMainThread) await main();
else parentPort?.postMessage(await playAll(workerData.from, workerData.count));
