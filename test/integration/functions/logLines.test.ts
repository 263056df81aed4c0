import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { LOG_EVENTS } from '../../../lib/logEvents.ts';
import { callVault } from '../../../local/callVault.ts';
import { localConnection } from '../../support/localConnection.ts';
import { type Harness, startHarness } from './harness.ts';
import { logLines, misfits } from './logLines.ts';

const LATE = 'late';
const EXPIRING = 'expiring';
const BROKEN = 'broken';

let harness: Harness;

beforeAll(async () => {
  const connections = [LATE, EXPIRING, BROKEN].map((name) => localConnection(name));
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

/** Keeps the secret, and sets its `exp` attribute to less than a day from now. */
async function expireSoon(name: string): Promise<void> {
  const attributes = { exp: Math.floor(Date.now() / 1000) + 3_600 };
  await change('PATCH', name, { attributes });
}

/** Writes as a process that was suspended for too long: a token of an earlier epoch becomes the latest version. */
async function writeLate(): Promise<void> {
  const name = `${LATE}-refresh-token`;
  const current = await harness.readSecret('credential', name);
  const tags = { ...current?.tags, epoch: String(Number(current?.tags.epoch) - 1) };
  await change('PUT', name, { value: 'a token of an earlier epoch', tags });
}

async function change(method: string, name: string, body: object): Promise<void> {
  const { credentialVault, bearers } = harness.servers;
  const response = await callVault(credentialVault, bearers.operator, method, name, body);
  expect(response.status).toBe(200);
}

const force = (name: string) =>
  harness.http('rotateConnection', 'POST', `connections/${name}/rotate?force=true`, { name });

describe('every line that the functions print', () => {
  test('matches an event of the table and its fields', async () => {
    expect(logLines(harness.output).length).toBeGreaterThan(10);
    expect(misfits(harness.output)).toEqual([]);
  });

  test('covers more than twelve events here', () => {
    expect(new Set(logLines(harness.output).map(({ event }) => event)).size).toBeGreaterThan(12);
  });

  test('reports a client secret that expires', () => {
    expect(logLines(harness.output).filter((line) => 'days' in line)).toMatchObject([
      { level: 'warn', connection: EXPIRING, secret: `${EXPIRING}-client-secret`, days: 0 },
    ]);
  });

  test('is reported if it does not match the table', () => {
    // Any event whose only field is its connection.
    const [event] =
      Object.entries(LOG_EVENTS).find(([, { fields }]) => Object.keys(fields).join() === 'connection') ?? [];
    const line = { time: new Date().toISOString(), level: 'info', event, connection: 'crm' };
    const wrong = [
      { ...line, event: 'nothing_happened' },
      { ...line, connection: undefined },
      { ...line, connection: 7 },
      { ...line, epoch: 7 },
      { ...line, time: 'now' },
      { ...line, level: 'fatal' },
    ];
    expect(misfits([JSON.stringify(line)])).toEqual([]);
    expect(misfits(wrong.map((each) => JSON.stringify(each)))).toEqual([
      'nothing_happened is not an event.',
      `${event} lacks connection.`,
      `${event} has connection, a number.`,
      `${event} has epoch, a number.`,
      `${event} has no time.`,
      `${event} has the level fatal.`,
    ]);
  });
});
