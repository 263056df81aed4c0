import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

const read = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
const { dependencies } = JSON.parse(read('package.json')) as { dependencies: Record<string, string> };
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

/** `protobufjs` only prints a notice and `esbuild` only gets faster: both work after `npm ci --ignore-scripts`. */
const HARMLESS = ['node_modules/esbuild', 'node_modules/protobufjs'];

test('only packages that work without their install script have one', () => {
  const scripted = Object.entries(lock.packages).filter(([, { hasInstallScript }]) => hasInstallScript);
  const unknown = scripted.map(([path]) => path).filter((path) => !HARMLESS.includes(path));
  expect(scripted.length).toBeGreaterThan(0);
  expect(
    unknown,
    'Check whether they work after "npm ci --ignore-scripts". If they do, name them in docs/dependencies.md and here.',
  ).toEqual([]);
});
