/** Plays a range of seeds in a worker thread. */
import { parentPort, workerData } from 'node:worker_threads';
import { playAll } from './tally.ts';

parentPort?.postMessage(await playAll(workerData.from, workerData.count));
