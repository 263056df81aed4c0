import { basename, join } from 'node:path';
import { build, type Metafile, type Plugin } from 'esbuild';

/** Name of the bundle, which `main` of the deployed package.json names. */
export const BUNDLE = 'index.js';
/** The runtime that the deployment uses. */
export const NODE_MAJOR = 24;

/** Packages in the bundle call `require` at run time, which does not exist in an ES module. */
const REQUIRE =
  "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);";

/**
 * What the functions use of undici. Its index loads fetch, WebSocket, caches and mocks as well, which would be a third of the bundle. An import
 * of anything else makes the build fail.
 */
const UNDICI = `
export { default as Agent } from 'undici/lib/dispatcher/agent.js';
export { default as Client } from 'undici/lib/dispatcher/client.js';
export { default as buildConnector } from 'undici/lib/core/connect.js';
export { default as errors } from 'undici/lib/core/errors.js';
`;

function partOfUndici(root: string): Plugin {
  return {
    name: 'partOfUndici',
    setup: ({ onResolve, onLoad }) => {
      onResolve({ filter: /^undici$/ }, () => ({ path: 'undici', namespace: 'part' }));
      onLoad({ filter: /.*/, namespace: 'part' }, () => ({ contents: UNDICI, resolveDir: root }));
    },
  };
}

/** The bundle and its sources. */
export interface Bundle {
  readonly files: { readonly [BUNDLE]: Uint8Array } & Readonly<Record<string, Uint8Array>>;
  readonly metafile: Metafile;
}

const FUNCTIONS = 'functions/index.ts';

/** The oldest Node that runs the command: `cli/requireNode.cjs` checks it. */
export const OLDEST_NODE = '22.19';

/**
 * Bundles a module, by default all functions, into one ES module. It is not minified: that would save no time at the start, and stack traces stay readable
 * without the source map. The map contains no copy of the sources, which would double the package.
 * @param node the oldest version of Node that runs it
 * @throws Error with the message of esbuild
 */
export async function bundle(
  root: string,
  entry = FUNCTIONS,
  node = `${NODE_MAJOR}`,
): Promise<Bundle> {
  const { outputFiles, metafile } = await build({
    absWorkingDir: root,
    entryPoints: [entry],
    outfile: join(root, 'dist', BUNDLE),
    write: false,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: `node${node}`,
    // The Functions worker provides it at run time; it is on no registry.
    external: ['@azure/functions-core'],
    banner: { js: REQUIRE },
    sourcemap: true,
    sourcesContent: false,
    legalComments: 'none',
    metafile: true,
    logLevel: 'silent',
    plugins: entry === FUNCTIONS ? [partOfUndici(root)] : [],
  });
  const files = Object.fromEntries(outputFiles.map(({ path, contents }) => [basename(path), contents]));
  const code = files[BUNDLE];
  if (code === undefined) throw new Error(`esbuild made no ${BUNDLE}.`);
  return { files: { ...files, [BUNDLE]: code }, metafile };
}
