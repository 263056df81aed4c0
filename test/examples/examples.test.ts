import { cp, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { startStack } from '../../local/stack.ts';
import { nextToken } from '../faults/process/stage.ts';
import { type Installation, installConsumer, ROOT } from './installConsumer.ts';
import { runProgram } from './runProgram.ts';
import { type ExampleStage, startStage } from './stage.ts';

const HELLO = { code: 0, output: '200 {"hello":"consumer"}\n' };
const ON_ANY_MACHINE = 300_000;

describe('each example calls an API with the published token', () => {
  let stage: ExampleStage;
  let installation: Installation;
  beforeAll(async () => {
    [stage, installation] = await Promise.all([startStage(), installConsumer()]);
  });
  afterAll(() => Promise.all([stage.close(), installation.close()]));

  test.each(['node-fetch.ts', 'node-azure-sdk.ts'])('%s', async (name) => {
    const program = await installation.example(name);
    const options = { cwd: installation.directory, env: stage.environment };
    expect(await runProgram(process.execPath, [program], options)).toEqual(HELLO);
  });

  test('csharp', { timeout: ON_ANY_MACHINE }, async ({ skip }) => {
    const directory = await copyOf('csharp');
    const run = (args: string[], more: NodeJS.ProcessEnv = {}) => {
      const env = { ...process.env, DOTNET_CLI_TELEMETRY_OPTOUT: '1', DOTNET_NOLOGO: '1', ...more };
      return runProgram('dotnet', args, { cwd: directory, env });
    };
    const restored = await run(['restore']);
    if (restored.code !== 0 && process.env.REQUIRE_DOTNET !== '1') {
      skip('This machine has no .NET SDK 10 or cannot reach NuGet, so the C# example does not run.');
    }
    expect(restored, restored.output).toMatchObject({ code: 0 });
    const built = await run(['build', '--no-restore', '--output', 'out']);
    expect(built, built.output).toMatchObject({ code: 0 });
    expect(await run(['out/Consumer.dll'], stage.environment)).toEqual(HELLO);
  });

  test('python', async ({ skip }) => {
    const python = await pythonWithAzure();
    if (!python) {
      const message =
        'Python has no packages for Azure on this machine. Install python3-azure and python3-requests.';
      if (process.env.REQUIRE_PYTHON === '1') expect.fail(message);
      return skip(message);
    }
    const program = join(ROOT, 'examples/python/read_token.py');
    const { code, output } = await runProgram(python, [program], { env: stage.environment });
    // Older versions of the identity library log which variables it did not find.
    expect({ code, output }).toEqual({ code: 0, output: expect.stringContaining(HELLO.output) });
  });
});

/** Debian's packages are for its own Python, which need not be the first one on PATH. */
async function pythonWithAzure(): Promise<string | undefined> {
  const check = ['-c', 'import azure.identity, azure.keyvault.secrets, requests'];
  for (const python of ['python3', '/usr/bin/python3'])
    if ((await runProgram(python, check)).code === 0) return python;
  return undefined;
}

describe('npm run example', () => {
  const example = (args: readonly string[]) =>
    runProgram(process.execPath, [join(ROOT, 'scripts/example.ts'), ...args]);

  test('runs an example against a running stack', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'rotator-examples-'));
    onTestFinished(() => rm(directory, { recursive: true }));
    const stateFile = join(directory, 'stack.json');
    const stack = await startStack({ port: 0, onLine: () => {}, stateFile });
    onTestFinished(() => stack.close());
    await nextToken(stack.servers, 'demo-single-use');
    const program = join(ROOT, 'examples/node-fetch.ts');
    expect(await example(['--stack', stateFile, process.execPath, program])).toEqual(HELLO);
  });

  test('says what to do if no stack runs', async () => {
    const ended = await example(['--stack', '/missing.json', 'node', 'examples/node-fetch.ts']);
    expect(ended).toEqual({
      code: 1,
      output: expect.stringMatching(/^No local stack is running.* Run npm start/),
    });
  });
});

async function copyOf(example: string): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), `rotator-${example}-`));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  await cp(join(ROOT, 'examples', example), directory, { recursive: true });
  return directory;
}

describe('the Kubernetes manifests', () => {
  type Manifest = {
    apiVersion: string;
    kind: string;
    spec: { parameters?: { objects: string }; [more: string]: unknown };
    [more: string]: unknown;
  };

  async function manifests(name: string): Promise<Manifest[]> {
    const documents = parseAllDocuments(await readFile(join(ROOT, 'examples/kubernetes', name), 'utf8'));
    return documents.map((document) => {
      expect([...document.errors, ...document.warnings]).toEqual([]);
      return document.toJS();
    });
  }

  test('External Secrets copies the token every minute from its store to the volume of the pod', async () => {
    const all = await manifests('external-secrets.yaml');
    const [store, secret, pod] = all;
    expect(all.map(({ apiVersion, kind }) => `${apiVersion} ${kind}`)).toEqual([
      'external-secrets.io/v1 SecretStore',
      'external-secrets.io/v1 ExternalSecret',
      'v1 Pod',
    ]);
    expect(secret).toMatchObject({
      spec: {
        refreshInterval: '1m',
        secretStoreRef: { kind: 'SecretStore', name: 'token-vault' },
        target: { name: 'dynamics-prod' },
        data: [{ remoteRef: { key: 'dynamics-prod-access-token' } }],
      },
    });
    expect(store).toMatchObject({ metadata: { name: 'token-vault' } });
    expect(pod).toMatchObject({ spec: { volumes: [{ secret: { secretName: 'dynamics-prod' } }] } });
  });

  test('the CSI driver rotates every minute', async () => {
    const [secretClass, pod] = await manifests('secrets-store-csi.yaml');
    expect(secretClass).toMatchObject({
      apiVersion: 'secrets-store.csi.x-k8s.io/v1',
      kind: 'SecretProviderClass',
      metadata: { name: 'dynamics-prod' },
    });
    const { array } = parse(secretClass?.spec.parameters?.objects ?? '') as { array: string[] };
    expect(array.map((text) => parse(text))).toEqual([
      { objectName: 'dynamics-prod-access-token', objectType: 'secret' },
    ]);
    const volumeAttributes = { secretProviderClass: 'dynamics-prod' };
    expect(pod).toMatchObject({ spec: { volumes: [{ csi: { volumeAttributes } }] } });
    expect(await manifests('secrets-store-csi-values.yaml')).toEqual([
      { 'secrets-store-csi-driver': { enableSecretRotation: true, rotationPollInterval: '1m' } },
    ]);
  });
});
