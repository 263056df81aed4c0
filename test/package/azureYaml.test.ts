import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
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
  expect(scripts.build).toBe('node scripts/build.ts');
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
