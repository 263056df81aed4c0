/**
 * Adds to package-lock.json the optional packages of other platforms that npm omitted. If a registry could not provide one
 * of them when npm wrote the lockfile, npm drops it silently, and then `npm ci` refuses the whole lockfile.
 * Run it after each change of dependencies: `node scripts/completeLockfile.ts`.
 */
import { readFileSync, writeFileSync } from 'node:fs';

interface LockedPackage {
  version?: string;
  dev?: boolean;
  optional?: boolean;
  os?: string[];
  cpu?: string[];
  libc?: string[];
  optionalDependencies?: Record<string, string>;
}

const LOCKFILE = new URL('../package-lock.json', import.meta.url);
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

const lock = JSON.parse(readFileSync(LOCKFILE, 'utf8')) as { packages: Record<string, LockedPackage> };
const packages = complete(lock.packages);
const added = Object.keys(packages).length - Object.keys(lock.packages).length;
writeFileSync(LOCKFILE, `${JSON.stringify({ ...lock, packages }, null, 2)}\n`);
console.log(`Added ${added} packages of other platforms to package-lock.json.`);
