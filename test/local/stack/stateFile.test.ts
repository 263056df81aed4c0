import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import type { LocalStack } from '../../../cli/localStack.ts';
import { writeState } from '../../../local/stateFile.ts';

test('reports a state file that cannot be written, with a fix', async () => {
  const path = `${fileURLToPath(import.meta.url)}/stack.json`;
  await expect(writeState(path, { processId: process.pid } as LocalStack)).rejects.toThrow(
    /Cannot write .* \(\w+\), .* Make the directory .* writable for you/,
  );
});
