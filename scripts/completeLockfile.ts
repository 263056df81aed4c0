/**
 * Completes each package-lock.json. Run it after each change of dependencies: `node scripts/completeLockfile.ts`.
 *
 * - It adds the optional packages of other platforms that npm omitted, with their hashes. If a registry could not provide one of them
 *   when npm wrote the lockfile, npm drops it silently, and then `npm ci` refuses the whole lockfile. Without a hash, `npm ci` would
 *   accept any package of that name.
 * - It removes the versions of Node that packages ask for. `npm ci` would compare them with the Node that runs npm, and print a page
 *   of warnings. The pinned Node runs the packages.
 * - It marks the pinned Node of Linux as one for glibc. Its own description does not, so Alpine would install a Node that cannot start.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';

interface LockedPackage {
  version?: string;
  integrity?: string;
  dev?: boolean;
  optional?: boolean;
  os?: string[];
  cpu?: string[];
  libc?: string[];
  engines?: unknown;
  optionalDependencies?: Record<string, string>;
}

/** From the top of the repository. */
const LOCKFILES = ['package-lock.json', 'tools/package-lock.json'];
const SYSTEMS = ['android', 'darwin', 'freebsd', 'linux', 'openharmony', 'win32'];
const PROCESSORS = ['arm64', 'ia32', 'ppc64', 'riscv64', 's390x', 'x64', 'wasm32', 'arm'];

/** The platform in the name of such a package. */
function platformOf(name: string): Pick<LockedPackage, 'os' | 'cpu' | 'libc'> {
  const os = SYSTEMS.filter((system) => name.includes(system));
  const cpu = PROCESSORS.filter((processor) => name.includes(processor)).slice(0, 1);
  const libc = name.includes('musl') ? ['musl'] : name.endsWith('-gnu') ? ['glibc'] : [];
  return { ...(os.length > 0 && { os }), ...(cpu.length > 0 && { cpu }), ...(libc.length > 0 && { libc }) };
}

function complete(packages: Record<string, LockedPackage>): Record<string, LockedPackage> {
  const all = { ...packages };
  for (const { optionalDependencies = {}, dev } of Object.values(packages)) {
    for (const [name, version] of Object.entries(optionalDependencies)) {
      all[`node_modules/${name}`] ??= { version, ...(dev && { dev }), optional: true, ...platformOf(name) };
    }
  }
  const [root, ...rest] = Object.entries(all).toSorted(([one], [other]) => (one < other ? -1 : 1));
  return Object.fromEntries(root ? [root, ...rest] : []);
}

/**
 * Adds the hash that the registry publishes to each package without one, as npm does at the first installation.
 * @throws the error of npm if the registry does not have the package
 */
function withHashes(packages: Record<string, LockedPackage>): Record<string, LockedPackage> {
  const hashed = Object.entries(packages).map(([path, locked]) => {
    if (path === '' || locked.integrity !== undefined) return [path, locked];
    const { version, ...more } = locked;
    const args = ['view', `${path.split('node_modules/').at(-1)}@${version}`, 'dist.integrity'];
    const integrity = execFileSync('npm', args, { encoding: 'utf8', shell: process.platform === 'win32' });
    return [path, { version, integrity: integrity.trim(), ...more }];
  });
  return Object.fromEntries(hashed);
}

/** The packages without what npm must not compare with the machine that installs, and with what it must. */
function forEveryMachine(packages: Record<string, LockedPackage>): Record<string, LockedPackage> {
  const fitted = Object.entries(packages).map(([path, locked]) => {
    if (path === '') return [path, locked];
    const { engines: _, ...more } = locked;
    return [path, /^node_modules\/node-linux-\w+$/.test(path) ? { ...more, libc: ['glibc'] } : more];
  });
  return Object.fromEntries(fitted);
}

for (const file of LOCKFILES) {
  const lock = JSON.parse(readFileSync(file, 'utf8')) as { packages: Record<string, LockedPackage> };
  const packages = forEveryMachine(withHashes(complete(lock.packages)));
  const added = Object.keys(packages).length - Object.keys(lock.packages).length;
  writeFileSync(file, `${JSON.stringify({ ...lock, packages }, null, 2)}\n`);
  console.log(`Added ${added} packages of other platforms to ${file}.`);
}
