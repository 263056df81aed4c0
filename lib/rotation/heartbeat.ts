import type { Ports, RecordList } from './ports.ts';

type Noted = Pick<RecordList, 'now' | 'sweptAt'>;

// All instances share the record container, so the time of the last sweep is there: the last write of an empty blob, which the list of the
// records shows without a request of its own. In Azure, the timer and the HTTP functions run in different instances.

/** A healthy sweep notes itself if the last note is older than this: every second one, which costs half as many writes. */
const INTERVALS_PER_NOTE = 1.5;
/** A sweep that takes longer notes itself again and again. */
const INTERVALS_BETWEEN_NOTES = 2;
/** If no sweep has run for so many intervals, the timer may be dead: a probe starts one. */
const INTERVALS_TO_REVIVE = 3;
/** If no sweep has run for so many intervals, the rotator is not healthy. */
const INTERVALS_TO_FAIL = 4;

type Beating = Pick<Ports, 'records' | 'clock' | 'scheduleIntervalMs'>;

/** Does the work of a sweep, and notes meanwhile that it runs. A note that cannot be written is missed only by those who look for it. */
export async function withHeartbeat<T>(ports: Beating, list: Noted, work: () => Promise<T>): Promise<T> {
  const ended = new AbortController();
  const beating = beat(ports, list, ended.signal);
  try {
    return await work();
  } finally {
    ended.abort();
    await beating;
  }
}

async function beat(
  { records, clock, scheduleIntervalMs }: Beating,
  { now, sweptAt = Number.NEGATIVE_INFINITY }: Noted,
  ended: AbortSignal,
): Promise<void> {
  let isDue = now - sweptAt >= INTERVALS_PER_NOTE * scheduleIntervalMs;
  while (!ended.aborted) {
    if (isDue) await records.noteSweep().catch(() => undefined);
    isDue = true;
    await clock.sleep(INTERVALS_BETWEEN_NOTES * scheduleIntervalMs, ended);
  }
}

/** What follows if no sweep has run for so many milliseconds. */
export function silence(
  silentMs: number,
  { scheduleIntervalMs }: Pick<Ports, 'scheduleIntervalMs'>,
): { readonly mustRevive: boolean; readonly hasFailed: boolean } {
  return {
    mustRevive: silentMs > INTERVALS_TO_REVIVE * scheduleIntervalMs,
    hasFailed: silentMs > INTERVALS_TO_FAIL * scheduleIntervalMs,
  };
}
