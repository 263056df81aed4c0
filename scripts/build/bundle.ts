import { basename, join } from 'node:path';
import { type BuildOptions, build, type Metafile, type Plugin } from 'esbuild';

/** Name of the bundle, which `main` of the deployed package.json names. */
export const BUNDLE = 'index.js';
/** The runtime that the deployment uses. */
export const NODE_MAJOR = 24;

/** Packages in the bundle call `require` at run time, which does not exist in an ES module. */
const REQUIRE =
  "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);";

/** Packages that the functions first need later, and the names of their files. A cold start reads none of them. */
const LATER = {
  identity: '@azure/identity',
  storageKey: '@azure/storage-common',
  httpProxy: 'http-proxy-agent',
  httpsProxy: 'https-proxy-agent',
} as const;

/** Classes in them that the SDKs import at their start, and use for the first request through a proxy. */
const LATER_CLASSES = { HttpProxyAgent: 'httpProxy', HttpsProxyAgent: 'httpsProxy' } as const;

/** What the functions import of undici. Its index loads its fetch, WebSocket, cache and mocks as well. */
const UNDICI_PARTS = {
  Agent: 'dispatcher/agent.js',
  Client: 'dispatcher/client.js',
  buildConnector: 'core/connect.js',
  errors: 'core/errors.js',
};

/**
 * Parts of undici without a use here: no connection has HTTP/2 (`allowH2: false`), for which undici loads Node's, and each body is a
 * text, not a form or a stream.
 */
const UNUSED = /\/client-h2\.js$|\/web\/(fetch|webidl)/;

/** esbuild divides ES modules only into several files. */
const coldStart: Plugin = {
  name: 'cold start',
  setup: ({ initialOptions: { absWorkingDir = '.' }, onLoad, onResolve }) => {
    for (const [name, pack] of Object.entries(LATER))
      onResolve({ filter: exactly(pack) }, ({ kind }) =>
        kind === 'dynamic-import' ? { path: `./${name}.js`, external: true } : undefined,
      );
    for (const [exported, name] of Object.entries(LATER_CLASSES)) {
      const path = `node_modules/${LATER[name]}/later`;
      onResolve({ filter: exactly(LATER[name]) }, ({ kind }) =>
        kind === 'import-statement' ? { path, namespace: 'later' } : undefined,
      );
      onLoad({ filter: exactly(path), namespace: 'later' }, () => ({
        contents: `export function ${exported}(...args) { return new (require('./${name}.js').${exported})(...args); }`,
      }));
    }
    onResolve({ filter: /./, namespace: 'later' }, ({ path }) => ({ path, external: true }));
    onResolve({ filter: exactly('undici') }, ({ path }) => ({ path, namespace: 'parts' }));
    onLoad({ filter: /./, namespace: 'parts' }, () => ({
      contents: Object.entries(UNDICI_PARTS)
        .map(([name, path]) => `export { default as ${name} } from 'undici/lib/${path}';`)
        .join('\n'),
      resolveDir: absWorkingDir,
    }));
    onResolve({ filter: UNUSED }, ({ path }) => ({ path, namespace: 'unused' }));
    onLoad({ filter: /./, namespace: 'unused' }, ({ path }) => ({
      contents: `const refuse = () => { throw new Error('The package is without ${path} of undici.'); };
        module.exports = new Proxy(refuse, { get: refuse });`,
    }));
  },
};

const exactly = (name: string) => new RegExp(`^${name}$`);

/** How a module is bundled. */
export type Form = Pick<BuildOptions, 'entryPoints' | 'format' | 'banner' | 'define' | 'plugins'>;

/**
 * What runs in Azure, by default all functions. CommonJS modules: an ES module that imports `node:http` makes Node load all of its own
 * fetch, because it looks at each export.
 */
export const asFunctions = (entry = 'functions/index.ts'): Form => ({
  entryPoints: { index: entry, ...LATER },
  format: 'cjs',
  // With this name, undici leaves out a parser that it has as an experiment.
  define: { esbuildDetection: 'true' },
  plugins: [coldStart],
});

/** A program in one ES module. */
export const asProgram = (entry: string): Form => ({
  entryPoints: { index: entry },
  format: 'esm',
  banner: { js: REQUIRE },
});

/** The bundle and its sources. */
export interface Bundle {
  readonly files: { readonly [BUNDLE]: Uint8Array } & Readonly<Record<string, Uint8Array>>;
  readonly metafile: Metafile;
}

/** The oldest Node that runs the command: `cli/requireNode.cjs` checks it. */
export const OLDEST_NODE = '22.19';

/**
 * Bundles a module without comments and blanks: there is less to read at the start. Names and short lines stay, so that stack traces
 * are readable without the source map. The map contains no copy of the sources, which would double the package.
 * @param node the oldest version of Node that runs it
 * @throws Error with the message of esbuild
 */
export async function bundle(root: string, form: Form, node = `${NODE_MAJOR}`): Promise<Bundle> {
  const { outputFiles, metafile } = await build({
    absWorkingDir: root,
    outdir: join(root, 'dist'),
    write: false,
    bundle: true,
    platform: 'node',
    ...form,
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
