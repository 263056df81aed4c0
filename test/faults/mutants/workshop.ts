import { execFile, execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Mutant, mutated } from './mutants.ts';

export const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const MODEL = fileURLToPath(new URL('./firstViolation.ts', import.meta.url));
/** Longer than any test run; a mutant may cause an endless loop. */
const TIME_LIMIT_MS = 180_000;

/**
 * Copies the current source tree into a new folder, switches off the guard there, and removes the folder after use.
 * @param mutant undefined means the unchanged tree
 * @param use called with the folder
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
  // If node_modules is a link, .gitignore does not exclude it.
  const listing = ['ls-files', '-z', '--cached', '--others', '--exclude-standard', ':!node_modules'];
  const paths = execFileSync('git', listing, { cwd: ROOT, encoding: 'utf8' }).split('\0').filter(Boolean);
  for (const path of paths) {
    // Git still lists a file whose removal is not committed.
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
 * @returns file and name of the test that failed; undefined if all passed
 * @throws Error if the run failed although no test failed: the tree is broken, which proves nothing
 */
export async function failingTest(folder: string, tests: readonly string[]): Promise<string | undefined> {
  const report = join(folder, 'report.json');
  const vitest = join(folder, 'node_modules', 'vitest', 'vitest.mjs');
  // One thread without isolation: a process that is killed leaves no child process behind, and nothing is loaded twice.
  const frugal = ['--bail', '1', '--pool', 'threads', '--maxWorkers', '1', '--no-isolate'];
  const traceless = ['--no-cache', '--no-fsModuleCache', '--reporter', 'json', '--outputFile', report];
  const { ok, output } = await run(folder, [vitest, 'run', ...tests, ...frugal, ...traceless]);
  if (!existsSync(report)) throw new Error(`The test run wrote no report.\n${output}`);
  const { testResults } = JSON.parse(readFileSync(report, 'utf8')) as Report;
  for (const { name, assertionResults } of testResults) {
    const failed = assertionResults.find(({ status }) => status === 'failed');
    if (failed) return `${pathIn(folder, name)}: ${failed.fullName}`;
  }
  if (ok) return undefined;
  const messages = testResults.map(({ message }) => message).filter(Boolean);
  throw new Error(`The test run failed although no test failed.\n${messages.join('\n')}\n${output}`);
}

/** The path from `test/` on. On some systems the reporter uses a second name of the temporary folder. */
function pathIn(folder: string, file: string): string {
  const inside = relative(folder, file).split(sep).join('/');
  return inside.slice(Math.max(0, inside.indexOf('test/')));
}

/** @returns the first of the model's histories that breaks an invariant, with the invariant; undefined if none does */
export async function failingHistory(folder: string, histories: number): Promise<string | undefined> {
  const { ok, output } = await run(folder, [join(folder, relative(ROOT, MODEL)), String(histories)]);
  if (!ok) throw new Error(`The model could not be played.\n${output}`);
  return output || undefined;
}

/** The environment without the variables of a surrounding test run, which would change the inner one. */
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
