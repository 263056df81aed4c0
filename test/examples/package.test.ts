import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Installation, installConsumer, ROOT } from './installConsumer.ts';
import { runProgram } from './runProgram.ts';

let installation: Installation;
beforeAll(async () => {
  installation = await installConsumer();
});
afterAll(() => installation.close());

const run = (args: string[]) => runProgram(process.execPath, args, { cwd: installation.directory });

test('a plain Node program outside the repository imports the package', async () => {
  const program = `import * as reader from 'key-vault-token-reader'; import * as more from 'key-vault-token-reader/undici'; console.log(Object.keys(reader).sort().join(), ...Object.keys(more));`;
  await writeFile(join(installation.directory, 'program.mjs'), program);
  expect(await run(['--no-strip-types', 'program.mjs'])).toEqual({
    code: 0,
    output: 'TokenUnavailable,createTokenReader,fetchWithToken,tokenCredential tokenInterceptor\n',
  });
});

test('its declarations compile, and the compiler finds a wrong use', async () => {
  const program = (options: string) => `
    import type { TokenCredential } from '@azure/identity';
    import { createTokenReader, fetchWithToken, tokenCredential } from 'key-vault-token-reader';
    import { tokenInterceptor } from 'key-vault-token-reader/undici';
    import { Agent } from 'undici';
    declare const credential: TokenCredential;
    const reader = createTokenReader({ vaultUrl: 'https://a', ${options} });
    const sdk: TokenCredential = tokenCredential(reader);
    const send: typeof fetch = fetchWithToken(reader, 'https://b');
    const agent = new Agent().compose(tokenInterceptor(reader, 'https://b'));
    const { token, expiresAt }: { token: string; expiresAt: number } = await reader.get();
    console.log(sdk, send, agent, token, expiresAt);`;
  await writeFile(join(installation.directory, 'right.mts'), program("connection: 'c', credential"));
  await writeFile(join(installation.directory, 'wrong.mts'), program('credential'));
  const compiler = join(ROOT, 'node_modules/typescript/bin/tsc');
  const check = ['--noEmit', '--strict', '--module', 'nodenext', '--target', 'es2024', '--types', 'node'];
  expect(await run([compiler, ...check, 'right.mts'])).toEqual({ code: 0, output: '' });
  const wrong = await run([compiler, ...check, 'wrong.mts']);
  expect(wrong).toMatchObject({ code: 1 });
  expect(wrong.output).toContain("Property 'connection' is missing");
});

test('a reader does not keep the process alive', async () => {
  const program = `
    import { createTokenReader } from 'key-vault-token-reader';
    const reader = createTokenReader({ vaultUrl: 'https://127.0.0.1:1', connection: 'c', credential: { getToken: async () => null } });
    await reader.get().catch((error) => console.log(error.code));`;
  await writeFile(join(installation.directory, 'idle.mjs'), program);
  const begun = performance.now();
  expect(await run(['idle.mjs'])).toEqual({ code: 0, output: 'vault_unavailable\n' });
  expect(performance.now() - begun).toBeLessThan(10_000);
});
