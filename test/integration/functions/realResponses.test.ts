import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Harness, startHarness } from './harness.ts';
import { REAL_RESPONSES, type RealResponse } from './realResponses.ts';

/** The whole way of a response: a rotation, the token request, the vaults, the status and the log. */
let harness: Harness;
const servers: Server[] = [];
const received = new Map<string, URLSearchParams[]>();
const cases = Object.entries(REAL_RESPONSES);

/** A provider with an address of its own: a host that fails for several connections is left alone for a while. */
async function startProvider(name: string, { respond }: RealResponse): Promise<string> {
  const forms: URLSearchParams[] = [];
  received.set(name, forms);
  const server = createServer(async (request, response) => {
    const body = await text(request);
    const isJson = request.headers['content-type'] === 'application/json';
    const form = new URLSearchParams(isJson ? JSON.parse(body) : body);
    forms.push(form);
    const sent = respond({ form, count: forms.length });
    response.writeHead(sent.status ?? 200, { 'content-type': 'application/json', ...sent.headers });
    response.end(sent.body ?? JSON.stringify(sent.json));
  });
  servers.push(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/token`;
}

beforeAll(async () => {
  const entries = new Map<string, object>();
  for (const [name, response] of cases) {
    const clientSecret = ['1', '2'].map((each) => `${name}-client-secret-${each}`);
    entries.set(name, {
      tokenUri: await startProvider(name, response),
      clientId: 'id',
      clientAuthentication: 'client_secret_post',
      secrets: { clientSecret },
      ...response.entry,
    });
  }
  harness = await startHarness([], (environment) => {
    environment.CONNECTIONS = JSON.stringify({ connections: Object.fromEntries(entries) });
    environment.VAULT_WRITES_PER_10_SECONDS = '300';
  });
  await Promise.all(
    cases.flatMap(([name]) => [
      harness.setSecret(`${name}-client-secret-1`, 'secret-1'),
      harness.setSecret(`${name}-client-secret-2`, 'secret-2'),
      harness.setSecret(`${name}-refresh-token`, 'first'),
    ]),
  );
  // The first rotation of a token waits two seconds (`RIVAL_WAIT_MS`): all wait at once.
  await Promise.all(
    cases.map(([name]) => harness.http('rotateConnection', 'POST', `connections/${name}/rotate`, { name })),
  );
}, 120_000);

afterAll(async () => {
  for (const server of servers) server.close().closeAllConnections();
  await harness?.close();
});

test.each(cases)('%s', async (name, { becomes }) => {
  const { refreshToken = 'next-1', lives, requests = 1, message = /./, fix = /./, ...expected } = becomes;
  const { body: status } = await harness.http('connectionStatus', 'GET', `connections/${name}`, { name });
  expect(status, JSON.stringify(status)).toMatchObject({
    ...expected,
    ...(expected.reason && { message: expect.stringMatching(message), fix: expect.stringMatching(fix) }),
  });
  expect((await harness.readSecret('credential', `${name}-refresh-token`))?.value).toBe(refreshToken);
  const { attributes } = (await harness.readSecret('token', `${name}-access-token`)) ?? {};
  const seconds = attributes && (attributes.exp ?? 0) - (attributes.nbf ?? 0);
  // Moments are counted from the response, and Key Vault has whole seconds.
  if (lives === undefined) expect(seconds).toBeUndefined();
  else expect(Math.abs(Number(seconds) - lives), `${seconds} s`).toBeLessThanOrEqual(3);
  expect(received.get(name)?.map((form) => form.get('refresh_token'))).toEqual(Array(requests).fill('first'));
});

test('an expiry that is a default is named as one in the status, the tag and the log', async () => {
  for (const [name, isDefault] of [
    ['salesforce-ok', true],
    ['moment-iso', undefined],
  ] as const) {
    const { body: status } = await harness.http('connectionStatus', 'GET', `connections/${name}`, { name });
    expect(status.accessTokenExpiryIsDefault).toBe(isDefault);
    const published = await harness.readSecret('token', `${name}-access-token`);
    expect(published?.tags['expires-in']).toBe(isDefault && 'default');
    const lines = harness.output.filter((line) => line.includes(`"connection":"${name}"`));
    const line = lines.find((each) => each.includes('access_token_published')) ?? '';
    expect(line).toContain(`"expiresInIsDefault":${isDefault === true}`);
  }
});

test('the end of a refresh token that was not replaced is known', async () => {
  const name = 'same-token-fixed-end';
  const { body: status } = await harness.http('connectionStatus', 'GET', `connections/${name}`, { name });
  expect(Date.parse(String(status.refreshTokenExpires)) - Date.now()).toBeLessThan(432_000_000);
});
