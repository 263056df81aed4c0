import { readFileSync } from 'node:fs';
import { afterAll, describe, expect, test } from 'vitest';
import { refusalOf } from '../../functions/access.ts';
import { parseConnections } from '../../lib/config/parseConnections.ts';
import { sanitizer, shownError, shownScope } from '../../lib/oauth/sanitize.ts';
import { connectionNamed } from '../unit/rotation/world/connection.ts';
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

const FILE = 'a writer of the connections file';
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
      .map((cell) => cell.padEnd(34))
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
