import { describe, expect, test } from 'vitest';
import { codeOf, Exchange } from '../../../lib/oauth/exchange.ts';
import { dispatchController } from '../../support/dispatchController.ts';

describe('an exchange', () => {
  test('calls mayStart before the first byte and sends the request', () => {
    const controller = dispatchController();
    const exchange = new Exchange(() => true);
    exchange.onRequestStart(controller);
    expect(exchange.sent).toBe(true);
    expect(controller.reason).toBeNull();
  });

  test('is not sent a second time, even if the HTTP client tries', async () => {
    const controller = dispatchController();
    const exchange = new Exchange(() => true);
    exchange.onRequestStart(controller);
    exchange.onRequestStart(controller);
    expect(controller.reason?.message).toBe('SENT_BEFORE');
    expect(await exchange.result).toEqual({ kind: 'no_response', why: 'SENT_BEFORE' });
  });

  test('keeps its first result', async () => {
    const exchange = new Exchange(() => true);
    exchange.giveUp('FIRST');
    exchange.giveUp('SECOND');
    expect(await exchange.result).toMatchObject({ why: 'FIRST' });
  });

  test('uses the first of two headers with the same name', async () => {
    const controller = dispatchController();
    const exchange = new Exchange(() => true);
    exchange.onRequestStart(controller);
    exchange.onResponseStart(controller, 429, { 'retry-after': ['1', '2'] });
    exchange.onResponseEnd();
    expect(await exchange.result).toMatchObject({ kind: 'response', retryAfter: '1' });
  });
});

test.each([
  [Object.assign(new Error('canary'), { code: 'ECONNRESET' }), 'ECONNRESET'],
  [Object.assign(new Error('canary'), { code: 'a canary with spaces' }), 'Error'],
  [new TypeError('canary'), 'TypeError'],
  ['canary', 'UNKNOWN'],
  [null, 'UNKNOWN'],
])('the code of %s is %s and contains no part of its message', (error, code) => {
  expect(codeOf(error)).toBe(code);
});
