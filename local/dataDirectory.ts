import { randomBytes } from 'node:crypto';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { ensureOwnDirectory, readOwnFile } from '../cli/ownFile.ts';
import { replaceFile } from '../cli/replaceFile.ts';
import { claim, release, removeLeft } from './claim.ts';

const PREFIX = 'token-rotator-';
/** Marks a directory as that of a local stack, and keeps its secrets out of a repository. */
const MARK = '.gitignore';
const MARK_TEXT = '# The data of a local stack of key-vault-token-rotator, with its secrets.\n*\n';

/** The files of the local stack. The secrets in them belong to this stack only and are worthless elsewhere. */
export interface DataDirectory {
  readonly path: string;
  /** True if no files were kept from an earlier run. */
  readonly fresh: boolean;
  file(name: string): string;
  /** The text of a file; undefined if the file does not exist. */
  read(name: string): Promise<string | undefined>;
  /** Writes a file that only its owner can read, in one step; returns its path. */
  write(name: string, text: string): Promise<string>;
  /** A random secret that is the same at every start with this directory. */
  secret(name: string): Promise<string>;
  /** Removes a temporary directory, or frees a kept one for the next start. */
  close(): Promise<void>;
}

/**
 * @param path a directory to keep; undefined for a temporary one that is removed at the end
 * @throws Error with a message for users if it cannot be made or used, or another process uses it
 */
export async function openDataDirectory(path: string | undefined): Promise<DataDirectory> {
  const directory = path === undefined ? await makeTemporary() : await makeKept(resolve(path));
  const file = (name: string) => join(directory, name);
  const read = async (name: string) => readOwnFile(file(name));
  const write = async (name: string, text: string) => {
    await replaceFile(file(name), text);
    return file(name);
  };
  return {
    path: directory,
    fresh: await using(directory, async () => {
      if (path !== undefined) await mark(directory, read, write);
      await claim(directory);
      return (await read('seeded')) === undefined;
    }),
    file,
    read,
    write,
    secret: async (name) => {
      const kept = await read(`${name}.secret`);
      if (kept !== undefined) return kept;
      const made = randomBytes(24).toString('base64url');
      await write(`${name}.secret`, made);
      return made;
    },
    close: async () => {
      if (path === undefined) await rm(directory, { recursive: true, force: true });
      else await release(directory);
    },
  };
}

async function makeTemporary(): Promise<string> {
  const parent = tmpdir();
  await removeLeft(parent, PREFIX);
  return mkdtemp(join(parent, PREFIX)).catch(({ code }: NodeJS.ErrnoException) => {
    throw new Error(
      `Cannot make a directory in ${parent} (${code}). Set TMPDIR to a directory that you can write to, or use --data DIR.`,
    );
  });
}

async function makeKept(directory: string): Promise<string> {
  await ensureOwnDirectory(directory).catch((error: NodeJS.ErrnoException) => {
    if (error.code === undefined) throw error;
    throw new Error(`Cannot make the data directory ${directory} (${error.code}). Choose another one.`);
  });
  return directory;
}

/** @throws Error if the directory has files of others: this stack would overwrite those with the names of its own */
async function mark(
  directory: string,
  read: DataDirectory['read'],
  write: DataDirectory['write'],
): Promise<void> {
  const names = await readdir(directory);
  if (names.length === 0) await write(MARK, MARK_TEXT);
  else if (!names.includes('process.json') && (await read(MARK)) !== MARK_TEXT)
    throw new Error(
      `${directory} has files that no local stack made. Choose an empty directory, or a new one.`,
    );
}

async function using<T>(directory: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === undefined) throw error;
    throw new Error(
      `Cannot use the data directory ${directory} (${code}). Choose one that you can read and write.`,
    );
  }
}
