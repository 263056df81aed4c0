import { expect, test } from 'vitest';
import { firstRotationLines } from '../../../cli/keep.ts';

const failed = (code: 'vault_forbidden' | 'vault_unavailable') =>
  firstRotationLines({
    result: 'failed',
    connection: 'crm',
    problem: { code, message: 'It could not be written.', fix: 'See why.' },
  });

test('who may store and not publish is told that the deployed rotator goes on', () => {
  expect(failed('vault_forbidden').at(-1)).toMatch(/credentials are stored.*deployed rotator/);
});

test('any other failure speaks for itself', () => {
  expect(failed('vault_unavailable').join(' ')).toContain('It could not be written.');
  expect(failed('vault_unavailable').join(' ')).not.toContain('deployed');
});

test('a rotator that was faster is named', () => {
  expect(firstRotationLines({ result: 'not_due', connection: 'crm' })).toEqual([
    'crm was rotated by the running rotator.',
  ]);
});
