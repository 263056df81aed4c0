import { existsSync, globSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { releaseFiles } from '../../scripts/build/releaseFiles.ts';
import { ROOT } from './support.ts';

interface Step {
  readonly uses?: string;
  readonly id?: string;
  readonly run?: string;
  readonly with?: Readonly<Record<string, unknown>>;
}
interface Job {
  readonly if?: string;
  readonly 'continue-on-error'?: boolean;
  readonly concurrency?: object;
  readonly needs?: string | readonly string[];
  readonly uses?: string;
  readonly permissions?: Readonly<Record<string, string>>;
  readonly environment?: string;
  readonly outputs?: Readonly<Record<string, string>>;
  readonly steps?: readonly Step[];
}
interface Workflow {
  readonly on: Readonly<Record<string, { branches?: readonly string[]; tags?: readonly string[] } | null>>;
  readonly permissions: object;
  readonly jobs: Readonly<Record<string, Job>>;
}

const files = globSync(join(ROOT, '.github/workflows/*.yml')).toSorted();
const texts = new Map(files.map((file) => [basename(file), readFileSync(file, 'utf8')]));
const workflow = (name: string): Workflow => parse(texts.get(name) ?? '');
const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));

const jobs = [...texts.keys()].flatMap((name) =>
  Object.entries(workflow(name).jobs).map(([job, content]) => [`${name}: ${job}`, content] as const),
);
const steps = jobs.flatMap(([name, job]) => (job.steps ?? []).map((step) => [name, step] as const));
const runs = steps.flatMap(([name, { run }]) => (run ? [[name, run] as const] : []));

test('the repository has exactly these workflows', () =>
  expect([...texts.keys()]).toEqual(['ci.yml', 'deploy.yml', 'fuzz.yml', 'release.yml']));

describe('rights', () => {
  test.each([...texts.keys()])('%s gives all jobs together no permission', (name) => {
    expect(workflow(name).permissions).toEqual({});
  });

  const others = jobs.filter(([name]) => name !== 'release.yml: publish');

  test.each(others)('%s can read the sources, and get a token if it signs in to Azure', (_, job) => {
    const signsIn = (job.steps ?? []).some(({ uses }) => uses?.startsWith('azure/login@'));
    expect(job.permissions).toEqual({ contents: 'read', ...(signsIn && { 'id-token': 'write' }) });
  });

  test.each(jobs)('%s installs and builds nothing if it can get a token', (_, job) => {
    const commands = (job.steps ?? []).flatMap(({ run }) => run ?? []).join('\n');
    // A finished package is published without running anything of it.
    const others = commands.replaceAll('npm publish --ignore-scripts ', '').replaceAll('npm view ', '');
    if (job.permissions?.['id-token'] !== undefined) expect(others).not.toMatch(/\b(npm|npx|yarn|pnpm)\b/);
    else expect(commands).not.toMatch(/\baz /);
  });

  test.each([...texts])('%s holds and reads no secret', (_, text) => expect(text).not.toContain('secrets'));

  test('checkouts leave no token behind', () => {
    const checkouts = steps.filter(([, { uses }]) => uses?.startsWith('actions/checkout@'));
    expect(checkouts.length).toBeGreaterThan(3);
    for (const [, step] of checkouts) expect(step.with).toMatchObject({ 'persist-credentials': false });
  });

  test.each(runs)('%s puts no expression into a command: %s', (_, run) => expect(run).not.toContain('${{'));
});

test.each([...texts])('%s pins each action to a commit and names its version', (_, text) => {
  const used = [...text.matchAll(/uses: (.*)/g)].map(([, action]) => action ?? '');
  const loose = used.filter((action) => !/^[\w-]+\/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/.test(action));
  expect(loose.filter((action) => action !== './.github/workflows/ci.yml')).toEqual([]);
});

describe('the commands of the workflows', () => {
  const called = runs.flatMap(([, run]) =>
    [...run.matchAll(/npm run ([\w:]+)/g)].map(([, script]) => script ?? ''),
  );

  test('run npm scripts that exist', () => {
    expect(called).toEqual(expect.arrayContaining(['check', 'build', 'infra', 'build:upload']));
    expect(called.filter((script) => !(script in scripts))).toEqual([]);
  });

  test('name files that exist', () => {
    const named = runs.flatMap(([, run]) => run.match(/infra\/[\w./-]+/g) ?? []);
    expect(named.length).toBeGreaterThan(1);
    expect(named.filter((file) => !existsSync(join(ROOT, file)))).toEqual([]);
  });

  test('check each pull request: checks, tests, infrastructure, and advisories apart from them', () => {
    const ci = workflow('ci.yml');
    expect(Object.keys(ci.on)).toEqual(['pull_request', 'workflow_call']);
    const commands = (job: string) => ci.jobs[job]?.steps?.flatMap(({ run }) => run ?? []);
    expect(commands('test')).toEqual([
      'npm ci',
      'npm run check',
      'npm run build',
      'npm test',
      'npm run test:slow',
    ]);
    expect(commands('infra')).toContain('npm run infra');
    const mayFail = Object.entries(ci.jobs).filter(([, job]) => job['continue-on-error']);
    expect(mayFail.map(([name]) => name)).toEqual(['psrule', 'audit']);
    expect(commands('audit')).toEqual([
      'npm audit --audit-level=high',
      'npm audit --audit-level=high --prefix tools',
    ]);
  });
});

describe('deployment', () => {
  const { on, jobs: parts } = workflow('deploy.yml');

  test('ends only when the app has answered', () => {
    const last = parts.deploy?.steps?.at(-1)?.run;
    expect(last).toMatch(/^curl --fail .*"\$AZURE_FUNCTION_APP_URL\/api\/health"$/);
  });

  test('is never cancelled by the next one, and never runs beside it', () => {
    expect(parts.deploy?.concurrency).toEqual({ group: 'deploy', 'cancel-in-progress': false });
  });

  test('keeps the variables by which the parameters know a pipeline and a pull request', () => {
    expect(texts.get('deploy.yml')).not.toMatch(/^ +(CI|TF_BUILD|GITHUB_\w+):/m);
  });

  test('happens on main only, after the tests, in an environment that can be protected', () => {
    expect(on.push?.branches).toEqual(['main']);
    expect(parts.verify?.uses).toBe('./.github/workflows/ci.yml');
    expect(parts.deploy).toMatchObject({ needs: ['verify', 'build'], environment: 'production' });
    expect(parts.deploy?.if).toContain("github.ref == 'refs/heads/main'");
    expect(parts.build?.if).toBe(parts.deploy?.if);
  });

  test('takes the package from the job that built it, by the id of the artifact', () => {
    const upload = parts.build?.steps?.find(({ uses }) => uses?.startsWith('actions/upload-artifact@'));
    expect(upload).toMatchObject({ id: 'upload', with: { path: 'dist.zip\ndist-upload/index.js\n' } });
    expect(parts.build?.outputs).toEqual({
      artifact: expect.stringContaining(' steps.upload.outputs.artifact-id '),
    });
    const download = parts.deploy?.steps?.find(({ uses }) => uses?.startsWith('actions/download-artifact@'));
    expect(download?.with).toEqual({
      'artifact-ids': expect.stringContaining(' needs.build.outputs.artifact '),
    });
    const commands = (parts.deploy?.steps ?? []).flatMap(({ run }) => run ?? []).join('\n');
    expect(commands).toContain('node dist-upload/index.js');
    expect(commands).toContain('--src dist.zip');
  });

  test('a pull request gets a what-if by another identity, never a deployment', () => {
    const whatIf = parts['what-if'];
    expect(whatIf?.if).toContain("github.event_name == 'pull_request'");
    expect(whatIf?.if).toContain('head.repo.full_name == github.repository');
    const commands = (whatIf?.steps ?? []).flatMap(({ run }) => run ?? []).join('\n');
    expect(commands).toContain('az deployment group what-if');
    expect(commands).toContain('$GITHUB_STEP_SUMMARY');
    expect(commands).not.toMatch(/ create | config-zip /);
    const identity = (job: string) =>
      parts[job]?.steps?.find(({ uses }) => uses?.startsWith('azure/login@'))?.with?.['client-id'];
    expect(identity('what-if')).not.toBe(identity('deploy'));
    expect(parts.verify?.if).toBe("github.event_name != 'pull_request'");
  });

  test('signs in again after each step that may take long', () => {
    const all = parts.deploy?.steps ?? [];
    const logins = all.filter(({ uses }) => uses?.startsWith('azure/login@'));
    const kinds = all.flatMap(({ uses, run = '' }) => {
      if (uses?.startsWith('azure/login@')) return 'login';
      return /deployment group create|dist-upload|config-zip/.exec(run)?.[0] ?? [];
    });
    expect(kinds).toEqual([
      ...['login', 'deployment group create'],
      ...['login', 'dist-upload'],
      ...['login', 'config-zip'],
    ]);
    expect(new Set(logins.map((step) => JSON.stringify(step.with))).size).toBe(1);
  });

  test('repeats what may fail until roles have spread, and shows the warnings of the deployment', () => {
    const commands = (parts.deploy?.steps ?? []).flatMap(({ run }) => run ?? []).join('\n');
    const azure = [...commands.matchAll(/^.*\baz .*$/gm)].map(([line]) => line);
    expect(azure).toHaveLength(2);
    expect(azure.filter((line) => !line.includes('node scripts/deployRetrying.ts az '))).toEqual([]);
    expect(commands).toContain('::warning::');
  });

  test('signs in with an action that runs on a current Node', () => {
    expect(texts.get('deploy.yml')).toMatch(/azure\/login@[0-9a-f]{40} # v3\./);
  });
});

describe('a release', () => {
  const { on, jobs: parts } = workflow('release.yml');
  const commands = (job: string) => (parts[job]?.steps ?? []).flatMap(({ run }) => run ?? []).join('\n');

  test('is made from a tag, after all checks, in an environment that can be protected', () => {
    expect(on.push).toEqual({ tags: ['v*.*.*'] });
    expect(parts.verify?.uses).toBe('./.github/workflows/ci.yml');
    expect(parts.publish).toMatchObject({ needs: ['verify', 'build'], environment: 'release' });
  });

  test('is published by a job that builds nothing and may do nothing else', () => {
    expect(parts.publish?.permissions).toEqual({
      attestations: 'write',
      contents: 'write',
      'id-token': 'write',
    });
    const used = (parts.publish?.steps ?? []).flatMap(({ uses }) => uses?.split('@')[0] ?? []);
    expect(used).toEqual([
      'actions/setup-node',
      'actions/download-artifact',
      'actions/attest-build-provenance',
    ]);
  });

  test('has the package, the template, checksums, bill of materials and provenance, and the npm packages', () => {
    expect(commands('build')).toContain('npm run build:release');
    for (const file of ['dist.zip', 'azuredeploy.json', 'sbom.cdx.json', 'SHA256SUMS', './*.tgz'])
      expect(/gh release create .*/.exec(commands('publish'))?.[0]).toContain(` ${file}`);
    expect(parts.publish?.steps?.find(({ uses }) => uses?.includes('attest'))?.with).toEqual({
      'subject-checksums': 'SHA256SUMS',
    });
    expect(commands('publish')).toContain('npm publish');
  });

  test('goes on where a run that failed had stopped', () => {
    const publications = /git\/refs"|gh release create|npm publish/;
    const lines = commands('publish')
      .split('\n')
      .filter((line) => publications.test(line));
    expect(lines).toHaveLength(3);
    expect(
      lines.filter((line) => !/^ *(gh api|gh release view|npm view) .* \|\| (gh|npm) /.test(line)),
    ).toEqual([]);
  });

  const release = {
    repository: 'contoso/rotator',
    tag: 'v1.2.3',
    version: '1.2.3',
    template: '{"parameters":{"packageUri":{"type":"string","defaultValue":""}}}',
    built: { 'dist.zip': Buffer.from('zip') },
  };

  test('puts the template where the portal can read it, with the address of the package in it', () => {
    expect(commands('publish')).toContain('refs/tags/template-$GITHUB_REF_NAME');
    const files = releaseFiles(release);
    const { packageUri } = JSON.parse(String(files['azuredeploy.json'])).parameters;
    expect(packageUri.defaultValue).toBe(
      'https://github.com/contoso/rotator/releases/download/v1.2.3/dist.zip',
    );
    expect(String(files['notes.md'])).toContain(
      `uri/${encodeURIComponent('https://raw.githubusercontent.com/contoso/rotator/refs/tags/template-v1.2.3/azuredeploy.json')})`,
    );
  });

  test('has a checksum for each file', () => {
    const files = releaseFiles(release);
    const sums = String(files.SHA256SUMS).trimEnd().split('\n');
    expect(sums.map((line) => line.slice(66))).toEqual(['dist.zip', 'azuredeploy.json']);
    expect(sums[0]).toMatch(
      /^4a70fe9aa6436e02c2dea340fbd1e352e4ef2d8ce6ca52ad25d4b95471fc8bf2 {2}dist\.zip$/,
    );
  });

  test.each([
    ['another tag', { tag: 'v1.2.4' }, 'Tag v1.2.3'],
    ['no repository', { repository: '' }, 'Set GITHUB_REPOSITORY'],
    ['a template without the parameter', { template: '{}' }, 'has no parameter packageUri'],
  ])('is refused with %s', (_, wrong, message) => {
    expect(() => releaseFiles({ ...release, ...wrong })).toThrow(message);
  });
});

test('Dependabot keeps actions, npm packages and the Bicep CLI current', () => {
  const { updates } = parse(readFileSync(join(ROOT, '.github/dependabot.yml'), 'utf8'));
  const watched = (
    updates as { 'package-ecosystem': string; directory?: string; directories?: string[] }[]
  ).map(({ directory, directories = [directory], ...update }) => [
    update['package-ecosystem'],
    ...directories,
  ]);
  expect(watched).toEqual([
    ['github-actions', '/'],
    ['npm', '/', '/tools'],
    ['nuget', '/infra'],
  ]);
});

test('PSRule checks the deployments that the tests predict', () => {
  const rules = workflow('ci.yml').jobs.psrule?.steps?.find(({ uses }) =>
    uses?.startsWith('microsoft/ps-rule@'),
  );
  expect(rules?.with).toMatchObject({ modules: 'PSRule.Rules.Azure', inputPath: 'test/infra/parameters/' });
  const { input } = parse(readFileSync(join(ROOT, 'ps-rule.yaml'), 'utf8'));
  const files = (input.pathIgnore as string[]).flatMap((path) => (path.startsWith('!') ? path.slice(1) : []));
  expect(files).toHaveLength(2);
  expect(files.filter((file) => !existsSync(join(ROOT, file)))).toEqual([]);
});
