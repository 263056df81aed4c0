/**
 * Builds three packages: the deployment as dist/ and, zipped for `az functionapp deployment source config-zip`, as dist.zip; the library for
 * consumers and the command line in dist-npm/, for npm.
 */
import { statSync } from 'node:fs';
import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildPackage } from './build/buildPackage.ts';
import { buildNpmPackages } from './build/npmPackages.ts';

const root = fileURLToPath(new URL('../', import.meta.url));
const kilobytes = (bytes: number) => `${Math.ceil(bytes / 1024)} KB`;

try {
  const { sizes, zipBytes, packages } = await buildPackage(root, `${root}dist`, `${root}dist.zip`);
  for (const [name, bytes] of Object.entries(sizes)) console.log(`dist/${name}  ${kilobytes(bytes)}`);
  console.log(`dist.zip  ${kilobytes(zipBytes)}, with ${packages.length} third-party packages in the bundle`);
  for (const tarball of Object.values(await buildNpmPackages(root, `${root}dist-npm`)))
    console.log(`${relative(root, tarball)}  ${kilobytes(statSync(tarball).size)}`);
} catch (error) {
  console.error(`Could not build the packages. ${error instanceof Error ? error.message : error}`);
  process.exitCode = 1;
}
