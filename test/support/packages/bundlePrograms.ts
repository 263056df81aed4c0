import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { glob, mkdir, readdir, readFile, rm, stat } from 'node:fs/promises';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build, type Plugin } from 'esbuild';
import type { TestProject } from 'vitest/node';
import { CACHE, COMMON, ESM, useBundles, writeBundles } from './bundlePackages.ts';

const ROOT = new URL('../../../', import.meta.url);
const SOURCES = '{cli,functions,lib,local}/**/*.ts';
/** What the processes of the tests start with. */
export const PROGRAMS = {
  azuritePreload: 'local/storage/preload.ts',
  commands: 'test/cli/commandProcess.ts',
  functionHost: 'local/functionHost/main.ts',
  functions: 'functions/index.ts',
  rotator: 'cli/main.ts',
  start: 'local/start.ts',
};
const KEPT_MS = 24 * 60 * 60_000;

/** Bundles the programs before the tests of a project start, and again before a rerun. Processes started from then on load the bundles. */
export default async function setup(project: TestProject): Promise<void> {
  await bundlePrograms();
  project.onTestsRerun(bundlePrograms);
}

async function bundlePrograms(): Promise<void> {
  const name = `programs-${await hashOfSources()}`;
  const folder = new URL(`${name}/`, CACHE);
  if (!existsSync(folder)) {
    await removeOld();
    await writeBundles(folder, fill);
  }
  process.env.NODE_OPTIONS = useBundles(process.env.NODE_OPTIONS, 'programs', folder);
}

async function hashOfSources(): Promise<string> {
  const hash = createHash('sha256').update(ROOT.href);
  const sources: string[] = [];
  for await (const path of glob(SOURCES, { cwd: fileURLToPath(ROOT) })) sources.push(path);
  for (const path of [...sources.sort(), PROGRAMS.commands, 'package-lock.json'])
    hash.update(path).update(await readFile(new URL(path, ROOT)));
  for (const own of ['bundlePackages.ts', 'bundlePrograms.ts'])
    hash.update(await readFile(new URL(own, import.meta.url)));
  return hash.digest('hex').slice(0, 16);
}

/** A run that started before may still use its bundles. */
async function removeOld(): Promise<void> {
  await mkdir(CACHE, { recursive: true });
  for (const name of await readdir(CACHE)) {
    const folder = new URL(name, CACHE);
    if (!name.startsWith('programs-') || Date.now() - (await stat(folder)).mtimeMs < KEPT_MS) continue;
    await rm(folder, { recursive: true, force: true });
  }
}

async function fill(outdir: string) {
  const programs = Object.entries(PROGRAMS).map(
    ([name, path]) => [name, fileURLToPath(new URL(path, ROOT))] as const,
  );
  await build({
    ...COMMON,
    ...ESM,
    entryPoints: Object.fromEntries(programs),
    outdir,
    // The host provides it.
    external: ['@azure/functions-core'],
    plugins: [ownAddress],
  });
  return programs.map(([name, path]) => [path, `${name}.mjs`] as const);
}

/** Our files find their neighbours by their own address, which must stay that of the source. */
const ownAddress: Plugin = {
  name: 'own address',
  setup: ({ onLoad }) => {
    onLoad({ filter: /\.ts$/ }, async ({ path }) => {
      const text = await readFile(path, 'utf8');
      return {
        contents: text.replaceAll('import.meta.url', JSON.stringify(pathToFileURL(path).href)),
        loader: 'ts',
      };
    });
  },
};
