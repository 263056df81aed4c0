/**
 * Ends the process with one sentence if this Node cannot run the project. `npm start`, `npm test`, `npm run build` and the command load it
 * first. It is CommonJS of the oldest kind, so that every Node can read it.
 */
const { existsSync } = require('node:fs');
const { join } = require('node:path');

const [major, minor] = process.versions.node.split('.').map(Number);
// Node 22.19 is the first that undici accepts; the later ones also run TypeScript. Node 23 is no longer maintained.
if (!(major >= 24 || (major === 22 && minor >= 19))) {
  const inClone = existsSync(join(__dirname, '..', 'package-lock.json'));
  const fix = inClone
    ? 'run "npm ci", which installs it on Linux with glibc and on Windows with an x64 processor, or install it'
    : 'install it';
  console.error(
    `This program needs Node 24, or 22.19 or newer, but this is Node ${process.versions.node}: ${fix}.`,
  );
  process.exit(1);
}
