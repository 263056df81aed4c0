import { cp, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
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
    const program = join(ROOT, 'examples/python/read_token.py');
    const check = 'import ast, sys; ast.parse(open(sys.argv[1]).read())';
    const { code } = await runProgram('python3', ['-c', check, program]);
    if (code === undefined) skip('This machine has no Python, so the Python example does not run.');
    expect(code).toBe(0);
    const packages = await runProgram('python3', [
      '-c',
      'import azure.identity, azure.keyvault.secrets, requests',
    ]);
    if (packages.code !== 0)
      skip('The Azure packages of Python are not installed, so the example is only parsed.');
    expect(await runProgram('python3', [program], { env: stage.environment })).toEqual(HELLO);
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
