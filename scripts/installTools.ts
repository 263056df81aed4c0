import { spawnSync } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** The folder of the packages that only some commands need, with a slash at the end. CONTRIBUTING.md lists them. */
export const TOOLS = fileURLToPath(new URL('../tools/', import.meta.url));

/**
 * Installs the packages of tools/package.json if they are missing or older than their lockfile.
 * @returns whether they are installed now
 */
export function installTools(): boolean {
  const installed = `${TOOLS}node_modules/.package-lock.json`;
  if (existsSync(installed) && statSync(installed).mtimeMs >= statSync(`${TOOLS}package-lock.json`).mtimeMs)
    return true;
  console.error('Installing the packages of tools/ ...');
  const options = { cwd: TOOLS, stdio: 'inherit', shell: process.platform === 'win32' } as const;
  return spawnSync('npm', ['ci', '--ignore-scripts'], options).status === 0;
}
