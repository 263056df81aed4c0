import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { addUp, type Result, type Tally } from './tally.ts';

/** Plays the schedules of `count` seeds, an equal share on each core. */
export async function playOnAllCores(first: number, count: number): Promise<Result> {
  const share = Math.ceil(count / availableParallelism());
  const shares: Promise<Result>[] = [];
  for (let from = first; from < first + count; from += share)
    shares.push(inWorker(from, Math.min(share, first + count - from)));
  const results = await Promise.all(shares);
  const tally: Tally = new Map();
  for (const result of results) addUp(tally, result.tally);
  return { tally, violations: results.flatMap(({ violations }) => violations) };
}

function inWorker(from: number, count: number): Promise<Result> {
  const worker = new Worker(new URL('./worker.ts', import.meta.url), { workerData: { from, count } });
  return new Promise((resolve, reject) => {
    worker.once('message', resolve);
    worker.once('error', reject);
  });
}
