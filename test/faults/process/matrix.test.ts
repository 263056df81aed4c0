import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Case, connectionOf, FREEZES, KILLS, LOST_RESPONSES, slice, titleOf } from './cases.ts';
import { Consumer } from './consumer.ts';
import { type Rig, startRig } from './rig.ts';
import { playCase } from './stage.ts';

/** A lease must expire first, a single-use token waits for its replay, and a stopped process continues after 80 s. */
const TIMEOUT = 180_000;

const cases = [...slice(KILLS, 11, 5), ...slice(FREEZES, 29, 2), ...slice(LOST_RESPONSES, 4)].map(
  (given, index): [string, string, Case] => [titleOf(given), `${given.provider}-${index}`, given],
);

let rig: Rig;
let consumer: Consumer;
let watching: Promise<void>;
const over = new AbortController();

beforeAll(async () => {
  rig = await startRig(cases.map(([, name, { provider }]) => connectionOf(provider, name)));
  consumer = new Consumer(rig.servers);
  watching = consumer.watch(
    cases.map(([, name]) => name),
    50,
    over.signal,
  );
}, TIMEOUT);

afterAll(async () => {
  over.abort();
  await watching;
  await rig.close();
  expect(consumer.violations).toEqual([]);
  expect(consumer.reads).toBeGreaterThan(0);
}, TIMEOUT);

describe.concurrent('a rotation with a fault', () => {
  test.for(cases)('%s', { timeout: TIMEOUT }, async ([, name, given]) => playCase(rig, name, given));
});
