import { setImmediate as nextPoll, setTimeout as sleep } from 'node:timers/promises';
import { RESPONSE_DEADLINE_MS, WHOLE_RESPONSE_DEADLINE_MS } from '../rotation/core/times.ts';
import type { Exchange } from './exchange.ts';

/** The times of one grant, in ms from its start, connecting included. */
export interface Deadlines {
  /** When the answer must have begun. */
  readonly answerMs: number;
  /** When the answer must have ended. */
  readonly hardMs: number;
}

/** Design: `ARCHITECTURE.md`, "The times". */
export const RESPONSE_DEADLINES: Deadlines = {
  answerMs: RESPONSE_DEADLINE_MS,
  hardMs: WHOLE_RESPONSE_DEADLINE_MS,
};

/**
 * When the connection must stand. A request sent late has little time left for its answer, and giving up then
 * leaves the refresh token in doubt; not sending leaves it untouched.
 */
export function connectDeadline({ answerMs }: Deadlines): number {
  return answerMs / 2;
}

/**
 * Gives the exchange up when its time is over. Before that the event loop polls twice: a process that was
 * frozen finds its timers due first, with the answer still unread in the socket's buffer.
 * @param over fires when the exchange has ended; the returned promise then resolves
 */
export async function watchDeadlines(exchange: Exchange, times: Deadlines, over: AbortSignal): Promise<void> {
  try {
    await reach(exchange, connectDeadline(times), over);
    if (!exchange.sent) return exchange.giveUp('CONNECT_TIMEOUT');
    await reach(exchange, times.answerMs, over);
    if (!exchange.begun) return exchange.giveUp('ANSWER_TIMEOUT');
    await reach(exchange, times.hardMs, over);
    exchange.giveUp('BODY_TIMEOUT');
  } catch {
    // The exchange ended first.
  }
}

async function reach(exchange: Exchange, moment: number, signal: AbortSignal): Promise<void> {
  await sleep(Math.max(0, moment - exchange.elapsed), undefined, { signal });
  await nextPoll(undefined, { signal });
  await nextPoll(undefined, { signal });
}
