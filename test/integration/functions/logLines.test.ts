import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { callVault } from '../../../local/callVault.ts';
import type { LocalConnection } from '../../../local/connections.ts';
import { OPERATOR } from '../../../local/servers.ts';
import { type Harness, startHarness } from './harness.ts';
import { logLines, misfits } from './logLines.ts';

const LATE = 'late';
const EXPIRING = 'expiring';
const BROKEN = 'broken';

let harness: Harness;

beforeAll(async () => {
  const connections = [LATE, EXPIRING, BROKEN].map(
    (name): LocalConnection => ({
      name,
      rotation: 'single_use',
      clientAuthentication: 'client_secret_basic',
      description: '',
    }),
  );
  harness = await startHarness(connections, (env, { authorization }) => {
    const tokenUri = authorization.tokenEndpoint;
    const good = Object.fromEntries(connections.map(({ name }) => [name, { tokenUri }]));
    env.CONNECTIONS = JSON.stringify({ connections: { ...good, typo: { tokenUrl: tokenUri } } });
    env.HTTPS_PROXY = 'http://proxy.example:3128';
  });
  await expireSoon(`${EXPIRING}-client-secret`);
  await harness.setSecret(`${BROKEN}-client-secret`, 'not the right one');
  await harness.tick();
  await writeLate();
  expect((await force(LATE)).status).toBe(200);
});
afterAll(async () => harness.close());

/** The secret stays, and its `exp` attribute says that it has less than a day left. */
async function expireSoon(name: string): Promise<void> {
  const attributes = { exp: Math.floor(Date.now() / 1000) + 3_600 };
  await change('PATCH', name, { attributes });
}

/** What a process writes that was stopped for too long: a token of an earlier epoch becomes the latest version. */
async function writeLate(): Promise<void> {
  const name = `${LATE}-refresh-token`;
  const current = await harness.readSecret('credential', name);
  const tags = { ...current?.tags, epoch: String(Number(current?.tags.epoch) - 1) };
  await change('PUT', name, { value: 'a token of an earlier epoch', tags });
}

async function change(method: string, name: string, body: object): Promise<void> {
  const answer = await callVault(harness.servers.credentialVault, OPERATOR, method, name, body);
  expect(answer.status).toBe(200);
}

const force = (name: string) =>
  harness.http('rotateConnection', 'POST', `connections/${name}/rotate?force=true`, { name });
const events = (event: string) => logLines(harness.output).filter((line) => line.event === event);

describe('every line that the functions print', () => {
  test('is one of the table, with its fields', async () => {
    expect(logLines(harness.output).length).toBeGreaterThan(10);
    expect(misfits(harness.output)).toEqual([]);
  });

  test('may be of these kinds', () => {
    const seen = new Set(logLines(harness.output).map(({ event }) => event));
    expect([...seen]).toEqual(
      expect.arrayContaining([
        'setting_ignored',
        'configuration_loaded',
        'connection_invalid',
        'sweep_finished',
        'rotation_finished',
        'refresh_token_saved',
        'access_token_published',
        'client_secret_rejected',
        'late_write_healed',
      ]),
    );
  });

  test('tells of a client secret that expires', () => {
    expect(events('credential_expiring')).toEqual([
      expect.objectContaining({ connection: EXPIRING, secret: `${EXPIRING}-client-secret`, days: 0 }),
    ]);
  });

  test('would be noticed if it were none of the table', () => {
    const line = { time: new Date().toISOString(), level: 'info' };
    const wrong = [
      { ...line, event: 'lease_gone', connection: 'crm' },
      { ...line, event: 'lease_lost' },
      { ...line, event: 'lease_lost', connection: 7 },
      { ...line, event: 'lease_lost', connection: 'crm', epoch: 7 },
      { ...line, event: 'lease_lost', connection: 'crm', time: 'now' },
      { ...line, event: 'lease_lost', connection: 'crm', level: 'fatal' },
    ];
    expect(misfits(wrong.map((each) => JSON.stringify(each)))).toEqual([
      'lease_gone is no event.',
      'lease_lost lacks connection.',
      'lease_lost has connection, a number.',
      'lease_lost has epoch, a number.',
      'lease_lost has no time.',
      'lease_lost has the level fatal.',
    ]);
  });
});
