/**
 * Puts everything that a release consists of into dist-release/, after `npm run build`: the package, the compiled template, the bill of
 * materials, the npm packages, their checksums, and the notes with the button "Deploy to Azure". It reads GITHUB_REPOSITORY (owner/name)
 * and GITHUB_REF_NAME (the tag, v and the version of package.json).
 */
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { findBicep, ROOT } from '../test/infra/support/bicepCli.ts';
import { releaseFiles } from './build/releaseFiles.ts';

const read = (path: string) => readFileSync(join(ROOT, path));
const folder = join(ROOT, 'dist-release');

try {
  const files = releaseFiles({
    repository: process.env.GITHUB_REPOSITORY ?? '',
    tag: process.env.GITHUB_REF_NAME ?? '',
    version: JSON.parse(read('package.json').toString()).version,
    template: compiled(),
    built: {
      'dist.zip': read('dist.zip'),
      'sbom.cdx.json': read('dist/sbom.cdx.json'),
      ...Object.fromEntries(
        readdirSync(join(ROOT, 'dist-npm'))
          .filter((name) => name.endsWith('.tgz'))
          .map((name) => [name, read(`dist-npm/${name}`)]),
      ),
    },
  });
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder);
  for (const [name, content] of Object.entries(files)) await writeFile(join(folder, name), content);
  console.log(`dist-release: ${Object.keys(files).join(', ')}`);
} catch (error) {
  console.error(`Could not build the release. ${error instanceof Error ? error.message : error}`);
  process.exitCode = 1;
}

function compiled(): string {
  const { path, missing } = findBicep();
  if (path === undefined) throw new Error(`Cannot compile the template: ${missing}.`);
  const build = ['build', join(ROOT, 'infra', 'main.bicep'), '--stdout'];
  const { status, stdout, stderr } = spawnSync(path, build, {
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  });
  if (status !== 0) throw new Error(`The template does not compile: ${stderr}`);
  return stdout;
}
