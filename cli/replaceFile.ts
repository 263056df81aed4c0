import { randomBytes } from 'node:crypto';
import { rename, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { makeDirectory } from './ownFile.ts';

/**
 * Writes a file in one step: readers see either the old text or the new text, and a process that is killed halfway leaves the
 * old text. Creates the directory if it is missing.
 * @param mode permissions of the new file; by default only its owner can read it
 * @throws the error of the file system; the old file is then unchanged
 */
export async function replaceFile(path: string, text: string, mode = 0o600): Promise<void> {
  await makeDirectory(dirname(path));
  const unfinished = `${path}.${randomBytes(6).toString('hex')}.new`;
  try {
    await writeFile(unfinished, text, { mode, flag: 'wx' });
    await rename(unfinished, path);
  } catch (thrown) {
    await rm(unfinished, { force: true });
    throw thrown;
  }
}
