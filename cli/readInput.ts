import { readFile } from 'node:fs/promises';
import { RotatorError } from '../lib/errors.ts';
import { safeCodeOf } from '../lib/safeText.ts';

/**
 * The text of a file that the user named.
 * @throws RotatorError `input_unreadable`
 */
export async function readInput(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (thrown) {
    throw new RotatorError({
      code: 'input_unreadable',
      message: `The file ${file} cannot be read (${safeCodeOf(thrown) ?? 'unknown'}).`,
      fix: 'Set the path of a readable file.',
    });
  }
}
