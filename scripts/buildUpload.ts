/**
 * Bundles `npm run connections:upload` as dist-upload/index.js: the job that deploys can then run it without installing a package
 * while it has an identity token.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { asProgram, BUNDLE, bundle } from './build/bundle.ts';

const root = fileURLToPath(new URL('../', import.meta.url));
const folder = join(root, 'dist-upload');
const { files } = await bundle(root, asProgram('scripts/uploadConnections.ts'));
await mkdir(folder, { recursive: true });
await writeFile(join(folder, BUNDLE), files[BUNDLE]);
console.log(`dist-upload/${BUNDLE}  ${Math.ceil(files[BUNDLE].length / 1024)} KB`);
