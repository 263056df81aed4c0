import { once } from 'node:events';
import { chmodSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, request as httpRequest, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, describe, expect, test } from 'vitest';
import { readImported } from '../../cli/importedText.ts';
import { readOwnFile } from '../../cli/ownFile.ts';
import { refusalOf } from '../../functions/access.ts';
import { isCrossSite } from '../../functions/crossSite.ts';
import { startLoopbackServer } from '../../lib/authorization/loopbackServer.ts';
import { listedOf, recordOf } from '../../lib/azure/readRecordBlob.ts';
import { bodyOf, metadataOf } from '../../lib/azure/recordBlob.ts';
import { parseConnections } from '../../lib/config/parseConnections.ts';
import { sanitizer, shownError, shownScope } from '../../lib/oauth/sanitize.ts';
import { currentVersion } from '../../lib/rotation/core/currentVersion.ts';
import type { ConnectionRecord } from '../../lib/rotation/core/record.ts';
import { savedTags } from '../../lib/rotation/core/tags.ts';
import { forOwnHost } from '../../local/ownHost.ts';
import { connectionNamed } from '../unit/rotation/world/connection.ts';
import { recordNamed } from '../unit/rotation/world/record.ts';
import { World } from '../unit/rotation/world.ts';

/** What one attack of a neighbour achieved. */
interface Result {
  readonly refused: boolean;
  /** Everything that the attack made visible. */
  readonly shown: string;
  /** Does a connection of others still rotate? */
  readonly othersRotate: boolean;
}

interface Attack {
  readonly neighbour: string;
  readonly name: string;
  readonly run: () => Result | Promise<Result>;
}

const CANARY = ['canary', '7f3a', 'of', 'another', 'team'].join('~');
const TENANT = '11111111-2222-3333-4444-555555555555';
const CONTEXT = {
  credentialVaultUrl: 'https://c.vault.example',
  tokenVaultUrl: 'https://t.vault.example',
  allowLoopbackHttp: false,
};

/** An entry names a secret of others; a second connection is healthy. */
async function namesSecret(key: 'clientId' | 'clientSecrets' | 'refreshToken'): Promise<Result> {
  const world = new World();
  const others = connectionNamed('erp');
  const { secrets } = connectionNamed();
  const named = key === 'clientSecrets' ? ['team-password'] : 'team-password';
  const evil = connectionNamed('crm', {
    ...(key === 'clientId' && { clientId: undefined }),
    secrets: { ...secrets, [key]: named },
  });
  world.connections = [evil, others];
  for (const each of [evil, others]) world.seed(each);
  world.credentials.set('team-password', CANARY);
  const process = world.process();
  const result = await process.rotate(evil);
  const sent = world.count(/^grant crm/);
  const healthy = await process.rotate(others);
  return {
    refused: JSON.stringify(result).includes('secret_not_allowed') && sent === 0,
    shown: JSON.stringify([result, world.log, world.leaks()]),
    othersRotate: typeof healthy !== 'string' && healthy.result === 'rotated',
  };
}

/** An entry beside a valid one; the settings limit hosts and vaults. */
function entry(bad: object): Result {
  const text = JSON.stringify({ connections: { bad, good: { tokenUri: 'https://login.example/token' } } });
  const limits = { tokenHosts: ['login.example'], vaults: [] };
  const { valid, invalid } = parseConnections(text, { ...CONTEXT, limits });
  return {
    refused: invalid.some(({ name }) => name === 'bad'),
    shown: JSON.stringify(invalid),
    othersRotate: valid.some(({ name }) => name === 'good'),
  };
}

/** A provider repeats a secret in a text. */
function repeats(encode: (secret: string) => string): Result {
  const sanitize = sanitizer([CANARY]);
  const shown = [
    sanitize(encode(CANARY)),
    shownError(encode(CANARY), sanitize),
    shownScope(encode(CANARY), [CANARY]) ?? '',
  ];
  return { refused: !shown.includes(encode(CANARY)), shown: shown.join('\n'), othersRotate: true };
}

function caller(provider: string, issuer: string): Result {
  const claims = [
    { typ: 'iss', val: issuer },
    { typ: 'roles', val: 'Rotate' },
  ];
  const principal = Buffer.from(JSON.stringify({ auth_typ: provider, claims })).toString('base64');
  const headers = new Headers({ 'x-ms-client-principal': principal, 'x-ms-client-principal-idp': provider });
  const refusal = refusalOf(headers, { requiredRole: 'Rotate', tenant: TENANT, platformAuthenticates: true });
  return { refused: refusal !== undefined, shown: JSON.stringify(refusal), othersRotate: true };
}

/** A record says that nothing is due for a hundred years. */
function lies(changes: Partial<ConnectionRecord>): Result {
  const now = Date.parse('2026-01-01T00:00:00Z');
  const record = recordOf(bodyOf(recordNamed('crm', changes)), 'crm', { container: 'records', now });
  const listed = listedOf('crm.json', metadataOf(recordNamed('crm', changes)), now);
  const attempts = [record.nextAttemptAt, listed?.summary.nextAttemptAt ?? Number.NaN];
  return {
    refused: attempts.every((at) => at <= now),
    shown: JSON.stringify([record, listed]),
    othersRotate: true,
  };
}

/** An older version claims to be the child of the current one, which is enabled and untouched. */
function claimsDescent(): Result {
  const origin = { connection: 'crm', parent: 'v2', epoch: 99, generation: 99, store: 's' };
  const old = { version: 'v1', createdAt: 1_000, tags: savedTags(origin, {}), isChanged: true };
  const current = {
    version: 'v2',
    createdAt: 2_000,
    tags: savedTags({ ...origin, parent: 'v1', epoch: 2 }, {}),
  };
  const found = currentVersion(recordNamed('crm', { version: 'v2' }), [old, current], 'v2');
  return {
    refused: found.finding !== 'gone' && found.winner.version === 'v2',
    shown: JSON.stringify(found),
    othersRotate: true,
  };
}

/** @returns the status and the body of a local server's response */
async function asked(host: string): Promise<[number, string]> {
  const server = createServer(forOwnHost((_, response) => response.end(CANARY))).listen(0, '127.0.0.1');
  await once(server, 'listening');
  try {
    const { port } = server.address() as AddressInfo;
    const sent = httpRequest({ port, host: '127.0.0.1', headers: { host } }).end();
    const [response] = (await once(sent, 'response')) as [IncomingMessage];
    return [response.statusCode ?? 0, await text(response)];
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

async function rebinds(): Promise<Result> {
  const [status, shown] = await asked('evil.example');
  const [own] = await asked('localhost:7071');
  return { refused: status === 421, shown, othersRotate: own === 200 };
}

function posts(headers: Record<string, string>): Result {
  const request = (more: Record<string, string>) =>
    isCrossSite({
      method: 'POST',
      url: 'https://app.example/api/rotate',
      headers: new Headers(more) as never,
    });
  return { refused: request(headers), shown: JSON.stringify(headers), othersRotate: !request({}) };
}

/** Another user of the machine makes the file of the local stack. */
async function plants(make: (path: string) => void): Promise<Result> {
  const folder = await mkdtemp(join(tmpdir(), 'neighbour-'));
  const path = join(folder, 'operator');
  try {
    make(path);
    const shown = [];
    try {
      shown.push(readOwnFile(path));
    } catch (thrown) {
      shown.push(String(thrown));
    }
    return {
      refused: shown[0]?.startsWith('Error: Cannot use') ?? false,
      shown: shown.join(),
      othersRotate: true,
    };
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** A text to import that ends, or is quoted, so that a part of a secret could be taken for the whole. */
function imports(text: string): Result {
  try {
    return { refused: false, shown: JSON.stringify(readImported(text, undefined)), othersRotate: true };
  } catch (thrown) {
    return { refused: true, shown: String(thrown), othersRotate: true };
  }
}

async function interrupts(query: string): Promise<Result> {
  const server = await startLoopbackServer('http://127.0.0.1/callback', 'the-state');
  try {
    const { status } = await fetch(`${server.redirectUri}?${query}`);
    await fetch(`${server.redirectUri}?state=the-state&code=right`);
    const parameters = await server.parameters;
    return { refused: status === 400, shown: '', othersRotate: parameters.get('code') === 'right' };
  } finally {
    await server.close();
  }
}

const FILE = 'a writer of the connections file';
const RECORDS = 'a writer of the records';
const TAGS = 'a writer of tags in the credential vault';
const PAGE = "a web page in a user's browser";
const USER = 'another user of the machine';
const TEXT = 'an author of an imported text, or of a response through `--via`';
const PROGRAM = 'another program on the machine';
const PROVIDER = 'a hostile provider';
const IDENTITY = 'another identity provider';
const attacks: readonly Attack[] = [
  {
    neighbour: FILE,
    name: 'names a secret of others as refresh token',
    run: () => namesSecret('refreshToken'),
  },
  {
    neighbour: FILE,
    name: 'names a secret of others as client secret',
    run: () => namesSecret('clientSecrets'),
  },
  { neighbour: FILE, name: 'names a secret of others as client id', run: () => namesSecret('clientId') },
  {
    neighbour: FILE,
    name: 'names a host that is not allowed',
    run: () => entry({ tokenUri: 'https://evil.example/t' }),
  },
  {
    neighbour: FILE,
    name: 'names a vault that is not allowed',
    run: () =>
      entry({ tokenUri: 'https://login.example/t', vaults: { token: 'https://evil.vault.example' } }),
  },
  { neighbour: PROVIDER, name: 'repeats a secret', run: () => repeats((secret) => secret) },
  {
    neighbour: PROVIDER,
    name: 'repeats a secret backwards',
    run: () => repeats((secret) => [...secret].reverse().join('')),
  },
  {
    neighbour: PROVIDER,
    name: 'repeats a secret in hex',
    run: () => repeats((secret) => Buffer.from(secret).toString('hex')),
  },
  {
    neighbour: PROVIDER,
    name: 'repeats a secret in Base64',
    run: () => repeats((secret) => Buffer.from(secret).toString('base64')),
  },
  {
    neighbour: PROVIDER,
    name: 'repeats a secret in pieces',
    run: () => repeats((secret) => [...secret].join('.')),
  },
  { neighbour: RECORDS, name: 'sets the next attempt to 2121', run: () => lies({ nextAttemptAt: 4.8e12 }) },
  { neighbour: RECORDS, name: 'sets the next attempt to 1e300', run: () => lies({ nextAttemptAt: 1e300 }) },
  { neighbour: TAGS, name: 'makes an older version the newest', run: claimsDescent },
  { neighbour: PAGE, name: 'binds its name to this machine', run: rebinds },
  { neighbour: PAGE, name: 'posts a form', run: () => posts({ origin: 'https://evil.example' }) },
  { neighbour: PAGE, name: 'posts from a sandbox', run: () => posts({ origin: 'null' }) },
  { neighbour: PAGE, name: 'posts by script', run: () => posts({ 'sec-fetch-site': 'cross-site' }) },
  {
    neighbour: USER,
    name: 'changes a file',
    run: () =>
      plants((path) => {
        writeFileSync(path, CANARY);
        chmodSync(path, 0o666);
      }),
  },
  { neighbour: USER, name: 'plants a link', run: () => plants((path) => symlinkSync('/etc/passwd', path)) },
  { neighbour: USER, name: 'plants a directory', run: () => plants((path) => mkdirSync(path)) },
  {
    neighbour: TEXT,
    name: 'puts a connection string in quotes',
    run: () => imports(`"DRIVER=D;ServiceURL=https://x.example;RefreshToken=${CANARY}"`),
  },
  {
    neighbour: TEXT,
    name: 'leaves a brace open',
    run: () => imports(`DRIVER=D;ServiceURL=https://x.example;RefreshToken={${CANARY}`),
  },
  { neighbour: PROGRAM, name: 'ends a sign-in without a state', run: () => interrupts('code=wrong') },
  {
    neighbour: PROGRAM,
    name: 'ends a sign-in with another state',
    run: () => interrupts('state=x&code=wrong'),
  },
  { neighbour: IDENTITY, name: 'issues the role', run: () => caller('custom', 'https://evil.example/') },
  { neighbour: IDENTITY, name: 'calls itself Entra ID', run: () => caller('aad', 'https://evil.example/') },
];
const results = new Map<Attack, Result>();

/** All forms in which the canary may appear. */
const TRACES = [
  CANARY,
  [...CANARY].reverse().join(''),
  Buffer.from(CANARY).toString('hex'),
  Buffer.from(CANARY).toString('base64'),
  [...CANARY].join('.'),
];
const leaks = ({ shown }: Result) => TRACES.some((trace) => shown.includes(trace));

afterAll(() => {
  const rows = [...Map.groupBy(results, ([{ neighbour }]) => neighbour)].map(([neighbour, tried]) => {
    const all = tried.map(([, result]) => result);
    const count = (matches: (result: Result) => boolean) => String(all.filter(matches).length);
    const stopped = count(({ othersRotate }) => !othersRotate);
    return [neighbour, String(all.length), count(({ refused }) => refused), count(leaks), stopped];
  });
  const header = ['neighbour', 'attacks', 'refused', 'canaries leaked', 'connections stopped'];
  const lines = [header, ...rows].map((row) =>
    row
      .map((cell, at) => cell.padEnd(at === 0 ? 66 : 21))
      .join('')
      .trimEnd(),
  );
  process.stdout.write(`\n${lines.join('\n')}\n`);
});

test.each(attacks.map((attack) => [`${attack.neighbour} ${attack.name}`, attack] as const))(
  '%s, in vain',
  async (_, attack) => {
    const result = await attack.run();
    results.set(attack, result);
    expect({ refused: result.refused, leaks: leaks(result), othersRotate: result.othersRotate }).toEqual({
      refused: true,
      leaks: false,
      othersRotate: true,
    });
  },
);

describe('the table of neighbours in docs/security.md', () => {
  const text = readFileSync('docs/security.md', 'utf8');
  const section = text.slice(text.indexOf('## Neighbours'), text.indexOf('## What is not defended'));
  const rows = section
    .split('\n')
    .filter((line) => line.startsWith('| ') && !/^\| (?:---|neighbour)/.test(line));

  test('has a row for each neighbour that is tried here', () => {
    const named = rows.map((row) => row.split('|')[1]?.trim());
    for (const { neighbour } of attacks) expect(named).toContain(neighbour);
  });

  test.each(rows)('names a test that exists: %s', (row) => {
    const files = [...row.matchAll(/`(test\/[\w/.-]+\.test\.ts)`/g)].map(([, file]) => file ?? '');
    expect(files.length).toBeGreaterThan(0);
    for (const file of files) expect(readFileSync(file, 'utf8')).toMatch(/\b(?:test|it)\b/);
  });
});
