import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

const read = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
const { dependencies, allowScripts } = JSON.parse(read('package.json')) as {
  dependencies: Record<string, string>;
  allowScripts: Record<string, boolean>;
};
const lock = JSON.parse(read('package-lock.json')) as {
  packages: Record<string, { hasInstallScript?: true }>;
};

test('docs/dependencies.md explains each runtime dependency', () => {
  const rows = [...read('docs/dependencies.md').matchAll(/^\| `([^`]+)` \| (.{20,}) \|$/gm)].map(
    ([, name]) => name,
  );
  const hint =
    'Add a row "| `NAME` | why it is needed at run time |" to the table in docs/dependencies.md (or remove the row of one that is gone), in the order of package.json.';
  expect(rows, hint).toEqual(Object.keys(dependencies));
});

test('npm runs the install script of no package, and prints no warning about it', () => {
  const scripted = Object.entries(lock.packages).filter(([, { hasInstallScript }]) => hasInstallScript);
  const denied = Object.keys(allowScripts).filter((name) => allowScripts[name] === false);
  expect(
    scripted.map(([path]) => path),
    'Check whether they work after "npm ci --ignore-scripts". If they do, name them in docs/dependencies.md and in allowScripts of package.json.',
  ).toEqual(denied.map((name) => `node_modules/${name}`));
});
