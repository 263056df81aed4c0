import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { startDesk } from './support.ts';

const LAUNCHER = fileURLToPath(new URL('../../cli/rotator.js', import.meta.url));

/** A Node of the machine that is too old to run the command line itself, so that the launcher hands over to the pinned one. */
function oldNode(): string | undefined {
  const folders = (process.env.PATH ?? '')
    .split(delimiter)
    .filter((folder) => !folder.includes('node_modules'));
  return folders
    .map((folder) => join(folder, 'node'))
    .find(
      (node) =>
        existsSync(node) && /^v(1\d|2[0-3])\./.test(execFileSync(node, ['--version'], { encoding: 'utf8' })),
    );
}

const node = oldNode();
if (!node)
  console.log('SKIPPED: no Node before 24 on this machine, so the launcher has nobody to hand over to.');

test.runIf(node !== undefined && process.platform !== 'win32')(
  'a signal to the launcher alone interrupts the command',
  { timeout: 60_000 },
  async () => {
    const desk = await startDesk();
    try {
      const args = [LAUNCHER, 'status', '--watch', '--json', '--stack', desk.stateFile];
      const child = spawn(node ?? '', args, { stdio: ['ignore', 'pipe', 'inherit'] });
      const ended = once(child, 'exit');
      await once(child.stdout, 'data');
      child.kill('SIGINT');
      expect(await ended).toEqual([0, null]);
    } finally {
      await desk.close();
    }
  },
);
