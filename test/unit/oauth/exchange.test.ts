import type { Dispatcher } from 'undici';
import { describe, expect, test } from 'vitest';
import { codeOf, Exchange } from '../../../lib/oauth/exchange.ts';

function fakeController() {
  const aborted: string[] = [];
  const controller = { abort: (reason: Error) => aborted.push(reason.message) };
  return { aborted, controller: controller as unknown as Dispatcher.DispatchController };
}

describe('an exchange', () => {
  test('asks before the first byte and lets the request go', () => {
    const { aborted, controller } = fakeController();
    const exchange = new Exchange(() => true);
    exchange.onRequestStart(controller);
    expect(exchange.sent).toBe(true);
    expect(aborted).toEqual([]);
  });

  test('is not sent a second time, whatever the HTTP client has in mind', async () => {
    const { aborted, controller } = fakeController();
    const exchange = new Exchange(() => true);
    exchange.onRequestStart(controller);
    exchange.onRequestStart(controller);
    expect(aborted).toEqual(['SENT_BEFORE']);
    expect(await exchange.result).toEqual({ kind: 'no_answer', why: 'SENT_BEFORE' });
  });

  test('keeps its first result', async () => {
    const exchange = new Exchange(() => true);
    exchange.giveUp('FIRST');
    exchange.giveUp('SECOND');
    expect(await exchange.result).toMatchObject({ why: 'FIRST' });
  });

  test('takes the first of headers that came twice', async () => {
    const { controller } = fakeController();
    const exchange = new Exchange(() => true);
    exchange.onRequestStart(controller);
    exchange.onResponseStart(controller, 429, { 'retry-after': ['1', '2'] });
    exchange.onResponseEnd();
    expect(await exchange.result).toMatchObject({ kind: 'answered', retryAfter: '1' });
  });
});

test.each([
  [Object.assign(new Error('canary'), { code: 'ECONNRESET' }), 'ECONNRESET'],
  [Object.assign(new Error('canary'), { code: 'a canary with spaces' }), 'Error'],
  [new TypeError('canary'), 'TypeError'],
  ['canary', 'UNKNOWN'],
  [null, 'UNKNOWN'],
])('the code of %s is %s and nothing of its message', (error, code) => {
  expect(codeOf(error)).toBe(code);
});
