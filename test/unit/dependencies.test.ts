import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

const read = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
const { dependencies } = JSON.parse(read('package.json')) as { dependencies: Record<string, string> };
const lock = JSON.parse(read('package-lock.json')) as {
  packages: Record<string, { hasInstallScript?: true }>;
};

test('each runtime dependency has a sentence in docs/dependencies.md that tells why it is there', () => {
  const rows = [...read('docs/dependencies.md').matchAll(/^\| `([^`]+)` \| (.{20,}) \|$/gm)].map(
    ([, name]) => name,
  );
  const hint =
    'Add a row "| `NAME` | why it is needed at run time |" to the table in docs/dependencies.md (or remove the row of one that is gone), in the order of package.json.';
  expect(rows, hint).toEqual(Object.keys(dependencies));
});

/** What the script of `protobufjs` prints and what `esbuild` gains in speed is not needed: both work after `npm ci --ignore-scripts`. */
const HARMLESS = ['node_modules/esbuild', 'node_modules/protobufjs'];

test('no package but those known to work without it wants to run a script at installation', () => {
  const scripted = Object.entries(lock.packages).filter(([, { hasInstallScript }]) => hasInstallScript);
  const unknown = scripted.map(([path]) => path).filter((path) => !HARMLESS.includes(path));
  expect(scripted.length).toBeGreaterThan(0);
  expect(
    unknown,
    'See whether they work after "npm ci --ignore-scripts"; then name them in docs/dependencies.md and here.',
  ).toEqual([]);
});
