import { copyFile, mkdir, mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildReader, READER } from '../../scripts/build/npmPackages.ts';

export const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const LINK = process.platform === 'win32' ? 'junction' : 'dir';

/** The directory of a program outside the repository, with the library for consumers installed. */
export interface Installation {
  readonly directory: string;
  /** Copies an example into it; returns its path. */
  example(name: string): Promise<string>;
  close(): Promise<void>;
}

/** Builds the library for consumers and puts it where npm would, with links to the packages that programs use. */
export async function installConsumer(): Promise<Installation> {
  const directory = await mkdtemp(join(tmpdir(), 'rotator-consumer-'));
  const modules = join(directory, 'node_modules');
  await mkdir(modules);
  await buildReader(ROOT, join(modules, READER));
  for (const name of ['@azure', '@azure-rest', '@types', 'undici', 'undici-types']) {
    await symlink(join(ROOT, 'node_modules', name), join(modules, name), LINK);
  }
  return {
    directory,
    example: async (name) => {
      await copyFile(join(ROOT, 'examples', name), join(directory, name));
      return join(directory, name);
    },
    close: () => rm(directory, { recursive: true, force: true }),
  };
}
