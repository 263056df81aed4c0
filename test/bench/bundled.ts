/** Programs of this folder as the functions are deployed: bundled. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { asFunctions, BUNDLE, bundle } from '../../scripts/build/bundle.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

const paths = new Map<string, Promise<string>>();

/** Bundles a program, once. @returns its path, until this process ends */
export function bundled(program: string): Promise<string> {
  const path = paths.get(program) ?? write(program);
  paths.set(program, path);
  return path;
}

async function write(program: string): Promise<string> {
  const { files } = await bundle(ROOT, asFunctions(`test/bench/${program}`));
  const folder = mkdtempSync(join(tmpdir(), 'rotator-bench-'));
  process.once('exit', () => rmSync(folder, { recursive: true }));
  for (const [name, code] of Object.entries(files)) writeFileSync(join(folder, name), code);
  return join(folder, BUNDLE);
}
