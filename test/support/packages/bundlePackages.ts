import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { type BuildOptions, build } from 'esbuild';

const ROOT = new URL('../../../', import.meta.url);
/** Each folder in it holds the bundles of one state of the sources. */
export const CACHE = new URL('node_modules/.cache/', ROOT);

/** ES modules of hundreds of files. Loading those files takes longer than most tests. */
export const MODULES = {
  identity: '@azure/identity',
  secrets: '@azure/keyvault-secrets',
  blob: '@azure/storage-blob',
  oauth4webapi: 'oauth4webapi',
  'oidc-provider': 'oidc-provider',
  zod: 'zod',
};
const AZURITE = 'azurite/dist/src/blob/main.js';

export const COMMON: BuildOptions = {
  bundle: true,
  // A third less to read and to check for each process.
  minifyWhitespace: true,
  platform: 'node',
  target: 'node24',
  // Node's own choice among the files that a package offers.
  conditions: [],
  mainFields: ['main'],
  logLevel: 'error',
};
export const ESM: BuildOptions = {
  format: 'esm',
  splitting: true,
  outExtension: { '.js': '.mjs' },
  banner: {
    js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);",
  },
};

/**
 * Bundles the large packages, once for each lockfile. Only the number of files changes, not their code.
 * @param options the options of Node so far
 * @returns the options of Node that make a process load the bundles instead of the packages
 */
export async function bundlePackages(options: string | undefined): Promise<string> {
  const inputs = [new URL('package-lock.json', ROOT), new URL(import.meta.url)];
  const hash = createHash('sha256');
  for (const input of inputs) hash.update(await readFile(input));
  const folder = new URL(`packages-${hash.digest('hex').slice(0, 16)}/`, CACHE);
  if (!existsSync(folder)) await writeBundles(folder, fill);
  return useBundles(options, 'packages', folder);
}

/**
 * @param kind replaces the option for other bundles of the same kind, also that of a surrounding test run
 * @returns the options of Node, with one that makes each process load the bundles in `folder`
 */
export function useBundles(options = '', kind: string, folder: URL): string {
  const others = options.split(' ').filter((option) => option && !option.includes(`useBundles.js?${kind}=`));
  const hook = new URL(`useBundles.js?${kind}=${new URL('bundles.json', folder).href}`, import.meta.url);
  return [...others, `--import=${hook.href}`].join(' ');
}

/**
 * Makes a folder of bundles in one step: another run sees all of it or nothing.
 * @param fill writes the bundles into a directory, and returns the path of each source with the file that replaces it
 */
export async function writeBundles(
  folder: URL,
  fill: (directory: string) => Promise<readonly (readonly [source: string, file: string])[]>,
): Promise<void> {
  await mkdir(CACHE, { recursive: true });
  const unfinished = await mkdtemp(fileURLToPath(new URL('unfinished-', CACHE)));
  const bundles = await fill(unfinished);
  const urls = bundles.map(([source, file]) => [pathToFileURL(source).href, new URL(file, folder).href]);
  await writeFile(`${unfinished}/bundles.json`, JSON.stringify(Object.fromEntries(urls)));
  // Another run may have been faster.
  await rename(unfinished, folder).catch(() => rm(unfinished, { recursive: true }));
}

async function fill(outdir: string) {
  const resolve = (name: string) => fileURLToPath(import.meta.resolve(name));
  const modules = Object.entries(MODULES).map(([name, specifier]) => [name, resolve(specifier)] as const);
  const azurite = createRequire(import.meta.url).resolve(AZURITE);
  await Promise.all([
    build({
      ...COMMON,
      entryPoints: Object.fromEntries(modules),
      ...ESM,
      outdir,
    }),
    build({
      ...COMMON,
      entryPoints: { azurite },
      outdir,
      format: 'cjs',
      outExtension: { '.js': '.cjs' },
      external: ['applicationinsights', 'sequelize'],
    }),
  ]);
  return [
    ...modules.map(([name, path]) => [path, `${name}.mjs`] as const),
    [azurite, 'azurite.cjs'] as const,
  ];
}
