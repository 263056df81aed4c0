import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import type { LocalStack } from '../../../cli/localStack.ts';
import { listenError } from '../../../local/functionHost/httpListener.ts';
import { writeState } from '../../../local/stateFile.ts';

test('a state file that cannot be written is told with its fix', async () => {
  const path = `${fileURLToPath(import.meta.url)}/stack.json`;
  await expect(writeState(path, { processId: process.pid } as LocalStack)).rejects.toThrow(
    /cannot be written \(\w+\)\. See that the directory .* is yours to write to/,
  );
});

test.each([
  ['EADDRINUSE', 'Port 80 is in use; stop the other process'],
  ['EACCES', 'Port 80 is not open to this user (EACCES); choose one above 1023.'],
  ['EADDRNOTAVAIL', 'Port 80 cannot be listened to (EADDRNOTAVAIL)'],
])('a port that cannot be listened to is told with its fix: %s', (code, text) => {
  expect(listenError(code, 80).message).toContain(text);
});
