import { readdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { Metafile } from 'esbuild';

/** A third-party package that is in the bundle, completely or in part. */
export interface BundledPackage {
  /** Folder below the root: `node_modules/@azure/identity`. */
  readonly folder: string;
  readonly name: string;
  readonly version: string;
  /** The licence from its package.json: an SPDX expression, if it is valid. */
  readonly licence: string;
  readonly author: string | undefined;
  /** Its licence and notice files, if it has any. */
  readonly texts: readonly string[];
  /** The hash from the lockfile, as `sha512-` and base64; undefined if the lockfile contains none. */
  readonly integrity: string | undefined;
  /** Folders of the packages that it imports. */
  readonly imports: readonly string[];
  /** Whether this repository's own files import it. */
  readonly direct: boolean;
}

/** Packages without a licence file. The file of their repository is in the folder `licences`. */
const KNOWN_LICENCES = ['saxes'];

const LEGAL_FILE = /^(licen[cs]e|copying|notice)(\.\w+)?$/i;

/** Lists the packages in a bundle, sorted by folder. Two versions of one package are two packages. */
export async function readPackages(root: string, metafile: Metafile): Promise<BundledPackage[]> {
  const imports = importsBetween(metafile);
  const lock = JSON.parse(await readFile(join(root, 'package-lock.json'), 'utf8')) as Lockfile;
  const folders = new Set(Object.keys(metafile.inputs).map(folderOf));
  folders.delete(OWN);
  const direct = imports.get(OWN);
  return Promise.all(
    [...folders].toSorted().map(async (folder) => ({
      folder,
      ...(await readDescription(join(root, folder))),
      texts: await readLegalFiles(root, folder),
      integrity: lock.packages[folder]?.integrity,
      imports: [...(imports.get(folder) ?? [])].toSorted(),
      direct: direct?.has(folder) ?? false,
    })),
  );
}

interface Lockfile {
  readonly packages: Readonly<Record<string, { readonly integrity?: string }>>;
}

const OWN = '';

/**
 * The folder of the package that a file belongs to; empty for this repository's own files. What a plugin loads begins with its namespace and
 * a colon.
 */
function folderOf(file: string): string {
  return /^(?:\w+:)?((.*\/)?node_modules\/(@[^/]+\/)?[^/]+)/.exec(file)?.[1] ?? OWN;
}

function importsBetween({ inputs, outputs }: Metafile): Map<string, Set<string>> {
  const between = new Map<string, Set<string>>();
  // A package that is first needed later has a file of its own.
  const entries = new Map(
    Object.entries(outputs).map(([file, { entryPoint }]) => [basename(file), entryPoint]),
  );
  for (const [file, { imports }] of Object.entries(inputs)) {
    const from = folderOf(file);
    const known = between.get(from) ?? new Set();
    between.set(from, known);
    for (const { path, external } of imports) {
      const to = folderOf((external ? entries.get(basename(path)) : path) ?? OWN);
      if (to !== from && to !== OWN) known.add(to);
    }
  }
  return between;
}

async function readDescription(folder: string) {
  const { name, version, license, author } = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8'));
  const licence = typeof license === 'string' ? license : '';
  return {
    name: String(name),
    version: String(version),
    licence,
    author: (typeof author === 'string' ? author : author?.name) as string | undefined,
  };
}

async function readLegalFiles(root: string, folder: string): Promise<string[]> {
  const names = (await readdir(join(root, folder))).filter((name) => LEGAL_FILE.test(name)).toSorted();
  const [known] = KNOWN_LICENCES.filter((name) => folder === `node_modules/${name}`);
  const paths = names.map((name) => join(folder, name));
  if (known !== undefined && paths.length === 0) paths.push(`scripts/build/licences/${known}.txt`);
  return Promise.all(paths.map(async (path) => (await readFile(join(root, path), 'utf8')).trim()));
}
