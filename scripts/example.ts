/**
 * Runs an example against the stack that `npm start` runs, with a token of demo-single-use and an API that accepts it:
 * `npm run example -- node examples/node-fetch.ts`. With `--stack FILE` first, it uses the stack that wrote FILE.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { STACK_FILE } from '../cli/localStack.ts';
import { readLocalStack } from '../cli/readLocalStack.ts';
import { RotatorError } from '../lib/errors.ts';
import { exampleEnvironment, startExampleApi } from '../local/exampleApi.ts';
import { createCertificateAuthority } from '../local/keyVault/certificateAuthority.ts';
import { buildReader, READER } from './build/npmPackages.ts';

const ROOT = fileURLToPath(new URL('../', import.meta.url));
const CONNECTION = 'demo-single-use';

async function run(stateFile: string, [command = '', ...args]: readonly string[]): Promise<number> {
  const { environment, authorization } = readLocalStack(stateFile);
  const { TOKEN_VAULT_URL = '', IDENTITY_ENDPOINT = '', IDENTITY_HEADER = '' } = environment;
  // Where Node looks for it when an example imports it.
  if (args.some((arg) => arg.endsWith('.ts')))
    await buildReader(ROOT, join(ROOT, 'examples/node_modules', READER));
  const discovery = await fetch(`${authorization.issuer}/.well-known/openid-configuration`);
  const { userinfo_endpoint } = (await discovery.json()) as { userinfo_endpoint: string };
  const authority = await createCertificateAuthority();
  const api = await startExampleApi(await authority.issue(['127.0.0.1']), userinfo_endpoint);
  const folder = await mkdtemp(join(tmpdir(), 'rotator-example-'));
  try {
    const ca = join(folder, 'ca.pem');
    const ofStack = await readFile(environment.NODE_EXTRA_CA_CERTS ?? '', 'utf8');
    await writeFile(ca, `${ofStack}${authority.caCertificate}`);
    const settings = { TOKEN_VAULT_URL, IDENTITY_ENDPOINT, IDENTITY_HEADER };
    const env = { ...process.env, ...exampleEnvironment(settings, CONNECTION, api, ca) };
    const child = spawn(command, args, { env, stdio: 'inherit' });
    const [code] = await once(child, 'exit');
    return code ?? 1;
  } finally {
    await api.close();
    await rm(folder, { recursive: true });
  }
}

// The example receives Ctrl-C as well, and this process ends after it.
process.on('SIGINT', () => {});
const args = process.argv.slice(2);
const named = args[0] === '--stack';
try {
  if (args.length === 0) throw new Error('The command of the example is missing.');
  process.exitCode = await run(named ? (args[1] ?? '') : STACK_FILE, args.slice(named ? 2 : 0));
} catch (thrown) {
  const { message } = thrown as Error;
  const fix = thrown instanceof RotatorError ? thrown.fix : 'Run it as examples/README.md shows.';
  console.error(`${message} ${fix}`);
  process.exitCode = 1;
}
