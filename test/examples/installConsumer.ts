import { execFile } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

export const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const LINK = process.platform === 'win32' ? 'junction' : 'dir';

/** The directory of a program outside the repository, with `key-vault-token-rotator/consumer` installed. */
export interface Installation {
  readonly directory: string;
  /** Copies an example into it; returns its path. */
  example(name: string): Promise<string>;
  close(): Promise<void>;
}

/** Builds the library for consumers and installs it as from a package: only JavaScript and declarations. */
export async function installConsumer(): Promise<Installation> {
  const top = await mkdtemp(join(tmpdir(), 'rotator-consumer-'));
  const [built, directory] = [join(top, 'package'), join(top, 'app')];
  const modules = join(directory, 'node_modules');
  await Promise.all([built, modules].map((path) => mkdir(path, { recursive: true })));
  const compiler = join(ROOT, 'node_modules/typescript/bin/tsc');
  const project = [
    '--project',
    join(ROOT, 'tsconfig.consumer.json'),
    '--outDir',
    join(built, 'dist-consumer'),
  ];
  await promisify(execFile)(process.execPath, [compiler, ...project]);
  await copyFile(join(ROOT, 'package.json'), join(built, 'package.json'));
  await symlink(join(ROOT, 'node_modules'), join(built, 'node_modules'), LINK);
  await symlink(built, join(modules, 'key-vault-token-rotator'), LINK);
  for (const name of ['@azure', '@azure-rest', '@types', 'undici', 'undici-types']) {
    await symlink(join(ROOT, 'node_modules', name), join(modules, name), LINK);
  }
  return {
    directory,
    example: async (name) => {
      await copyFile(join(ROOT, 'examples', name), join(directory, name));
      return join(directory, name);
    },
    close: () => rm(top, { recursive: true, force: true }),
  };
}
