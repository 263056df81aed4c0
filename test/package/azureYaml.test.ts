import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { parse } from 'yaml';
import { ROOT } from './support.ts';

const project = parse(readFileSync(join(ROOT, 'azure.yaml'), 'utf8'));
const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));

test('azd deploys dist/ as it is to the function app, and infra/ with Bicep', () => {
  expect(project.services).toEqual({
    rotator: { project: '.', language: 'js', host: 'function', dist: 'dist', remoteBuild: false },
  });
  expect(project.infra).toEqual({ provider: 'bicep', path: 'infra', module: 'main' });
  expect(existsSync(join(ROOT, 'infra'))).toBe(true);
  // For the language js, azd runs this script automatically; without it, azd would deploy an old dist/.
  expect(scripts.build).toMatch(/ scripts\/build\.ts$/);
});

test('refuses an azd that does not know remoteBuild', () => {
  expect(project.requiredVersions).toEqual({ azd: '>= 1.23.5' });
});

test('each hook is one command that exists on Windows and Linux', () => {
  expect(Object.keys(project.hooks)).toEqual(['postprovision']);
  for (const { windows, posix } of Object.values<Record<string, { shell: string; run: string }>>(
    project.hooks,
  )) {
    expect([windows?.shell, posix?.shell]).toEqual(['pwsh', 'sh']);
    expect(windows?.run).toBe(posix?.run);
    expect(Object.keys(scripts)).toContain(/^npm run ([\w:]+)$/.exec(posix?.run ?? '')?.[1]);
  }
});

test.each([
  ['blob', 1, 'Run npm ci, then npm run connections:upload.'],
  ['inline', 0, ''],
])(
  'the hook says what is missing in a clone without packages, with the source %s',
  async (source, code, text) => {
    const clone = await mkdtemp(join(tmpdir(), 'clone-'));
    onTestFinished(() => rm(clone, { recursive: true }));
    await cp(join(ROOT, 'scripts/connectionsUpload.js'), join(clone, 'scripts/connectionsUpload.js'));
    await writeFile(join(clone, 'package.json'), '{"type":"module"}');
    const env = { ...process.env, CONNECTIONS_SOURCE: source };
    const { status, stderr } = spawnSync(process.execPath, ['scripts/connectionsUpload.js'], {
      cwd: clone,
      env,
    });
    expect(status).toBe(code);
    expect(String(stderr)).toContain(text);
    expect(String(stderr)).not.toContain('ERR_');
  },
);
