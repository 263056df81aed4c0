import { basename, join, relative } from 'node:path';
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
};

/** The class of such a package that other packages import at their start, although they first need it for a request through a proxy. */
const LATER_CLASSES: Readonly<Record<string, string>> = {
  'http-proxy-agent': 'HttpProxyAgent',
  'https-proxy-agent': 'HttpsProxyAgent',
};

/** Takes what is needed later from files of its own. esbuild itself divides ES modules only. */
const later: Plugin = {
  name: 'later',
  setup: ({ initialOptions: { absWorkingDir = '.' }, onLoad, onResolve, resolve }) => {
    for (const [name, pack] of Object.entries(LATER))
      onResolve({ filter: exactly(pack) }, async ({ kind, importer, resolveDir, pluginData }) => {
        if (kind === 'dynamic-import') return { path: `./${name}.js`, external: true };
        if (kind !== 'import-statement' || !(pack in LATER_CLASSES) || pluginData === 'find')
          return undefined;
        const find = async (from: string) =>
          (await resolve(pack, { kind, resolveDir: from, pluginData: 'find' })).path;
        const path = await find(resolveDir);
        if (path !== (await find(absWorkingDir)))
          return { errors: [{ text: `${importer} needs another ${pack} than the one in ${name}.js.` }] };
        return { path: relative(absWorkingDir, path), namespace: 'later', pluginData: { name, pack } };
      });
    // Called with `new`, a function that returns an object makes that object.
    onLoad({ filter: /./, namespace: 'later' }, ({ pluginData: { name, pack } }) => ({
      contents: `export function ${LATER_CLASSES[pack]}(...args) {
        return new (require('./${name}.js').${LATER_CLASSES[pack]})(...args);
      }`,
    }));
    onResolve({ filter: /./, namespace: 'later' }, ({ path }) => ({ path, external: true }));
  },
};

/** What the functions import of undici. Its index loads its fetch, WebSocket, cache and mocks as well. */
const UNDICI_PARTS = {
  Agent: 'dispatcher/agent.js',
  Client: 'dispatcher/client.js',
  buildConnector: 'core/connect.js',
  errors: 'core/errors.js',
};

/**
 * What undici's client has for uses that do not occur here: HTTP/2, which no connection allows, with which undici loads `node:http2`; and
 * the parts of its fetch that read a form.
 */
const UNUSED = /\/client-h2\.js$|\/web\/(fetch|webidl)/;

/** Only the parts of undici that send requests over HTTP/1.1. */
const undiciParts: Plugin = {
  name: 'undici parts',
  setup: ({ initialOptions: { absWorkingDir = '.' }, onLoad, onResolve }) => {
    onResolve({ filter: exactly('undici') }, ({ path }) => ({ path, namespace: 'parts' }));
    onLoad({ filter: /./, namespace: 'parts' }, () => ({
      contents: Object.entries(UNDICI_PARTS)
        .map(([name, path]) => `export { default as ${name} } from 'undici/lib/${path}';`)
        .join('\n'),
      resolveDir: absWorkingDir,
    }));
    onResolve({ filter: UNUSED }, ({ importer, path }) =>
      /[\\/]undici[\\/]lib[\\/]/.test(importer) ? { path, namespace: 'unused' } : undefined,
    );
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
  // undici's own name for a bundle of it, which Node has as well: then it leaves out a parser that it has as an experiment.
  define: { esbuildDetection: 'true' },
  plugins: [later, undiciParts],
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
 * @throws Error with the message of esbuild, also for what it only warns of: an import that nothing exports is a warning
 */
export async function bundle(root: string, form: Form, node = `${NODE_MAJOR}`): Promise<Bundle> {
  const { outputFiles, metafile, warnings } = await build({
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
  if (warnings.length > 0) throw new Error(warnings.map(({ text }) => text).join('\n'));
  const files = Object.fromEntries(outputFiles.map(({ path, contents }) => [basename(path), contents]));
  const code = files[BUNDLE];
  if (code === undefined) throw new Error(`esbuild made no ${BUNDLE}.`);
  return { files: { ...files, [BUNDLE]: code }, metafile };
}
