import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { dirname } from 'node:path';
import { isAlive } from '../cli/localStack.ts';
import { readOwnFile } from '../cli/ownFile.ts';
import type { LocalStack } from '../cli/readLocalStack.ts';
import { replaceFile } from '../cli/replaceFile.ts';

const CONNECT_MS = 2_000;

/**
 * Writes the state so that only its owner can read it. If another stack already runs, its file stays.
 * @returns whether it was written
 * @throws Error with a message for users if the file cannot be written
 */
export async function writeState(path: string, state: LocalStack): Promise<boolean> {
  const owner = stateIn(path);
  if (owner && owner.processId !== state.processId && (await runs(owner))) return false;
  await replaceFile(path, JSON.stringify(state, undefined, 2)).catch(({ code }: NodeJS.ErrnoException) => {
    throw new Error(
      `Cannot write ${path} (${code}), which "rotator --local" needs to find this stack. Make the directory ${dirname(path)} writable for you, or remove it.`,
    );
  });
  return true;
}

/** After a crash or a restart of the machine, another program may have the process id, but not the port as well. */
async function runs({ processId, hostUrl }: LocalStack): Promise<boolean> {
  const url = URL.parse(hostUrl);
  if (!url || !isAlive(processId)) return false;
  const socket = connect(Number(url.port), url.hostname);
  try {
    await once(socket, 'connect', { signal: AbortSignal.timeout(CONNECT_MS) });
    return true;
  } catch (thrown) {
    // A machine that is too busy to answer says nothing about the stack.
    return (thrown as NodeJS.ErrnoException).code !== 'ECONNREFUSED';
  } finally {
    socket.destroy();
  }
}

/** Removes the state of this process; the state of another process stays. */
export async function removeState(path: string, processId: number): Promise<void> {
  if (stateIn(path)?.processId === processId) await rm(path, { force: true });
}

function stateIn(path: string): LocalStack | undefined {
  try {
    return JSON.parse(readOwnFile(path) ?? '') as LocalStack;
  } catch {
    return undefined;
  }
}
