import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { zipSync } from 'fflate';
import { asFunctions, BUNDLE, bundle, NODE_MAJOR } from './bundle.ts';
import { checkLicences, licenceTexts } from './licences.ts';
import { type BundledPackage, readPackages } from './packages.ts';
import { createSbom } from './sbom.ts';

/** The earliest date that a ZIP file can contain, so that the same sources give the same bytes at any time. */
const ZIP_DATE = new Date(1980, 0, 1);

/** The result of a build. */
export interface BuiltPackage {
  /** Bytes of each file in the folder, by name. */
  readonly sizes: Readonly<Record<string, number>>;
  readonly zipBytes: number;
  /** The third-party packages in the bundle. */
  readonly packages: readonly BundledPackage[];
}

/**
 * Builds the deployment package: everything that the Functions host needs, so that Azure installs nothing.
 * @param root folder of this repository
 * @param folder receives the files; its earlier content is removed
 * @param zipFile receives the same files zipped
 * @throws Error if the sources do not bundle or a package has a licence that is not on the list; then it writes nothing
 */
export async function buildPackage(root: string, folder: string, zipFile: string): Promise<BuiltPackage> {
  const { files: bundled, metafile } = await bundle(root, asFunctions());
  const packages = await readPackages(root, metafile);
  checkLicences(packages);
  const own = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as OwnPackage;
  const ownLicence = await readFile(join(root, 'LICENSE'), 'utf8');
  const files: Record<string, Uint8Array> = {
    ...bundled,
    'host.json': await readFile(join(root, 'host.json')),
    'package.json': jsonFile(packageJson(own)),
    LICENSE: Buffer.from(ownLicence),
    'THIRD-PARTY-LICENSES.txt': Buffer.from(licenceTexts(packages, ownLicence)),
    'sbom.cdx.json': jsonFile(createSbom(own, packages, codeOf(bundled))),
  };
  const zip = zipSync(files, { level: 9, mtime: ZIP_DATE });
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  for (const [name, content] of Object.entries(files)) await writeFile(join(folder, name), content);
  await writeFile(zipFile, zip);
  const sizes = Object.fromEntries(Object.entries(files).map(([name, { length }]) => [name, length]));
  return { sizes, zipBytes: zip.length, packages };
}

/** All modules one after the other, in the order of their names. */
function codeOf(files: Readonly<Record<string, Uint8Array>>): Uint8Array {
  const modules = Object.entries(files).filter(([name]) => name.endsWith('.js'));
  return Buffer.concat(modules.toSorted().map(([, code]) => code));
}

/** What the packages take from this repository's package.json. */
export interface OwnPackage {
  readonly name: string;
  readonly version: string;
  readonly description: string;
  readonly license: string;
  /** Only while a release is built. */
  readonly repository?: object;
}

/** It lists no dependencies: a remote build would install them next to the bundle. */
function packageJson({ name, version, description, license }: OwnPackage): object {
  const engines = { node: `>=${NODE_MAJOR}` };
  return { name, version, private: true, description, license, type: 'commonjs', main: BUNDLE, engines };
}

export function jsonFile(content: object): Uint8Array {
  return Buffer.from(`${JSON.stringify(content, null, 2)}\n`);
}
