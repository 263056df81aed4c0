/**
 * Checks the Bicep: builds it, compares the predicted deployment with everything switched on with the snapshot, and runs all tests in
 * test/infra without skipping any. A warning of the compiler or of a linter rule is an error, unless it depends on the date. With --write, it formats the files and
 * writes the snapshot instead; other options are passed on to the tests.
 */
import { spawnSync } from 'node:child_process';
import { globSync } from 'node:fs';
import { join } from 'node:path';
import { buildFindings, findBicep, ROOT } from '../test/infra/support/bicepCli.ts';
import { TARGET } from '../test/infra/support/bicepServer.ts';
import { parameterFile } from '../test/infra/support/deployment.ts';
import { installTools } from './installTools.ts';

const MAIN = join('infra', 'main.bicep');
const WHERE = [
  ...['--subscription-id', TARGET.subscriptionId, '--tenant-id', TARGET.tenantId],
  ...['--resource-group', TARGET.resourceGroup, '--location', TARGET.location],
];

const { path, missing } = findBicep();
if (path === undefined) {
  console.error(`Cannot check the Bicep: ${missing}.`);
  process.exitCode = 1;
} else if (process.argv.includes('--write')) {
  format(path);
  snapshot(path, 'overwrite');
} else if (builds(path) && snapshot(path, 'validate') && installTools()) {
  const vitest = join('node_modules', 'vitest', 'vitest.mjs');
  const options = [vitest, 'run', '--project=infra', ...process.argv.slice(2)];
  succeeds(process.execPath, options, { REQUIRE_BICEP: '1', REQUIRE_TOOLS: '1' });
}

function format(bicep: string): void {
  const files = ['infra/**/*.bicep', 'infra/*.bicepparam', 'test/infra/parameters/*.bicepparam'];
  for (const file of globSync(files, { cwd: ROOT })) succeeds(bicep, ['format', file]);
}

function builds(bicep: string): boolean {
  const { built, findings, dated } = buildFindings(bicep, join(ROOT, MAIN));
  // GitHub shows such a line in the summary of the run.
  const prefix = process.env.GITHUB_ACTIONS ? '::warning::' : 'Warning: ';
  for (const finding of dated) console.log(`${prefix}${finding}`);
  for (const finding of findings) console.error(finding);
  if (built && findings.length === 0) return true;
  console.error(`${MAIN} builds with warnings; fix them.`);
  process.exitCode = 1;
  return false;
}

function snapshot(bicep: string, mode: 'validate' | 'overwrite'): boolean {
  return succeeds(bicep, ['snapshot', parameterFile('production'), '--mode', mode, ...WHERE]);
}

function succeeds(
  command: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): boolean {
  const { status } = spawnSync(command, args, {
    cwd: ROOT,
    stdio: 'inherit',
    env: { ...process.env, ...env },
  });
  if (status !== 0) process.exitCode = 1;
  return status === 0;
}
