import { setImmediate as nextPoll, setTimeout as sleep } from 'node:timers/promises';
import { RESPONSE_DEADLINE_MS, WHOLE_RESPONSE_DEADLINE_MS } from '../rotation/core/times.ts';
import type { Exchange } from './exchange.ts';

/** The deadlines of one token request, in ms from its start, including the time to connect. */
export interface Deadlines {
  /** When the response must have begun. */
  readonly responseMs: number;
  /** When the response must have ended. */
  readonly hardMs: number;
}

/** Design: `ARCHITECTURE.md`, "The times". */
export const RESPONSE_DEADLINES: Deadlines = {
  responseMs: RESPONSE_DEADLINE_MS,
  hardMs: WHOLE_RESPONSE_DEADLINE_MS,
};

/**
 * When the connection must be established. A request that is sent late leaves little time for its response. After the rotator
 * gives up on it, the state of the refresh token is unknown; a request that is not sent leaves the token untouched.
 */
export function connectDeadline({ responseMs }: Deadlines): number {
  return responseMs / 2;
}

/**
 * Gives up the exchange when its time is over. Before that, the event loop polls twice: in a process that was
 * frozen, timers fire first, while the response is still unread in the buffer of the socket.
 * @param over fires when the exchange has ended; the returned promise then resolves
 */
export async function watchDeadlines(exchange: Exchange, times: Deadlines, over: AbortSignal): Promise<void> {
  try {
    await reach(exchange, connectDeadline(times), over);
    if (!exchange.sent) return exchange.giveUp('CONNECT_TIMEOUT');
    await reach(exchange, times.responseMs, over);
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
