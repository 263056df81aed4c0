import { existsSync, globSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { ROOT } from './support.ts';

interface Step {
  readonly uses?: string;
  readonly id?: string;
  readonly run?: string;
  readonly with?: Readonly<Record<string, unknown>>;
}
interface Job {
  readonly if?: string;
  readonly needs?: string | readonly string[];
  readonly uses?: string;
  readonly permissions?: Readonly<Record<string, string>>;
  readonly environment?: string;
  readonly outputs?: Readonly<Record<string, string>>;
  readonly steps?: readonly Step[];
}
interface Workflow {
  readonly on: Readonly<Record<string, { branches?: readonly string[] } | null>>;
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
  expect([...texts.keys()]).toEqual(['ci.yml', 'deploy.yml', 'fuzz.yml']));

describe('rights', () => {
  test.each([...texts.keys()])('%s gives all jobs together no permission', (name) => {
    expect(workflow(name).permissions).toEqual({});
  });

  test.each(jobs)('%s can read the sources, and get a token if it signs in to Azure', (_, job) => {
    const signsIn = (job.steps ?? []).some(({ uses }) => uses?.startsWith('azure/login@'));
    expect(job.permissions).toEqual({ contents: 'read', ...(signsIn && { 'id-token': 'write' }) });
  });

  test.each(jobs)('%s installs and builds nothing if it can get a token', (_, job) => {
    const commands = (job.steps ?? []).flatMap(({ run }) => run ?? []).join('\n');
    if (job.permissions?.['id-token'] !== undefined) expect(commands).not.toMatch(/\b(npm|npx|yarn|pnpm)\b/);
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
    expect(commands('test')).toEqual(['npm ci', 'npm run check', 'npm run build', 'npm test']);
    expect(commands('infra')).toContain('npm run infra');
    expect(commands('audit')).toEqual(['npm audit --audit-level=high']);
  });
});

describe('deployment', () => {
  const { on, jobs: parts } = workflow('deploy.yml');

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

  test('signs in again after the deployment, which may take long, and before the upload to storage', () => {
    const all = parts.deploy?.steps ?? [];
    const at = (what: RegExp) => all.findIndex(({ run }) => what.test(run ?? ''));
    const logins = all.filter(({ uses }) => uses?.startsWith('azure/login@'));
    const between = all.slice(at(/deployment group create/), at(/dist-upload/));
    expect(between.filter((step) => logins.includes(step))).toHaveLength(1);
    expect(logins.map((step) => step.with)).toEqual([logins[0]?.with, logins[0]?.with]);
  });
});
