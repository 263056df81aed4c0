import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { limitedFetch } from '../../lib/authorization/limitedFetch.ts';
import { createCertificateAuthority } from '../../local/keyVault/certificateAuthority.ts';
import { run } from '../cli/support.ts';
import { answerWith, startRawServer } from '../integration/oauth/rawServer.ts';
import { canary } from './canaries.ts';

const SECRET = canary('sign-in', 'client-secret');
/** What a user may have in the shell for another program. */
const WEAKENED = { NODE_TLS_REJECT_UNAUTHORIZED: '0', NODE_NO_WARNINGS: '1' };

/** A server for this machine, with a certificate of an authority of its own. */
async function startTls() {
  const authority = await createCertificateAuthority();
  const server = await startRawServer(
    (socket) => socket.end(answerWith(200, '{}')),
    await authority.issue(['127.0.0.1', 'localhost']),
  );
  return {
    url: server.url.href,
    ca: authority.caCertificate,
    received: () => server.connections.map((each) => each.text()).join(''),
  };
}

/** Sends a request as the sign-in does, in a process with this environment. */
async function sendIn(env: Record<string, string>, address: string): Promise<string> {
  const module = new URL('../../lib/authorization/limitedFetch.ts', import.meta.url).href;
  const code = `
    import { limitedFetch } from ${JSON.stringify(module)};
    const send = limitedFetch({ allowLoopbackHttp: true, signal: new AbortController().signal });
    const body = new URLSearchParams({ client_secret: 'x' });
    const result = await send(${JSON.stringify(address)}, { method: 'POST', headers: {}, body }).then(
      ({ status }) => status,
      ({ code, message }) => code ?? message,
    );
    console.log(result);`;
  const child = spawn(process.execPath, ['--input-type=module-typescript', '--eval', code], {
    env: { PATH: process.env.PATH, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  return (await text(child.stdout)).trim();
}

describe('the requests of a sign-in', () => {
  test('check the certificate although the environment switches the check off', async () => {
    const { url, received } = await startTls();
    expect(await sendIn(WEAKENED, url)).toBe('UNABLE_TO_VERIFY_LEAF_SIGNATURE');
    expect(received()).toBe('');
  });

  test('trust an authority that the user adds, and go through no proxy', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'rotator-ca-'));
    onTestFinished(() => rm(folder, { recursive: true }));
    let proxied = 0;
    const proxy = createServer((socket) => {
      proxied += 1;
      socket.destroy();
    }).listen(0, '127.0.0.1');
    onTestFinished(() => void proxy.close());
    await once(proxy, 'listening');
    const through = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
    const { url, ca, received } = await startTls();
    await writeFile(join(folder, 'ca.pem'), ca);
    const env = {
      NODE_EXTRA_CA_CERTS: join(folder, 'ca.pem'),
      NODE_USE_ENV_PROXY: '1',
      HTTPS_PROXY: through,
      HTTP_PROXY: through,
    };
    expect(await sendIn(env, url)).toBe('200');
    expect([received().includes('client_secret=x'), proxied]).toEqual([true, 0]);
  });

  test.each([
    ['https://169.254.169.254/metadata', 'special'],
    ['https://10.0.0.1/token', 'private'],
    ['https://[::ffff:10.0.0.1]/token', 'private'],
    ['https://127.0.0.1/token', 'loopback'],
    ['https://localhost/token', 'loopback'],
  ])('go only to addresses to which a token request may go: not %s', async (address, kind) => {
    const send = limitedFetch({ allowLoopbackHttp: false, signal: new AbortController().signal });
    await expect(
      send(address, { method: 'GET', headers: {}, body: undefined } as never),
    ).rejects.toMatchObject({
      code: 'authorization_failed',
      message: expect.stringMatching(new RegExp(`\\(${kind} address\\); nothing was sent`)),
    });
  });

  test('may go to a private network if the entry of the connection allows it', async () => {
    const stop = AbortSignal.abort(new Error('not refused'));
    const send = limitedFetch({ allowLoopbackHttp: false, allowPrivateNetwork: true, signal: stop });
    await expect(
      send('https://10.0.0.1/token', { method: 'GET', headers: {}, body: undefined } as never),
    ).rejects.toThrow('not refused');
  });
});

test('a command sends no function key to a server that only a weakened check accepts', async () => {
  const { url, received } = await startTls();
  const env = { ...WEAKENED, ROTATOR_FUNCTION_KEY: 'key' };
  const { code, stdout } = await run(['rotate', 'crm', '--via', new URL(url).origin, '--json'], { env })
    .ended;
  expect([code, JSON.parse(stdout).error.code, received()]).toEqual([1, 'rotator_unreachable', '']);
});

describe.skipIf(process.platform === 'win32')('the browser', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'rotator-browser-'));
  });
  afterEach(() => rm(folder, { recursive: true }));

  test('gets what it needs of the environment, and no secret', async () => {
    const seen = join(folder, 'seen');
    const script = join(folder, 'browser.sh');
    await writeFile(script, `#!/bin/sh\nenv > '${seen}.new' && mv '${seen}.new' '${seen}'\n`);
    await chmod(script, 0o700);
    const { openBrowser } = await import('../../cli/openBrowser.ts');
    openBrowser('https://login.example/', {
      PATH: process.env.PATH,
      BROWSER: script,
      DISPLAY: ':0',
      XDG_RUNTIME_DIR: '/run/user/1',
      LC_ALL: 'C',
      ROTATOR_CLIENT_SECRET: SECRET,
      ROTATOR_FUNCTION_KEY: SECRET,
      AZURE_CLIENT_SECRET: SECRET,
      AzureWebJobsStorage: SECRET,
      IDENTITY_HEADER: SECRET,
      MY_PATH: SECRET,
    });
    const environment = await expect
      .poll(() => readFile(seen, 'utf8').catch(() => ''), { timeout: 30_000 })
      .toContain('DISPLAY=:0')
      .then(() => readFile(seen, 'utf8'));
    expect(environment).toContain('XDG_RUNTIME_DIR=/run/user/1');
    expect(environment).toContain('LC_ALL=C');
    expect(environment).not.toContain(SECRET);
  });
});
