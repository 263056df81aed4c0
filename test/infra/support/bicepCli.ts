import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const PROJECT = join(ROOT, 'infra', 'bicep.csproj');
const BINARY = process.platform === 'win32' ? 'bicep.exe' : 'bicep';

/** The path of the Bicep CLI, or the reason why it is missing. */
export type BicepCli =
  | { readonly path: string; readonly missing?: undefined }
  | { readonly path?: undefined; readonly missing: string };

/**
 * The Bicep CLI of the version that `infra/bicep.csproj` names, restored with the .NET SDK if it is missing. Otherwise
 * the one on PATH or of the Azure CLI, if it is not older.
 */
export function findBicep(): BicepCli {
  const wanted = /Version="\[(.+?)\]"/.exec(readFileSync(PROJECT, 'utf8'))?.[1] ?? '';
  const restored = restoredBicep(wanted);
  if (existsSync(restored) || restore(restored)) return { path: restored };
  const path = [BINARY, join(homedir(), '.azure', 'bin', BINARY)].find((other) => isCurrent(other, wanted));
  if (path !== undefined) return { path };
  const missing = `found no Bicep CLI ${wanted} or newer on PATH or in "az bicep", and "dotnet restore infra/bicep.csproj" could not install one`;
  return { missing };
}

/** The layout of NuGet packages: lower-case name, version, content. */
function restoredBicep(version: string): string {
  const os = { win32: 'win', darwin: 'osx' }[process.platform as string] ?? 'linux';
  const name = `azure.bicep.commandline.${os}-${process.arch}`;
  return join(ROOT, '.local', 'bicep', name, version, 'tools', BINARY);
}

/**
 * The rule that finds an API version two years old in an unchanged file: its findings come with the date. They are shown, and stop
 * neither the checks nor the deployment that waits for these.
 */
export const DEPENDS_ON_DATE = 'use-recent-api-versions';

/**
 * Builds a file and reads the report: warnings alone leave the exit code at 0. Here, each warning is a defect, except for `dated` ones.
 * Operators who deploy with a newer Bicep, which may have more rules, only see the warning.
 */
export function buildFindings(
  bicep: string,
  file: string,
): { built: boolean; findings: string[]; dated: string[] } {
  const build = ['build', file, '--stdout', '--diagnostics-format', 'sarif'];
  const { status, stderr } = spawnSync(bicep, build, { encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 });
  const { runs } = JSON.parse(stderr.slice(stderr.indexOf('{')));
  const results: { ruleId: string; message: { text: string } }[] = runs[0].results;
  const { findings = [], dated = [] } = Object.groupBy(results, ({ ruleId }) =>
    ruleId === DEPENDS_ON_DATE ? 'dated' : 'findings',
  );
  const said = (each: typeof results) => each.map(({ ruleId, message }) => `${ruleId}: ${message.text}`);
  return { built: status === 0, findings: said(findings), dated: said(dated) };
}

/** Several test processes may do this at the same time, so each has its own folder for the notes of the restore. */
function restore(wanted: string): boolean {
  const notes = mkdtempSync(join(tmpdir(), 'bicep-restore-'));
  try {
    const options = ['--verbosity', 'quiet', `-p:BaseIntermediateOutputPath=${notes}/`];
    spawnSync('dotnet', ['restore', PROJECT, ...options], { stdio: 'ignore', timeout: 120_000 });
    return existsSync(wanted);
  } finally {
    rmSync(notes, { recursive: true, force: true });
  }
}

function isCurrent(path: string, wanted: string): boolean {
  const { stdout } = spawnSync(path, ['--version'], { encoding: 'utf8' });
  const version = /version (\d+\.\d+\.\d+)/.exec(stdout ?? '')?.[1];
  return version !== undefined && version.localeCompare(wanted, 'en', { numeric: true }) >= 0;
}

/**
 * The CLI for a test file. If it is undefined, skip the tests.
 * @throws Error if it is missing although REQUIRE_BICEP is set
 */
export function bicepForTests(): string | undefined {
  const { path, missing } = findBicep();
  if (path === undefined && process.env.REQUIRE_BICEP)
    throw new Error(`Install the Bicep CLI for the Bicep tests: ${missing}.`);
  if (path === undefined) console.warn(`Skipping the Bicep tests: ${missing}.`);
  return path;
}
