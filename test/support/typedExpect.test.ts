import { expect, test } from 'vitest';
import { problemOf } from '../../lib/errors.ts';
import type { RotationResult } from '../../lib/rotation/core/outcome.ts';
import { type LogLine, linesOf } from './logLines.ts';
import './typedExpect.ts';

const result: RotationResult = { result: 'rotated', connection: 'crm', problem: problemOf(new Error()) };

/** Each expectation below passes at run time, but the compiler rejects it. If not, the compiler reports the comment. */
test('the compiler finds names that no longer exist', async () => {
  // @ts-expect-error a value
  expect(result).not.toMatchObject({ result: 'renewed' });
  // @ts-expect-error a property
  expect(result).not.toMatchObject({ outcome: 'rotated' });
  // @ts-expect-error a value inside
  expect([result]).not.toEqual([{ ...result, problem: { code: 'unexpected_error' } }]);
  // @ts-expect-error a single value
  expect(result.result).not.toBe('renewed');
  // @ts-expect-error an item
  expect([result.result]).not.toContain('renewed');
  // @ts-expect-error a property that must be missing
  expect(result).not.toHaveProperty('outcome');
  // @ts-expect-error what a promise resolves with
  await expect(Promise.resolve(result)).resolves.not.toMatchObject({ result: 'renewed' });
  // @ts-expect-error the code of an error
  await expect(Promise.reject(problemOf('any'))).rejects.not.toMatchObject({ code: 'unexpected_error' });
});

test('the compiler finds log events and fields that no longer exist', () => {
  const lines: LogLine[] = [{ level: 'info', event: 'lease_lost', connection: 'crm' }];
  // @ts-expect-error an event
  expect(linesOf(lines, 'lease_gone')).toEqual([]);
  // @ts-expect-error a field of another event
  expect(linesOf(lines, 'lease_lost')).not.toMatchObject([{ version: 'v1' }]);
});

test('accepts values that are correct or of an unknown type', async () => {
  expect(result).toMatchObject({ result: 'rotated', problem: { code: 'internal_error' } });
  expect(result).toHaveProperty('problem');
  expect(JSON.parse('{"anything":1}')).toEqual({ anything: 1 });
  await expect(Promise.reject(problemOf('any'))).rejects.toMatchObject({ code: 'internal_error' });
});
