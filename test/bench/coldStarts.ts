/**
 * Starts cold processes in turn and prints how long each kind took, as JSON. A process of its own, because a large one starts others
 * slowly. `@azure/functions-core` is a stand-in, as the Functions worker provides it: without one, the library writes warnings.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Seconds of each start. */
export type ColdStarts = Readonly<Record<'bare' | 'bundle' | 'signedIn' | 'source', readonly number[]>>;

const ROUNDS = 11;
const CORE = `
  exports.version = exports.hostVersion = '4.0.0';
  exports.Disposable = class {};
  exports.registerFunction = exports.registerHook = () => ({ dispose() {} });
  exports.setProgrammingModel = exports.getProgrammingModel = exports.log = () => undefined;
`;

const at = (path: string) => JSON.stringify(fileURLToPath(new URL(`../../${path}`, import.meta.url)));
const programs = {
  bare: '',
  bundle: `require(${at('dist/index.js')})`,
  signedIn: `require(${at('dist/index.js')}); import(${at('dist/identity.js')})`,
  source: `import(${at('functions/index.ts')})`,
};

const folder = mkdtempSync(join(tmpdir(), 'rotator-cold-'));
try {
  const core = join(folder, '@azure/functions-core');
  mkdirSync(core, { recursive: true });
  writeFileSync(join(core, 'index.js'), CORE);
  const times = Object.fromEntries(Object.keys(programs).map((name): [string, number[]] => [name, []]));
  for (let round = 0; round < ROUNDS; round++)
    for (const [name, program] of Object.entries(programs)) {
      const startedAt = performance.now();
      const { status, stderr } = spawnSync(process.execPath, ['-e', program], {
        cwd: folder,
        env: { PATH: process.env.PATH, NODE_PATH: folder },
        stdio: ['ignore', 'ignore', 'pipe'],
        encoding: 'utf8',
      });
      if (status !== 0 || stderr !== '') throw new Error(`The start of "${name}" failed: ${stderr}`);
      times[name]?.push((performance.now() - startedAt) / 1000);
    }
  process.stdout.write(JSON.stringify(times));
} finally {
  rmSync(folder, { recursive: true });
}
