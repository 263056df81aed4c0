/** Runs a program of tools/package.json with the arguments that follow its name, and installs it before. Without a name, it only installs. */
import { spawnSync } from 'node:child_process';
import { installTools, TOOLS } from './installTools.ts';

const PROGRAMS: Readonly<Record<string, string>> = {
  biome: '@biomejs/biome/bin/biome',
  knip: 'knip/bin/knip.js',
  stryker: '@stryker-mutator/core/bin/stryker.js',
};

const [name, ...args] = process.argv.slice(2);
const program = name === undefined ? undefined : PROGRAMS[name];
if (name !== undefined && program === undefined) {
  console.error(`${name} is not one of the programs ${Object.keys(PROGRAMS).join(', ')}.`);
  process.exitCode = 2;
} else if (!installTools()) {
  process.exitCode = 1;
} else if (program !== undefined) {
  const command = [`${TOOLS}node_modules/${program}`, ...args];
  process.exitCode = spawnSync(process.execPath, command, { stdio: 'inherit' }).status ?? 1;
}
