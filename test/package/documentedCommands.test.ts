import { exec, execFile } from 'node:child_process';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { ROOT } from './support.ts';

const DOCUMENTS = ['README.md', 'docs/deploy.md'];

const text = (file: string) => readFileSync(join(ROOT, file), 'utf8');
const { scripts } = JSON.parse(text('package.json'));

/** Each command in a `sh` block, with the document that contains it. */
const commands = DOCUMENTS.flatMap((file) =>
  [...text(file).matchAll(/```sh\n([\s\S]*?)```/g)].flatMap(([, block = '']) =>
    block.split(/\n|&&| \| /).flatMap((line) => (line.trim() ? [[file, line.trim()] as const] : [])),
  ),
);
const starting = (word: string) => commands.filter(([, command]) => command.startsWith(`${word} `));

test('the documents contain commands of each kind', () => {
  for (const tool of ['npm', 'npx', 'azd', 'az', 'curl', 'git']) expect(starting(tool), tool).not.toEqual([]);
  const known = /^(npm|npx|azd|az|curl|git) /;
  expect(commands.filter(([, command]) => !known.test(command))).toEqual([]);
});

test('docs/deploy.md names the command that lists the regions', () => {
  expect(text('docs/deploy.md')).toContain('`az functionapp list-flexconsumption-locations --output table`');
});

test('no command line holds a key', () => {
  expect(commands.filter(([, command]) => /x-functions-key: *[<$]/.test(command))).toEqual([]);
});

test.each(starting('npm'))('%s: %s is a script of package.json, or installs', (_, command) => {
  const script = /^npm (?:run )?([\w:]+)/.exec(command)?.[1] ?? '';
  expect(['ci', ...Object.keys(scripts)]).toContain(script);
});

test.each(starting('npx'))('%s: %s is an existing command with existing options', async (_, command) => {
  const [, name = ''] = /^npx rotator ([\w-]+)/.exec(command) ?? [];
  const { stdout } = await promisify(execFile)(process.execPath, ['cli/main.ts', name, '--help'], {
    cwd: ROOT,
  });
  const options = command.match(/--[\w-]+/g) ?? [];
  expect(stdout).toContain(`rotator ${name} `);
  expect(options.filter((option) => !stdout.includes(option))).toEqual([]);
});

test('npm run build, as documented, creates the zip that the documents deploy', async () => {
  const zip = join(ROOT, 'dist.zip');
  const begun = Date.now();
  const { stdout } = await promisify(exec)('npm run build', { cwd: ROOT });
  expect(stdout).toMatch(/^dist\.zip {2}\d+ KB/m);
  expect(statSync(zip).mtimeMs).toBeGreaterThanOrEqual(begun - 1000);
  const zips = starting('az').flatMap(([, command]) => /--src (\S+)/.exec(command)?.[1] ?? []);
  expect(new Set(zips)).toEqual(new Set(['dist.zip']));
});

test('npm run connections:upload, as documented, does nothing if there is nothing to upload', async () => {
  const env = { ...process.env, CONNECTIONS_SOURCE: 'inline' };
  const run = promisify(exec)('npm run connections:upload', { cwd: ROOT, env });
  expect((await run).stdout).toContain('there is no file to upload');
});

describe('what the documents say about infra/', () => {
  test('the files that commands name exist', () => {
    const named = commands.flatMap(([, command]) => command.match(/infra\/[\w./-]+/g) ?? []);
    expect(named).toContain('infra/main.bicepparam');
    expect(named.filter((file) => !existsSync(join(ROOT, file)))).toEqual([]);
  });

  test('parameters, outputs, variables and settings in code style exist', () => {
    const sources = [
      ...['infra/main.bicep', 'infra/main.bicepparam', 'scripts/buildRelease.ts'],
      ...['infra/modules/connection.bicep', 'infra/modules/alarms.bicep'],
      '.github/workflows/deploy.yml',
    ];
    const words = new Set(
      [...sources, 'lib/config/environment.ts', 'scripts/uploadConnections.ts'].flatMap(
        (file) => text(file).match(/\w+/g) ?? [],
      ),
    );
    const spoken = text('docs/deploy.md').match(/(?<=`)([a-z]+[A-Z]\w+|[A-Z]+_[A-Z_]+)(?=`)/g) ?? [];
    expect(spoken).toContain('updateStrategy');
    expect(spoken.filter((name) => !words.has(name))).toEqual([]);
  });
});
