import { execFile } from 'node:child_process';
import { cp, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { jsonFile, type OwnPackage } from './buildPackage.ts';
import { asProgram, BUNDLE, bundle, OLDEST_NODE } from './bundle.ts';
import { checkLicences, licenceTexts } from './licences.ts';
import { readPackages } from './packages.ts';

/** The library for programs that read tokens. */
export const READER = 'key-vault-token-reader';
/**
 * The command line.
 * @internal
 */
export const COMMAND = 'key-vault-token-rotator';

interface Root extends OwnPackage {
  readonly dependencies: Readonly<Record<string, string>>;
}

/**
 * Builds the packages that people install with npm, each as a folder and as the tarball of `npm pack`.
 * @param root folder of this repository
 * @param folder receives them; its earlier content is removed
 * @returns the path of each tarball
 * @throws Error if the sources do not compile or bundle, or a package in the bundle has a licence that is not on the list
 */
export async function buildNpmPackages(
  root: string,
  folder: string,
): Promise<{ reader: string; command: string }> {
  await rm(folder, { recursive: true, force: true });
  await Promise.all([buildReader(root, join(folder, READER)), buildCommand(root, join(folder, COMMAND))]);
  const [reader = '', command = ''] = await pack(folder);
  return { reader, command };
}

/** JavaScript and declarations, with the two packages that they import. */
export async function buildReader(root: string, folder: string): Promise<void> {
  const own = await readRoot(root);
  const compiler = join(root, 'node_modules/typescript/bin/tsc');
  const project = join(root, 'tsconfig.reader.json');
  const compile = [compiler, '--project', project, '--outDir', join(folder, 'dist')];
  await promisify(execFile)(process.execPath, compile).catch(({ stdout }) => {
    throw new Error(`The library does not compile: ${stdout}`);
  });
  const entry = (name: string) => ({
    types: `./dist/consumer/${name}.d.ts`,
    default: `./dist/consumer/${name}.js`,
  });
  const needed = ['@azure/core-auth', '@azure/keyvault-secrets'];
  const description = {
    ...describe(
      own,
      READER,
      'Reads an OAuth 2.0 access token that key-vault-token-rotator keeps fresh in Azure Key Vault.',
    ),
    exports: { '.': entry('index'), './undici': entry('interceptor') },
    sideEffects: false,
    engines: { node: '>=22' },
    dependencies: Object.fromEntries(needed.map((name) => [name, own.dependencies[name]])),
    // Only `/undici` needs it, from a program that has it anyway.
    peerDependencies: { undici: '>=7' },
    peerDependenciesMeta: { undici: { optional: true } },
  };
  await addFiles(root, folder, { 'package.json': jsonFile(description) });
}

/** One bundle with everything in it, so that npm installs one package only. */
async function buildCommand(root: string, folder: string): Promise<void> {
  const own = await readRoot(root);
  const { files, metafile } = await bundle(root, asProgram('cli/main.ts'), OLDEST_NODE);
  const packages = await readPackages(root, metafile);
  checkLicences(packages);
  const launcher = 'cli/rotator.js';
  const description = {
    ...describe(own, COMMAND, own.description),
    // npx runs the one with the name of the package.
    bin: { [COMMAND]: launcher, rotator: launcher },
    engines: { node: `^${OLDEST_NODE} || >=24` },
  };
  const licences = licenceTexts(packages, await readFile(join(root, 'LICENSE'), 'utf8'));
  await mkdir(join(folder, 'cli'), { recursive: true });
  for (const name of ['rotator.js', 'requireNode.cjs'])
    await cp(join(root, 'cli', name), join(folder, 'cli', name));
  await addFiles(root, folder, {
    'package.json': jsonFile(description),
    'cli/main.js': withoutSourceMap(files[BUNDLE]),
    'THIRD-PARTY-LICENSES.txt': licences.replace(BUNDLE, 'cli/main.js'),
  });
}

async function readRoot(root: string): Promise<Root> {
  return JSON.parse(await readFile(join(root, 'package.json'), 'utf8'));
}

function describe({ version, license, repository }: OwnPackage, name: string, description: string) {
  return { name, version, description, license, repository, type: 'module' };
}

/** The map would be larger than the code, and the sources that it points to are not in the package. */
function withoutSourceMap(code: Uint8Array): string {
  return Buffer.from(code)
    .toString()
    .replace(/\n\/\/# sourceMappingURL=\S+\s*$/, '\n');
}

async function addFiles(
  root: string,
  folder: string,
  files: Readonly<Record<string, string | Uint8Array>>,
): Promise<void> {
  for (const [name, content] of Object.entries(files)) await writeFile(join(folder, name), content);
  await cp(join(root, 'LICENSE'), join(folder, 'LICENSE'));
  await cp(join(root, `scripts/build/readme/${basename(folder)}.md`), join(folder, 'README.md'));
}

async function pack(folder: string): Promise<string[]> {
  const packing = ['pack', '--json', '--ignore-scripts', `./${READER}`, `./${COMMAND}`];
  const options = { cwd: folder, shell: process.platform === 'win32' };
  const { stdout } = await promisify(execFile)('npm', packing, options);
  return (JSON.parse(stdout) as { filename: string }[]).map(({ filename }) => join(folder, filename));
}
