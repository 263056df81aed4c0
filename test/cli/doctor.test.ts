import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { createServer, request as httpRequest, type RequestListener, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import tls from 'node:tls';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { composeParts } from '../../lib/compose.ts';
import type { Check } from '../../lib/doctor/check.ts';
import { examine } from '../../lib/doctor/examine.ts';
import { callVault } from '../../local/callVault.ts';
import { createCertificateAuthority } from '../../local/keyVault/certificateAuthority.ts';
import { type Desk, documentOf, run, STRICT, startDesk } from './support.ts';

const DAY_SECONDS = 86_400;

let desk: Desk;
const servers: Server[] = [];

async function listen(server: Server): Promise<number> {
  servers.push(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

const serve = (listener: RequestListener) => listen(createServer(listener));

async function closedPort(): Promise<number> {
  const port = await serve(() => {});
  servers.pop()?.close();
  return port;
}

/** A storage account whose clock is ten minutes late. */
async function lateStorage(): Promise<string> {
  const { blobServiceUrl, connectionString } = desk.stack.servers.storage;
  const { hostname, port } = new URL(blobServiceUrl);
  const late = await serve((incoming, outgoing) => {
    const { method, url: path, headers } = incoming;
    const forwarded = httpRequest({ hostname, port, method, path, headers }, (answer) => {
      const date = new Date(Date.now() - 600_000).toUTCString();
      outgoing.writeHead(answer.statusCode ?? 502, { ...answer.headers, date });
      answer.pipe(outgoing);
    });
    incoming.pipe(forwarded);
  });
  return connectionString.replace(/BlobEndpoint=http:\/\/[^/]+/, `BlobEndpoint=http://127.0.0.1:${late}`);
}

async function set(name: string, value: string, more: object = {}) {
  await desk.secret('credentialVault', name, { value, ...more });
}

/** Sets three valid secrets. */
async function setAll(name: string) {
  await set(`${name}-client-id`, name);
  await set(`${name}-client-secret`, 'a-client-secret');
  await set(`${name}-refresh-token`, 'a-refresh-token');
}

/** Plants every fault, each in a separate connection. @returns the connections file */
async function plant(): Promise<object> {
  const { authorization, tokenVault } = desk.stack.servers;
  const tokenUri = authorization.tokenEndpoint;
  const stranger = await createCertificateAuthority();
  const { key, cert } = await stranger.issue(['127.0.0.1']);
  const untrusted = await listen(createTlsServer({ key, cert: cert + stranger.caCertificate }));
  const redirecting = await serve(
    (_request, response) => void response.writeHead(302, { location: tokenUri }).end(),
  );
  const names = [
    'unreachable',
    'untrusted',
    'redirected',
    'expired',
    'expiring',
    'no-secret',
    'no-token',
    'foreign',
    'taken',
    'many',
    'short-grace',
    'mixed-up',
    'unpublished',
  ];
  await Promise.all(names.map(setAll));
  const now = Math.floor(Date.now() / 1000);
  await set('expired-client-secret', 'old', { attributes: { exp: now - DAY_SECONDS } });
  await set('expiring-client-secret', 'old', { attributes: { exp: now + 5 * DAY_SECONDS } });
  await set('no-token-refresh-token', ' ');
  const tags = {
    'managed-by': 'key-vault-token-rotator',
    connection: 'foreign',
    store: 'other.blob.example',
  };
  await set('foreign-refresh-token', 'x', { tags });
  await set('mixed-up-refresh-token', 'x', { tags: { connection: 'another' } });
  await desk.secret('tokenVault', 'unpublished-access-token', {
    value: 'pending',
    tags: { 'managed-by': 'key-vault-token-rotator' },
    attributes: { enabled: false },
  });
  await desk.secret('tokenVault', 'taken-access-token', { value: 'of another process' });
  for (let version = 0; version < 500; version++) await set('many-refresh-token', `token ${version}`);
  expect(tokenVault.requests.length).toBeGreaterThan(0);
  await deleteSecret('no-secret-client-secret');
  const healthy = Object.fromEntries(names.map((name) => [name, { tokenUri, refreshTokenGrace: 0 }]));
  return {
    connections: {
      ...healthy,
      strict: { tokenUri },
      invalid: { tokenUri: 'http://login.example/token' },
      unreachable: { tokenUri: `http://127.0.0.1:${await closedPort()}/token` },
      untrusted: { tokenUri: `https://127.0.0.1:${untrusted}/token` },
      redirected: { tokenUri: `http://127.0.0.1:${redirecting}/token` },
      'short-grace': { tokenUri, refreshTokenGrace: 20 },
    },
  };
}

async function deleteSecret(name: string) {
  const { credentialVault, bearers } = desk.stack.servers;
  await callVault(credentialVault, bearers.operator, 'DELETE', name);
}

beforeAll(async () => {
  desk = await startDesk([STRICT]);
  await desk.rotator(['rotate', 'strict']).ended;
});

afterAll(async () => {
  for (const server of servers) server.close().closeAllConnections();
  await desk?.close();
  vi.unstubAllEnvs();
});

/** A copy of the local stack's state file with changed settings. @returns its path */
async function changedState(change: Record<string, string>): Promise<string> {
  const state = JSON.parse(await readFile(desk.stateFile, 'utf8'));
  const file = join(desk.stack.data.path, 'changed.json');
  await writeFile(file, JSON.stringify({ ...state, environment: { ...state.environment, ...change } }));
  return file;
}

describe('rotator doctor', { timeout: 120_000 }, () => {
  test('finds no problem in a valid deployment, and writes nothing', async () => {
    const { credentialVault, tokenVault, authorization } = desk.stack.servers;
    const writes = () =>
      [...credentialVault.requests, ...tokenVault.requests].filter(
        ({ method, executed }) => method !== 'GET' && executed,
      ).length;
    const [before, requests] = [
      writes(),
      authorization.tokenRequests.filter(({ grantType }) => grantType).length,
    ];
    const state = await changedState({ ROTATION_SCHEDULE: '*/5 * * * * *' });
    const ended = await run(['doctor', 'strict', '--stack', state]).ended;
    expect(ended, ended.stdout).toMatchObject({ code: 0 });
    expect(ended.stdout).not.toMatch(/^(warning|failed)/m);
    expect(ended.stdout).toMatch(/^ok {7}sign-in: Authentication works/m);
    expect(writes()).toBe(before);
    expect(authorization.tokenRequests.filter(({ grantType }) => grantType).length).toBe(requests);
  });

  test('warns if there are no connections', async () => {
    const file = join(desk.stack.data.path, 'none.json');
    await writeFile(file, '{"connections":{}}');
    const ended = await desk.rotator(['doctor', '--connections', file, '--json']).ended;
    expect(ended.code).toBe(0);
    const { checks } = documentOf(ended) as { checks?: readonly Check[] };
    expect(checks?.find(({ check }) => check === 'connections')).toMatchObject({ level: 'warning' });
    expect(checks?.some(({ check }) => check === 'limits')).toBe(false);
  });

  test('warns of a schedule that is slower than tokens live, as the status does', async () => {
    const { stdout } = await desk.rotator(['doctor', 'strict']).ended;
    expect(stdout).toMatch(/^warning +strict: schedule: Tokens may expire .* interval is 366 days/m);
    const status = await desk.rotator(['status', 'strict']).ended;
    expect(status.stdout).toMatch(
      /^strict: Tokens may expire .* Set ROTATION_SCHEDULE to run more often\.$/m,
    );
  });

  test('finds each of the planted faults, and names its fix', async () => {
    const file = await desk.stack.data.write('planted.json', JSON.stringify(await plant()));
    const storage = await lateStorage();
    const state = await changedState({
      CONNECTIONS: file,
      AzureWebJobsStorage: storage,
      ROTATION_SCHEDULE: '*/10 * * * * *',
    });
    desk.stack.servers.tokenVault.intercept(({ operation }) =>
      operation === 'setSecret'
        ? {
            kind: 'answerInstead',
            answer: {
              status: 403,
              body: { error: { code: 'Forbidden', innererror: { code: 'ForbiddenByRbac' } } },
            },
          }
        : undefined,
    );
    const ended = await desk.withoutStack(['doctor', '--json', '--stack', state]).ended;
    expect(ended, ended.stdout).toMatchObject({ code: 3 });
    const checks = documentOf(ended).checks as Check[];
    const found = (connection: string | undefined, check: string, level: Check['level']) =>
      checks
        .filter(
          (each) => each.connection === connection && each.check.startsWith(check) && each.level === level,
        )
        .map(({ message, fix }) => `${message} ${fix}`)
        .join('\n');
    const faults: [string | undefined, string, Check['level'], RegExp][] = [
      ['invalid', 'entry', 'failed', /must use https.*Set connections\.invalid\.tokenUri/],
      [undefined, 'token endpoint', 'failed', /cannot be reached \(ECONNREFUSED\).*firewall/],
      [undefined, 'token endpoint', 'failed', /SELF_SIGNED\w*\).*NODE_EXTRA_CA_CERTS/],
      [undefined, 'token endpoint', 'warning', /HTTP 302 .*redirects are not followed/],
      [undefined, 'vault', 'failed', /secrets\/setSecret/],
      [undefined, 'clock', 'failed', /(599|600|601) s ahead of.*NTP/],
      ['expired', 'client secret', 'failed', /expired on .*Create a new client secret/],
      ['expiring', 'client secret', 'warning', /expires on .*Create a new client secret/],
      ['no-secret', 'client secret', 'failed', /does not exist.*Set no-secret-client-secret/],
      ['no-token', 'refresh token', 'failed', /is empty.*Set no-token-refresh-token/],
      ['foreign', 'refresh token', 'failed', /other\.blob\.example.*rotator takeover foreign/],
      ['mixed-up', 'refresh token', 'failed', /for the connection another.*secrets\.refreshToken/],
      ['taken', 'access token', 'failed', /not made by the rotator.*"overwrite": true/],
      ['unpublished', 'access token', 'warning', /nothing was published yet.*rotator status unpublished/],
      ['many', 'refresh token', 'warning', /400 versions or more.*new secret/],
      ['short-grace', 'grace', 'warning', /20 seconds ends before.*25 seconds.*ROTATION_SCHEDULE/],
    ];
    for (const [connection, check, level, text] of faults)
      expect(found(connection, check, level)).toMatch(text);
    const others = checks.filter(({ level }) => level !== 'ok').length;
    expect(others, 'and nothing else').toBe(faults.length);
    expect(checks.filter(({ level, fix }) => level !== 'ok' && !fix)).toEqual([]);
    expect(await inThisProcess(state)).toEqual(checks.map(({ check, level }) => [check, level]));
    desk.stack.servers.tokenVault.intercept(undefined);
  });

  /** The same in this process, so that its coverage is measured. */
  async function inThisProcess(state: string) {
    const { environment } = JSON.parse(await readFile(state, 'utf8'));
    for (const [name, value] of Object.entries<string>(environment)) vi.stubEnv(name, value);
    tls.setDefaultCACertificates([...tls.getCACertificates('default'), desk.stack.servers.caCertificate]);
    const parts = composeParts(environment, () => {});
    const checks = await examine({ ...parts, now: Date.now }, undefined);
    return checks.map(({ check, level }) => [check, level]);
  }

  test('reports missing settings, a failed sign-in and an unknown connection', async () => {
    const none = await desk.withoutStack(['doctor']).ended;
    expect(none.code).toBe(3);
    expect(none.stdout).toMatch(/failed {3}settings: CREDENTIAL_VAULT_URL is not set/);
    const broken = join(desk.stack.data.path, 'broken.json');
    await writeFile(broken, '{');
    const file = await desk.rotator(['doctor', '--json', '--connections', broken]).ended;
    expect(file.code).toBe(3);
    expect(documentOf(file).checks).toContainEqual(
      expect.objectContaining({ check: 'connections', level: 'failed', code: 'configuration_invalid' }),
    );
    const state = await changedState({ IDENTITY_HEADER: 'wrong' });
    // The SDK keeps the first managed identity that it finds in a process.
    const strange = await run(['doctor', '--json', '--stack', state]).ended;
    expect(strange.code).toBe(4);
    expect(documentOf(strange).checks).toContainEqual(
      expect.objectContaining({
        check: 'sign-in',
        level: 'failed',
        fix: expect.stringContaining('az login'),
      }),
    );
    expect((await desk.rotator(['doctor', 'nix']).ended).code).toBe(3);
    const { stderr } = await desk.rotator(['doctor', 'STRICT']).ended;
    expect(stderr).toContain('Write strict: names are case-sensitive.');
  });

  test('says that the provider names no lifetime, as the status does', async () => {
    const provider = await serve((_request, response) =>
      response.end('{"access_token":"a","refresh_token":"r2","token_type":"Bearer"}'),
    );
    const tokenUri = `http://127.0.0.1:${provider}/token`;
    const names = ['no-lifetime', 'own-lifetime'];
    await Promise.all(names.map(setAll));
    const connections = {
      'no-lifetime': { tokenUri },
      'own-lifetime': { tokenUri, accessTokenLifetime: 7200 },
    };
    const file = await desk.stack.data.write('lifetimes.json', JSON.stringify({ connections }));
    const stack = ['--stack', await changedState({ CONNECTIONS: file })];
    for (const name of names) await desk.withoutStack(['rotate', name, ...stack]).ended;
    const { stdout } = await desk.withoutStack(['doctor', ...stack]).ended;
    expect(stdout).toMatch(
      /^warning +no-lifetime: expiry: The provider names no lifetime .* default of 3600 s/m,
    );
    expect(stdout).toContain('Set accessTokenLifetime of no-lifetime');
    expect(stdout).toMatch(/^ok +own-lifetime: expiry: .* default of 7200 s/m);
    const status = await desk.withoutStack(['status', ...stack]).ended;
    expect(status.stdout).toMatch(/^own-lifetime +fresh +\S.*\(default\)/m);
  });

  test('reports the problem in the record', async () => {
    await desk.secret('credentialVault', 'strict-refresh-token', { value: 'dead' });
    await desk.rotator(['rotate', 'strict', '--force']).ended;
    const ended = await desk.rotator(['doctor', 'strict', '--json']).ended;
    expect(documentOf(ended).checks).toContainEqual(
      expect.objectContaining({
        check: 'record',
        level: 'failed',
        fix: expect.stringContaining('Run rotator connect'),
      }),
    );
  });
});
