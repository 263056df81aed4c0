import { rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { isAlive, type LocalStack } from '../cli/localStack.ts';
import { readOwnFile } from '../cli/ownFile.ts';
import { replaceFile } from '../cli/replaceFile.ts';

/**
 * Writes the state so that only its owner can read it. If another stack already runs, its file stays.
 * @returns whether it was written
 * @throws Error with a message for users if the file cannot be written
 */
export async function writeState(path: string, state: LocalStack): Promise<boolean> {
  const owner = processIn(path);
  if (owner !== undefined && owner !== state.processId && isAlive(owner)) return false;
  await replaceFile(path, JSON.stringify(state, undefined, 2)).catch(({ code }: NodeJS.ErrnoException) => {
    throw new Error(
      `Cannot write ${path} (${code}), which "rotator --local" needs to find this stack. Make the directory ${dirname(path)} writable for you, or remove it.`,
    );
  });
  return true;
}

/** Removes the state of this process; the state of another process stays. */
export async function removeState(path: string, processId: number): Promise<void> {
  if (processIn(path) === processId) await rm(path, { force: true });
}

function processIn(path: string): number | undefined {
  try {
    return (JSON.parse(readOwnFile(path) ?? '') as LocalStack).processId;
  } catch {
    return undefined;
  }
}
