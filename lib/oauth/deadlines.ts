import { setImmediate as nextPoll, setTimeout as sleep } from 'node:timers/promises';
import { CONNECT_DEADLINE_MS } from '../rotation/core/times.ts';
import type { Exchange } from './exchange.ts';

/**
 * When the connection must be established, in milliseconds from the start. A request that is sent late leaves little time for its
 * response. After the rotator gives up on it, the state of the refresh token is unknown; a request that is not sent leaves the token
 * untouched.
 */
export function connectDeadline(waitMs: number): number {
  return Math.min(CONNECT_DEADLINE_MS, waitMs / 2);
}

/**
 * Gives up the exchange when its time is over. Before that, the event loop polls twice: in a process that was
 * frozen, timers fire first, while the response is still unread in the buffer of the socket.
 * @param waitMs when the whole response must have arrived, in milliseconds from the start
 * @param over fires when the exchange has ended; the returned promise then resolves
 */
export async function watchDeadlines(exchange: Exchange, waitMs: number, over: AbortSignal): Promise<void> {
  try {
    await reach(exchange, connectDeadline(waitMs), over);
    if (!exchange.sent) return exchange.giveUp('CONNECT_TIMEOUT');
    await reach(exchange, waitMs, over);
    exchange.giveUp(exchange.begun ? 'BODY_TIMEOUT' : 'ANSWER_TIMEOUT');
  } catch {
    // The exchange ended first.
  }
}

async function reach(exchange: Exchange, moment: number, signal: AbortSignal): Promise<void> {
  await sleep(Math.max(0, moment - exchange.elapsed), undefined, { signal });
  await nextPoll(undefined, { signal });
  await nextPoll(undefined, { signal });
}
