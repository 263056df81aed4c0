import { expect, test } from 'vitest';
import { EXIT, exitCodeOf, exitCodeOfResult } from '../../../cli/exitCodes.ts';

test.each([
  ['vault_policy', EXIT.operatorNeeded],
  ['vault_forbidden', EXIT.operatorNeeded],
  ['key_missing', EXIT.operatorNeeded],
  ['record_unreadable', EXIT.operatorNeeded],
  ['vault_unavailable', EXIT.failed],
] as const)('%s ends a command with %i', (code, exitCode) => {
  expect(exitCodeOf(code)).toBe(exitCode);
  const problem = { code, message: 'It failed.', fix: 'Correct it.' };
  expect(exitCodeOfResult({ result: 'retrying', problem })).toBe(exitCode);
});
