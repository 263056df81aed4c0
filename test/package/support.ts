import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { type BuiltPackage, buildPackage } from '../../scripts/build/buildPackage.ts';

/** The repository. */
export const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** A package that was built outside the repository, where no node_modules can be reached. */
export interface Built extends BuiltPackage {
  readonly folder: string;
  readonly zipFile: string;
  remove(): Promise<void>;
}

export async function buildElsewhere(): Promise<Built> {
  const parent = await mkdtemp(join(tmpdir(), 'rotator-package-'));
  const folder = join(parent, 'dist');
  const zipFile = join(parent, 'dist.zip');
  const built = await buildPackage(ROOT, folder, zipFile);
  return { ...built, folder, zipFile, remove: () => rm(parent, { recursive: true }) };
}

/** Runs Node with nothing in its environment until it ends. */
export async function runNode(args: readonly string[], cwd: string) {
  const child = spawn(process.execPath, args, { cwd, env: {}, stdio: ['ignore', 'pipe', 'pipe'] });
  const [[code], out, err] = await Promise.all([once(child, 'exit'), text(child.stdout), text(child.stderr)]);
  return { code, out, err };
}
