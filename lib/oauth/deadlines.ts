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
 * @returns stops it
 */
export function watchDeadlines(exchange: Exchange, waitMs: number): () => void {
  let timer: NodeJS.Timeout | undefined;
  let stopped = false;
  const at = (moment: number, act: () => void) => {
    // A timer counts whole milliseconds, from the turn of the event loop, and may be early.
    const due = () => (exchange.elapsed < moment ? at(moment, act) : act());
    const afterPolls = () => setImmediate(() => setImmediate(() => stopped || due()));
    timer = setTimeout(afterPolls, Math.max(0, moment - exchange.elapsed));
  };
  at(connectDeadline(waitMs), () => {
    if (!exchange.sent) exchange.giveUp('CONNECT_TIMEOUT');
    else at(waitMs, () => exchange.giveUp(exchange.begun ? 'BODY_TIMEOUT' : 'ANSWER_TIMEOUT'));
  });
  return () => {
    stopped = true;
    clearTimeout(timer);
  };
}
