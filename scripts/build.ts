/**
 * Builds the deployment: dist/, the root of the deployment package, and dist.zip, the same package zipped, for
 * `az functionapp deployment source config-zip`.
 */
import { fileURLToPath } from 'node:url';
import { buildPackage } from './build/buildPackage.ts';

const root = fileURLToPath(new URL('../', import.meta.url));
const kilobytes = (bytes: number) => `${Math.ceil(bytes / 1024)} KB`;

try {
  const { sizes, zipBytes, packages } = await buildPackage(root, `${root}dist`, `${root}dist.zip`);
  for (const [name, bytes] of Object.entries(sizes)) console.log(`dist/${name}  ${kilobytes(bytes)}`);
  console.log(`dist.zip  ${kilobytes(zipBytes)}, with ${packages.length} third-party packages in the bundle`);
} catch (error) {
  console.error(`Could not build the package. ${error instanceof Error ? error.message : error}`);
  process.exitCode = 1;
}
