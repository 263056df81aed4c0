import { readFile, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { isAlive, type LocalStack } from '../cli/localStack.ts';
import { replaceFile } from '../cli/replaceFile.ts';

/**
 * Writes the state where only its owner can read it. A stack that runs already keeps the file.
 * @returns whether it was written
 * @throws Error with a sentence for people where it cannot be
 */
export async function writeState(path: string, state: LocalStack): Promise<boolean> {
  const owner = await processIn(path);
  if (owner !== undefined && owner !== state.processId && isAlive(owner)) return false;
  await replaceFile(path, JSON.stringify(state, undefined, 2)).catch(({ code }: NodeJS.ErrnoException) => {
    throw new Error(
      `${path}, by which rotator --local finds this stack, cannot be written (${code}). See that the directory ${dirname(path)} is yours to write to, or remove it.`,
    );
  });
  return true;
}

/** Removes the state of this process; another's stays. */
export async function removeState(path: string, processId: number): Promise<void> {
  if ((await processIn(path)) === processId) await rm(path, { force: true });
}

async function processIn(path: string): Promise<number | undefined> {
  try {
    return (JSON.parse(await readFile(path, 'utf8')) as LocalStack).processId;
  } catch {
    return undefined;
  }
}
