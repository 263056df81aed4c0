import { lstat, readdir, rm } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { isAlive } from '../cli/localStack.ts';
import { readOwnFile } from '../cli/ownFile.ts';
import { replaceFile } from '../cli/replaceFile.ts';

const FILE = 'process.json';

/** The process that works in a directory. Process ids of another machine or container are meaningless here. */
interface Owner {
  readonly processId: number;
  readonly host: string;
}

/**
 * Records that this process works in the directory.
 * @throws Error with a message for users if another process works there
 */
export async function claim(directory: string): Promise<void> {
  const owner = ownerOf(directory);
  if (owner && isElsewhere(owner)) throw taken(directory, owner);
  const own: Owner = { processId: process.pid, host: hostname() };
  await replaceFile(join(directory, FILE), JSON.stringify(own));
}

/** Frees the directory for the next process. */
export async function release(directory: string): Promise<void> {
  await rm(join(directory, FILE), { force: true });
}

/**
 * Removes directories that killed processes of this user left behind, because they contain secrets.
 * @param prefix the beginning of their names
 */
export async function removeLeft(parent: string, prefix: string): Promise<void> {
  const entries = await readdir(parent, { withFileTypes: true }).catch(() => []);
  for (const entry of entries) {
    const directory = join(parent, entry.name);
    if (entry.isDirectory() && entry.name.startsWith(prefix) && (await isLeft(directory)))
      await rm(directory, { recursive: true, force: true }).catch(() => {});
  }
}

async function isLeft(directory: string): Promise<boolean> {
  try {
    const { uid } = await lstat(directory);
    if (process.getuid !== undefined && uid !== process.getuid()) return false;
    const owner = ownerOf(directory);
    return owner?.host === hostname() && !isAlive(owner.processId);
  } catch {
    return false;
  }
}

function isElsewhere({ processId, host }: Owner): boolean {
  return host === hostname() && processId !== process.pid && isAlive(processId);
}

function ownerOf(directory: string): Owner | undefined {
  return parse(readOwnFile(join(directory, FILE)) ?? '');
}

function parse(text: string): Owner | undefined {
  try {
    const { processId, host } = JSON.parse(text);
    return Number.isInteger(processId) && processId > 0 ? { processId, host } : undefined;
  } catch {
    return undefined;
  }
}

function taken(directory: string, { processId }: Owner): Error {
  return new Error(
    `Another local stack runs with the data directory ${directory} (process ${processId}). Stop it or choose another directory. If that process is not a local stack, remove ${join(directory, FILE)}.`,
  );
}
