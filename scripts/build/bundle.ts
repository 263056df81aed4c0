import { basename, join } from 'node:path';
import { type BuildOptions, build, type Metafile } from 'esbuild';

/** Name of the bundle, which `main` of the deployed package.json names. */
export const BUNDLE = 'index.js';
/** The runtime that the deployment uses. */
export const NODE_MAJOR = 24;

/** Packages in the bundle call `require` at run time, which does not exist in an ES module. */
const REQUIRE =
  "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);";

/**
 * A CommonJS module: an ES module that imports `node:http` makes Node load all of its own fetch, because it looks at each export.
 */
type Form = Pick<BuildOptions, 'format' | 'banner'>;
const asFunctions: Form = { format: 'cjs' };
const asProgram: Form = { format: 'esm', banner: { js: REQUIRE } };

/** The bundle and its sources. */
export interface Bundle {
  readonly files: { readonly [BUNDLE]: Uint8Array } & Readonly<Record<string, Uint8Array>>;
  readonly metafile: Metafile;
}

const FUNCTIONS = 'functions/index.ts';

/** The oldest Node that runs the command: `cli/requireNode.cjs` checks it. */
export const OLDEST_NODE = '22.19';

/**
 * Bundles a module, by default all functions, into one module without comments and blanks: there is less to read at the start. Names and
 * short lines stay, so that stack traces are readable without the source map. The map contains no copy of the sources, which would
 * double the package.
 * @param node the oldest version of Node that runs it
 * @throws Error with the message of esbuild
 */
export async function bundle(root: string, entry = FUNCTIONS, node = `${NODE_MAJOR}`): Promise<Bundle> {
  const { outputFiles, metafile } = await build({
    absWorkingDir: root,
    entryPoints: [entry],
    outfile: join(root, 'dist', BUNDLE),
    write: false,
    bundle: true,
    platform: 'node',
    ...(entry === FUNCTIONS ? asFunctions : asProgram),
    target: `node${node}`,
    // The Functions worker provides it at run time; it is on no registry.
    external: ['@azure/functions-core'],
    sourcemap: true,
    sourcesContent: false,
    legalComments: 'none',
    minifyWhitespace: true,
    lineLimit: 120,
    metafile: true,
    logLevel: 'silent',
  });
  const files = Object.fromEntries(outputFiles.map(({ path, contents }) => [basename(path), contents]));
  const code = files[BUNDLE];
  if (code === undefined) throw new Error(`esbuild made no ${BUNDLE}.`);
  return { files: { ...files, [BUNDLE]: code }, metafile };
}
