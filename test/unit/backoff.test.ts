import { expect, test } from 'vitest';
import { backoff } from '../../lib/backoff.ts';

test.each([
  [1, 250],
  [2, 500],
  [3, 1_000],
  [6, 8_000],
  [7, 10_000],
  [5_000, 10_000],
])('attempt %i waits %i ms', (attempt, ms) => {
  expect(backoff({ first: 250, longest: 10_000, attempt })).toBe(ms);
});

test('returns the first wait before any failure', () => {
  expect(backoff({ first: 250, longest: 10_000, attempt: 0 })).toBe(250);
});

test('the first wait never exceeds the longest', () => {
  expect(backoff({ first: 250, longest: 100, attempt: 1 })).toBe(100);
});
