import { execFile, execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Mutant, mutated } from './mutants.ts';

export const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const MODEL = fileURLToPath(new URL('./firstViolation.ts', import.meta.url));
/** No test run takes this long; a mutant may make one endless. */
const TIME_LIMIT_MS = 180_000;

/**
 * Copies the source tree as it stands into a folder of its own, switches the guard off there, and removes the folder after use.
 * @param mutant undefined: the tree as it is
 * @param use is given the folder
 */
export async function withMutant<T>(
  mutant: Mutant | undefined,
  use: (folder: string) => Promise<T>,
): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'mutant-'));
  try {
    copyTree(folder);
    if (mutant) mutate(folder, mutant);
    return await use(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function copyTree(folder: string): void {
  // Where node_modules is a link, .gitignore does not know it.
  const listing = ['ls-files', '-z', '--cached', '--others', '--exclude-standard', ':!node_modules'];
  const paths = execFileSync('git', listing, { cwd: ROOT, encoding: 'utf8' }).split('\0').filter(Boolean);
  for (const path of paths) {
    // A file that was removed and not yet committed is still listed.
    if (existsSync(join(ROOT, path))) cpSync(join(ROOT, path), join(folder, path));
  }
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'), 'junction');
}

function mutate(folder: string, mutant: Mutant): void {
  const file = join(folder, mutant.file);
  writeFileSync(file, mutated(readFileSync(file, 'utf8'), mutant));
}

interface Report {
  readonly testResults: readonly {
    readonly name: string;
    readonly message: string;
    readonly assertionResults: readonly { readonly status: string; readonly fullName: string }[];
  }[];
}

/**
 * Runs tests in a folder until one fails.
 * @returns file and name of the test that failed; undefined where all passed
 * @throws Error where they did not pass although no test failed: the tree is broken, and that proves nothing
 */
export async function failingTest(folder: string, tests: readonly string[]): Promise<string | undefined> {
  const report = join(folder, 'report.json');
  const vitest = join(folder, 'node_modules', 'vitest', 'vitest.mjs');
  // One thread without isolation: a process that is ended leaves no other behind, and nothing is loaded twice.
  const frugal = ['--bail', '1', '--pool', 'threads', '--maxWorkers', '1', '--no-isolate'];
  const traceless = ['--no-cache', '--no-fsModuleCache', '--reporter', 'json', '--outputFile', report];
  const { ok, output } = await run(folder, [vitest, 'run', ...tests, ...frugal, ...traceless]);
  if (!existsSync(report)) throw new Error(`The tests gave no report.\n${output}`);
  const { testResults } = JSON.parse(readFileSync(report, 'utf8')) as Report;
  for (const { name, assertionResults } of testResults) {
    const failed = assertionResults.find(({ status }) => status === 'failed');
    if (failed) return `${pathIn(folder, name)}: ${failed.fullName}`;
  }
  if (ok) return undefined;
  const messages = testResults.map(({ message }) => message).filter(Boolean);
  throw new Error(`No test failed, and yet the run did.\n${messages.join('\n')}\n${output}`);
}

/** As the reporter names it, without the folder: on some systems the temporary folder has a second name. */
function pathIn(folder: string, file: string): string {
  const inside = relative(folder, file).split(sep).join('/');
  return inside.slice(Math.max(0, inside.indexOf('test/')));
}

/** @returns the first of the model's histories that breaks an invariant, with the invariant; undefined where none does */
export async function failingHistory(folder: string, histories: number): Promise<string | undefined> {
  const { ok, output } = await run(folder, [join(folder, relative(ROOT, MODEL)), String(histories)]);
  if (!ok) throw new Error(`The model could not be played.\n${output}`);
  return output || undefined;
}

/** Of a test run around this one, nothing may reach a test run in it. */
function environment(): NodeJS.ProcessEnv {
  const ofVitest = /^(VITEST|NODE_ENV$|NODE_V8_COVERAGE$|TEST$|MODE$|DEV$|PROD$|SSR$|BASE_URL$)/;
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !ofVitest.test(name)));
}

function run(folder: string, command: readonly string[]): Promise<{ ok: boolean; output: string }> {
  const options = { cwd: folder, env: environment(), timeout: TIME_LIMIT_MS, maxBuffer: 64 * 1024 * 1024 };
  return new Promise((resolve) => {
    execFile(process.execPath, command, options, (error, stdout, stderr) =>
      resolve({ ok: !error, output: error ? stdout + stderr : stdout }),
    );
  });
}
