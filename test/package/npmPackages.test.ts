import { execFile } from 'node:child_process';
import { globSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { buildNpmPackages, COMMAND, READER } from '../../scripts/build/npmPackages.ts';
import { type Ended, runProgram } from '../examples/runProgram.ts';
import { CONNECTION, type ExampleStage, startStage } from '../examples/stage.ts';
import { ROOT } from './support.ts';

const MEGABYTE = 1_000_000;
/** For npm on a busy machine. */
const INSTALLING = 300_000;

/** Without the bundles that the processes of the tests load in place of packages. */
const environment = { ...process.env, NODE_OPTIONS: undefined, REQUIRE_REGISTRY: undefined };

let folder: string;
let stateFile: string;
let tarballs: { reader: string; command: string };
/** Empty projects in which one package was installed. */
let library: string;
let commandLine: string;
let stage: ExampleStage;
let node22: string | undefined;
/** Why the library is not installed. */
let missing: string | undefined;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'rotator-npm-'));
  stateFile = join(folder, 'stack.json');
  tarballs = await buildNpmPackages(ROOT, join(folder, 'packages'));
  [library, commandLine] = await Promise.all([emptyProject('library'), emptyProject('command-line')]);
  const offline = await npm(['install', '--offline', tarballs.command], commandLine);
  expect(offline, offline.output).toMatchObject({ code: 0 });
  const { code, output } = await npm(['install', tarballs.reader], library);
  if (code !== 0) missing = `npm cannot install packages on this machine: ${output.trim().slice(-300)}`;
  node22 = await installNode22();
  if (process.env.REQUIRE_REGISTRY === '1')
    expect([missing, node22]).toEqual([undefined, expect.any(String)]);
  stage = await startStage(undefined, stateFile);
}, INSTALLING);
afterAll(async () => {
  await stage?.close();
  await rm(folder, { recursive: true, force: true });
});

async function emptyProject(name: string): Promise<string> {
  const directory = join(folder, name);
  await mkdir(directory);
  await writeFile(join(directory, 'package.json'), '{"private":true,"type":"module"}');
  return directory;
}

function npm(args: readonly string[], cwd: string): Promise<Ended> {
  const command = [...args, '--no-audit', '--no-fund'];
  const options = { cwd, env: environment };
  return process.platform === 'win32'
    ? runProgram('cmd', ['/c', 'npm', ...command], options)
    : runProgram('npm', command, options);
}

/** The path of a Node 22 that npm installs; undefined if the registry has none for this system. */
async function installNode22(): Promise<string | undefined> {
  const [system, program] = process.platform === 'win32' ? ['win', 'node.exe'] : [process.platform, 'node'];
  const name = `node-${system}-${process.arch}`;
  const directory = await emptyProject('node-22');
  const { code } = await npm(['install', `${name}@22`], directory);
  return code === 0 ? join(directory, 'node_modules', name, 'bin', program) : undefined;
}

/** The size of all files of the packages of a project, and how many packages there are. */
async function installed(project: string): Promise<{ bytes: number; packages: number }> {
  const modules = join(project, 'node_modules');
  const files = globSync('**/*', { cwd: modules, withFileTypes: true }).filter((entry) => entry.isFile());
  const sizes = await Promise.all(
    files.map(async ({ parentPath, name }) => (await stat(join(parentPath, name))).size),
  );
  const { packages } = JSON.parse(await readFile(join(modules, '.package-lock.json'), 'utf8'));
  return {
    bytes: sizes.reduce((sum, size) => sum + size, 0),
    packages: Object.keys(packages).length,
  };
}

async function contents(tarball: string): Promise<string[]> {
  const { stdout } = await promisify(execFile)('tar', ['tzf', tarball]);
  return stdout.trim().split(/\r?\n/).toSorted();
}

async function description(tarball: string, name: string) {
  return JSON.parse(await readFile(join(dirname(tarball), name, 'package.json'), 'utf8'));
}

/** The Node with this major version; undefined if this machine cannot have it. */
const nodeOf = (major: string) => (major === '22' ? node22 : process.execPath);

describe('the library', () => {
  test('contains the modules for consumers with the two that they share, and nothing else', async () => {
    const names = globSync('consumer/*.ts', { cwd: join(ROOT, 'lib') }).map((file) =>
      file.replace('.ts', ''),
    );
    const modules = [...names, 'backoff', 'loopback'].flatMap((name) => [
      `dist/${name}.d.ts`,
      `dist/${name}.js`,
    ]);
    const files = ['LICENSE', 'README.md', 'package.json', ...modules].map((file) => `package/${file}`);
    expect(await contents(tarballs.reader)).toEqual(files.toSorted());
  });

  test('depends on two packages, has no program and runs no script', async () => {
    const { dependencies } = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8'));
    expect(await description(tarballs.reader, READER)).toEqual({
      name: 'key-vault-token-reader',
      version: expect.stringMatching(/^\d+\.\d+\.\d+$/),
      description: expect.any(String),
      license: 'MIT',
      type: 'module',
      exports: expect.any(Object),
      sideEffects: false,
      engines: { node: '>=22' },
      dependencies: {
        '@azure/core-auth': dependencies['@azure/core-auth'],
        '@azure/keyvault-secrets': dependencies['@azure/keyvault-secrets'],
      },
      peerDependencies: { undici: '>=7' },
      peerDependenciesMeta: { undici: { optional: true } },
    });
  });

  test('takes less than 15 MB in less than 40 packages, and leaves the Node of the project alone', async ({
    skip,
  }) => {
    if (missing) skip(missing);
    const { bytes, packages } = await installed(library);
    expect(bytes).toBeLessThan(15 * MEGABYTE);
    expect(packages).toBeLessThan(40);
    expect(globSync('node_modules/{node,node-*,.bin/*}', { cwd: library })).toEqual([]);
  });

  test.each([
    ['nodenext', ['--module', 'nodenext']],
    ['bundler', ['--module', 'esnext', '--moduleResolution', 'bundler']],
  ])(
    'compiles with its packages under --strict and %s, and the compiler finds a wrong use',
    async (name, how) => {
      if (missing) return console.log(`SKIPPED: ${missing}`);
      const program = `
      import type { TokenCredential } from '@azure/core-auth';
      import { createTokenReader, fetchWithToken, tokenCredential } from 'key-vault-token-reader';
      declare const credential: TokenCredential;
      const reader = createTokenReader({ vaultUrl: 'https://a', connection: 'c', credential });
      const sdk: TokenCredential = tokenCredential(reader);
      const send: typeof fetch = fetchWithToken(reader, 'https://b');
      const { token, expiresAt }: { token: string; expiresAt: number } = await reader.get();
      console.log(sdk, send, token, expiresAt);`;
      const compile = async (file: string, text: string) => {
        await writeFile(join(library, file), text);
        const args = ['--noEmit', '--strict', '--target', 'es2022', ...how, file];
        const compiler = join(ROOT, 'node_modules/typescript/bin/tsc');
        return runProgram(process.execPath, [compiler, ...args], { cwd: library, env: environment });
      };
      expect(await compile(`${name}.ts`, program)).toEqual({ code: 0, output: '' });
      const wrong = await compile(`${name}-wrong.ts`, program.replace("connection: 'c', ", ''));
      expect(wrong.output).toContain("Property 'connection' is missing");
    },
  );

  test.each(['22', '24'])('sends the token of a vault to an API with Node %s', async (major) => {
    const node = nodeOf(major);
    if (missing || !node) return console.log(`SKIPPED: ${missing ?? 'npm has no Node 22 for this system.'}`);
    const program = `
      import { createTokenReader, fetchWithToken } from 'key-vault-token-reader';
      const { TOKEN_VAULT_URL, CONNECTION, API_URL, IDENTITY_ENDPOINT, IDENTITY_HEADER } = process.env;
      const query = '?api-version=2019-08-01&resource=https://vault.azure.net&client_id=consumer';
      const getToken = async () => {
        const answer = await fetch(IDENTITY_ENDPOINT + query, { headers: { 'x-identity-header': IDENTITY_HEADER } });
        return { token: (await answer.json()).access_token, expiresOnTimestamp: Date.now() + 60_000 };
      };
      const reader = createTokenReader({ vaultUrl: TOKEN_VAULT_URL, connection: CONNECTION, credential: { getToken } });
      const { status } = await fetchWithToken(reader, API_URL)(API_URL);
      console.log(process.versions.node.split('.')[0], status);`;
    await writeFile(join(library, 'program.js'), program);
    const env = { ...stage.environment, NODE_OPTIONS: undefined };
    expect(await runProgram(node, ['program.js'], { cwd: library, env })).toEqual({
      code: 0,
      output: `${major} 200\n`,
    });
  });
});

describe('the command line', () => {
  test('contains its launcher, one bundle and the licences', async () => {
    const files = ['LICENSE', 'README.md', 'THIRD-PARTY-LICENSES.txt', 'package.json'];
    const code = ['cli/main.js', 'cli/requireNode.cjs', 'cli/rotator.js'];
    const all = [...files, ...code].map((file) => `package/${file}`);
    expect(await contents(tarballs.command)).toEqual(all.toSorted());
  });

  test('depends on no package, and npx finds it by the name of the package', async () => {
    expect(await description(tarballs.command, COMMAND)).toEqual({
      name: 'key-vault-token-rotator',
      version: expect.stringMatching(/^\d+\.\d+\.\d+$/),
      description: expect.any(String),
      license: 'MIT',
      type: 'module',
      bin: { 'key-vault-token-rotator': 'cli/rotator.js', rotator: 'cli/rotator.js' },
      engines: { node: '^22.19 || >=24' },
    });
  });

  test('takes less than 60 MB', async () => {
    const { bytes, packages } = await installed(commandLine);
    expect(bytes).toBeLessThan(60 * MEGABYTE);
    expect(packages).toBe(1);
  });

  test.each(['22', '24'])(
    'runs from any folder by npx with Node %s, and reads vaults and records',
    async (major) => {
      const node = nodeOf(major);
      if (!node) return console.log('SKIPPED: npm has no Node 22 for this system.');
      const elsewhere = join(folder, `elsewhere-${major}`);
      await mkdir(elsewhere);
      const env = { ...environment, PATH: `${dirname(node)}${delimiter}${process.env.PATH}` };
      const npx = (args: readonly string[]) => {
        const from = ['--yes', '--offline', '--cache', join(folder, 'cache'), '--package', tarballs.command];
        return process.platform === 'win32'
          ? runProgram('cmd', ['/c', 'npx', ...from, COMMAND, ...args], { cwd: elsewhere, env })
          : runProgram('npx', [...from, COMMAND, ...args], { cwd: elsewhere, env });
      };
      const status = await npx(['status', '--json', '--stack', stateFile]);
      expect(status, status.output).toMatchObject({ code: 0 });
      expect(JSON.parse(status.output)).toMatchObject({
        connections: [{ name: CONNECTION.name, state: 'fresh' }],
      });
      const doctor = await npx(['doctor', CONNECTION.name, '--stack', stateFile]);
      expect(doctor, doctor.output).toMatchObject({ code: 0 });
    },
  );
});
