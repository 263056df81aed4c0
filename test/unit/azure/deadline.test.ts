import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { DeadlinePassed, withDeadline } from '../../../lib/azure/deadline.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

it('returns the result of the work and leaves no timer behind', async () => {
  expect(await withDeadline(100, async () => 'done')).toBe('done');
  await expect(withDeadline(100, () => Promise.reject(new Error('of the work')))).rejects.toThrow(
    'of the work',
  );
  expect(vi.getTimerCount()).toBe(0);
});

it('ends work that ignores the signal', async () => {
  const ended = expect(withDeadline(100, () => new Promise(() => {}))).rejects.toBeInstanceOf(DeadlinePassed);
  await vi.advanceTimersByTimeAsync(100);
  await ended;
});

it('aborts work that obeys the signal, and still reports the deadline', async () => {
  const aborted = vi.fn();
  const work = (signal: AbortSignal) =>
    new Promise<never>((_, reject) => {
      signal.addEventListener('abort', () => {
        aborted();
        reject(new Error('aborted'));
      });
    });
  const ended = expect(withDeadline(100, work)).rejects.toEqual(new DeadlinePassed(100));
  await vi.advanceTimersByTimeAsync(100);
  await ended;
  expect(aborted).toHaveBeenCalledOnce();
});

it('leaves no timer behind if the work throws immediately', async () => {
  const ended = withDeadline(100, () => {
    throw new Error('of the work');
  });
  await expect(ended).rejects.toThrow('of the work');
  expect(vi.getTimerCount()).toBe(0);
});
