import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmod, cp, mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { type IncomingMessage, request as sendHttp } from 'node:http';
import { request as sendHttps } from 'node:https';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { callVault } from '../../local/callVault.ts';
import { openDataDirectory } from '../../local/dataDirectory.ts';
import { startServers } from '../../local/servers.ts';
import { type Stack, startStack } from '../../local/stack.ts';
import { localConnection } from '../support/localConnection.ts';

const CONNECTION = localConnection('crm');
const OTHER_USER = 65_534;

let folder: string;
let stack: Stack;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'rotator-neighbours-'));
  // Each file must protect itself: the directory of a user is often readable for everyone.
  await chmod(folder, 0o755);
  stack = await startStack({
    dataDirectory: join(folder, 'data'),
    stateFile: join(folder, 'state', 'stack.json'),
    port: 0,
    onLine: () => {},
    connections: [CONNECTION],
    schedule: '0 0 0 1 1 *',
  });
  for (const name of ['data', 'data/storage', 'state']) await chmod(join(folder, name), 0o755);
});

afterAll(async () => {
  await stack?.close();
  await rm(folder, { recursive: true, force: true });
});

/** The addresses of all servers of the local stack. */
function addresses(): Record<string, string> {
  const { credentialVault, tokenVault, identity, authorization, storage } = stack.servers;
  return {
    'credential vault': credentialVault.url,
    'credential vault with TLS': credentialVault.tlsUrl ?? '',
    'token vault': tokenVault.url,
    'token vault with TLS': tokenVault.tlsUrl ?? '',
    'managed identity': identity.url,
    'authorization server': `${authorization.issuer}/.well-known/openid-configuration`,
    storage: storage.blobServiceUrl,
    functions: `${stack.host.url}/api/connections`,
  };
}

async function send(address: string, method: string, headers: Record<string, string>): Promise<number> {
  const url = new URL(address);
  const request =
    url.protocol === 'https:'
      ? sendHttps(url, { method, headers, ca: stack.servers.caCertificate, servername: 'localhost' })
      : sendHttp(url, { method, headers });
  const [response] = (await once(request.end(), 'response')) as [IncomingMessage];
  response.resume();
  return response.statusCode ?? 0;
}

describe('a web page that bound its host name to this machine', () => {
  const foreign = (port: string) => [
    'attacker.example',
    `attacker.example:${port}`,
    `localhost.attacker.example:${port}`,
    `127.0.0.1.attacker.example:${port}`,
    `attacker.example@127.0.0.1:${port}`,
    `localhost.:${port}`,
    `localhost:${port}:80`,
    '0.0.0.0',
    'a b/c',
  ];
  const own = (port: string) => [`localhost:${port}`, `127.0.0.1:${port}`, `[::1]:${port}`, 'LOCALHOST'];

  test('is refused by every local server', async () => {
    for (const [name, address] of Object.entries(addresses()))
      for (const host of foreign(new URL(address).port))
        for (const method of ['GET', 'PUT', 'POST'])
          expect([name, host, method, await send(address, method, { host })]).toEqual([
            name,
            host,
            method,
            421,
          ]);
  });

  test('is told from a program on this machine', async () => {
    for (const [name, address] of Object.entries(addresses()))
      for (const host of own(new URL(address).port))
        expect([name, host, await send(address, 'GET', { host })]).not.toContain(421);
  });

  test('is refused without a Host header as well', async () => {
    for (const address of Object.values(addresses()).filter((each) => each.startsWith('http:'))) {
      const { hostname, port, pathname } = new URL(address);
      const socket = connect(Number(port), hostname);
      socket.write(`GET ${pathname} HTTP/1.0\r\n\r\n`);
      expect(await text(socket)).toMatch(/^HTTP\/1\.1 421 /);
    }
  });
});

describe('a web page of another site that sends a form', () => {
  const rotate = (headers: Record<string, string>) =>
    send(`${stack.host.url}/api/connections/${CONNECTION.name}/rotate`, 'POST', headers);
  const sweep = (headers: Record<string, string>) => send(`${stack.host.url}/api/rotate`, 'POST', headers);

  test.each([
    [{ origin: 'https://attacker.example' }],
    [{ origin: 'null' }],
    [{ origin: 'http://127.0.0.1:1' }],
    [{ 'sec-fetch-site': 'cross-site' }],
    [{ 'sec-fetch-site': 'same-site', origin: 'http://localhost:3000' }],
    [{ 'sec-fetch-site': 'none-of-these' }],
  ])('rotates nothing: %j', async (headers) => {
    const { tokenRequests } = stack.servers.authorization;
    const before = tokenRequests.length;
    expect([await rotate(headers), await sweep(headers)]).toEqual([403, 403]);
    expect(tokenRequests).toHaveLength(before);
  });

  test('is told from curl, from an address that a user typed, and from a page of the functions themselves', async () => {
    for (const headers of [
      {},
      { 'sec-fetch-site': 'none' },
      { 'sec-fetch-site': 'same-origin' },
      { origin: stack.host.url },
    ])
      expect(await rotate(headers)).toBe(200);
  });
});

describe('another user of the machine', () => {
  test.each(['operator', 'consumer', 'rotator', ''])('cannot guess a bearer token: %s', async (word) => {
    for (const vault of [stack.servers.credentialVault, stack.servers.tokenVault])
      expect((await callVault(vault, word, 'GET', `${CONNECTION.name}-refresh-token`)).status).toBe(401);
  });

  test('has no use for the words of an earlier start', async () => {
    const again = join(folder, 'again');
    const isKept = (path: string) => !/[\\/](storage|process\.json)$/.test(path);
    await cp(stack.data.path, again, { recursive: true, filter: isKept });
    const data = await openDataDirectory(again);
    const servers = await startServers([], data, true);
    await servers.close();
    await data.close();
    const all = [stack.servers, servers].flatMap(({ bearers, identity }) => [
      ...Object.values<string>({ ...bearers }),
      identity.header,
    ]);
    expect(new Set(all).size).toBe(6);
    expect(all.filter((word) => word.length < 32)).toEqual([]);
  });

  test.skipIf(process.platform === 'win32')('has no permission for any file', async () => {
    const entries = await readdir(folder, { recursive: true, withFileTypes: true });
    const files = entries.filter((each) => each.isFile()).map((each) => join(each.parentPath, each.name));
    expect(files.map((file) => file.slice(folder.length + 1))).toEqual(
      expect.arrayContaining(['data/operator-header.txt', 'data/credential-vault.json', 'state/stack.json']),
    );
    const open = [];
    for (const file of files) if (((await stat(file)).mode & 0o077) !== 0) open.push(file);
    expect(open).toEqual([]);
    expect(await readFile(join(folder, 'data', 'operator-header.txt'), 'utf8')).toContain(
      stack.servers.bearers.operator,
    );
  });

  // Only root can become another user.
  test.runIf(process.getuid?.() === 0)('reads no token', () => {
    const asOtherUser = (...command: string[]) =>
      spawnSync('/bin/sh', ['-c', ...command], { uid: OTHER_USER, gid: OTHER_USER, encoding: 'utf8' });
    const script = 'find "$0" -type f; find "$0" -type f -exec cat {} +';
    const { stdout } = asOtherUser(script, folder);
    expect(stdout).toContain('credential-vault.json');
    const { bearers, clients, authorization, identity } = stack.servers;
    const secrets = [
      ...Object.values(bearers),
      identity.header,
      ...clients.map(({ clientSecret }) => clientSecret),
      ...authorization.issuedValues(),
    ];
    expect(secrets.length).toBeGreaterThan(5);
    expect(secrets.filter((secret) => stdout.includes(secret))).toEqual([]);
    expect(asOtherUser('cat "/proc/$0/environ"', String(stack.host.processId)).stdout).toBe('');
  });
});
