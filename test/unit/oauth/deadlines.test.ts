import { expect, test } from 'vitest';
import { watchDeadlines } from '../../../lib/oauth/deadlines.ts';
import { Exchange } from '../../../lib/oauth/exchange.ts';
import { dispatchController } from '../../support/dispatchController.ts';

test('a timer that is early does not end an exchange before its time', async () => {
  const waitMs = 40;
  // By the clock of the exchange, half as much time passes as by that of the timers.
  class SlowExchange extends Exchange {
    override get elapsed(): number {
      return super.elapsed / 2;
    }
  }
  const exchange = new SlowExchange(() => true);
  exchange.onRequestStart(dispatchController());
  const stop = watchDeadlines(exchange, waitMs);
  expect(await exchange.result).toMatchObject({ kind: 'no_response', why: 'ANSWER_TIMEOUT' });
  expect(exchange.elapsed).toBeGreaterThanOrEqual(waitMs);
  stop();
});
