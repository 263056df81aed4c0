import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import type { LocalStack } from '../../../cli/localStack.ts';
import { writeState } from '../../../local/stateFile.ts';

test('a state file that cannot be written is told with its fix', async () => {
  const path = `${fileURLToPath(import.meta.url)}/stack.json`;
  await expect(writeState(path, { processId: process.pid } as LocalStack)).rejects.toThrow(
    /cannot be written \(\w+\)\. See that the directory .* is yours to write to/,
  );
});
