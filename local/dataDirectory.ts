import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

/** Where the local stack keeps its files; the secrets in them are its own and worth nothing elsewhere. */
export interface DataDirectory {
  readonly path: string;
  /** True where nothing was kept from an earlier run. */
  readonly fresh: boolean;
  file(name: string): string;
  /** Writes a file that only its owner can read; returns its path. */
  write(name: string, text: string): Promise<string>;
  /** A random secret that is the same at every start with this directory. */
  secret(name: string): Promise<string>;
  /** Removes a temporary directory. */
  close(): Promise<void>;
}

/**
 * @param path a directory to keep; undefined for one that is removed at the end
 * @throws Error with a sentence for people where it cannot be made
 */
export async function openDataDirectory(path: string | undefined): Promise<DataDirectory> {
  const directory = path === undefined ? await mkdtemp(join(tmpdir(), 'token-rotator-')) : resolve(path);
  await mkdir(directory, { recursive: true, mode: 0o700 }).catch((error: NodeJS.ErrnoException) => {
    throw new Error(`The data directory ${directory} cannot be made (${error.code}). Name another one.`);
  });
  const file = (name: string) => join(directory, name);
  const write = async (name: string, text: string) => {
    await writeFile(file(name), text, { mode: 0o600 });
    return file(name);
  };
  return {
    path: directory,
    fresh: (await readText(file('seeded'))) === undefined,
    file,
    write,
    secret: async (name) => {
      const kept = await readText(file(`${name}.secret`));
      if (kept !== undefined) return kept;
      const made = randomBytes(24).toString('base64url');
      await write(`${name}.secret`, made);
      return made;
    },
    close: async () => {
      if (path === undefined) await rm(directory, { recursive: true, force: true });
    },
  };
}

async function readText(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
