import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { isAlive, type LocalStack } from '../cli/localStack.ts';

/**
 * Writes the state where only its owner can read it. A stack that runs already keeps the file.
 * @returns whether it was written
 * @throws Error with a sentence for people where it cannot be
 */
export async function writeState(path: string, state: LocalStack): Promise<boolean> {
  const owner = await processIn(path);
  if (owner !== undefined && owner !== state.processId && isAlive(owner)) return false;
  await replace(path, state).catch(({ code }: NodeJS.ErrnoException) => {
    throw new Error(
      `${path}, by which rotator --local finds this stack, cannot be written (${code}). See that the directory ${dirname(path)} is yours to write to, or remove it.`,
    );
  });
  return true;
}

async function replace(path: string, state: LocalStack): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  await writeFile(`${path}.${state.processId}`, JSON.stringify(state, undefined, 2), { mode: 0o600 });
  await rename(`${path}.${state.processId}`, path);
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
