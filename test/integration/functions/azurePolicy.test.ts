import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { connectionsFile } from '../../../local/connections.ts';
import type { VaultPolicies } from '../../../local/keyVault/types.ts';
import { localConnection } from '../../support/localConnection.ts';
import { type Harness, startHarness } from './harness.ts';

const DAY = 86_400;
const EXPIRATION = 'Key Vault secrets should have an expiration date';
const VALIDITY = 'Secrets should have the specified maximum validity period';
const REMAINDER = 'Secrets should have more than the specified number of days before expiration';

const ALL_FOUR: VaultPolicies = {
  expirationRequired: true,
  contentTypeRequired: true,
  longestValidityDays: 30,
  shortestRemainderDays: 7,
};
const FOUR = Object.entries(ALL_FOUR).map(([name, value]): [string, VaultPolicies] => [
  name,
  { [name]: value },
]);

/** One connection for each case; with the days of its horizon, if it has one. */
const HORIZONS: Readonly<Record<string, number | undefined>> = {
  'all-four': 20,
  'gateway-string': 20,
  'reusable-token': 20,
  'too-far': 60,
  'too-near': 3,
  'without-horizon': undefined,
  'short-lived': undefined,
  ...Object.fromEntries(FOUR.map(([name]) => [`later-${name}`, undefined])),
};
const REUSABLE = ['gateway-string', 'reusable-token'];
const connections = Object.keys(HORIZONS).map((name) =>
  localConnection(
    name,
    REUSABLE.includes(name) ? { rotation: 'none', clientAuthentication: 'client_secret_post' } : {},
  ),
);

let harness: Harness;

beforeAll(async () => {
  harness = await startHarness(connections, (env, { authorization }) => {
    const file = connectionsFile(connections, authorization.tokenEndpoint) as {
      connections: Record<string, object>;
    };
    const entries = Object.entries(file.connections).map(([name, entry]) => {
      const days = HORIZONS[name];
      const horizon = days === undefined ? {} : { expirationHorizon: days * DAY };
      const publish =
        name === 'gateway-string'
          ? { serviceUrl: 'https://crm.example/', publish: { connectionString: 'refreshToken' } }
          : {};
      return [name, { ...entry, ...horizon, ...publish }];
    });
    env.CONNECTIONS = JSON.stringify({ connections: Object.fromEntries(entries) });
  });
});
afterAll(async () => harness.close());
beforeEach(() => assign({}, {}));

function assign(credential: VaultPolicies, token: VaultPolicies): void {
  harness.servers.credentialVault.assignPolicies(credential);
  harness.servers.tokenVault.assignPolicies(token);
}

const rotate = async (name: string) =>
  (await harness.http('rotateConnection', 'POST', `connections/${name}/rotate?force=true`, { name })).body;
const sent = (name: string) =>
  harness.servers.authorization.tokenRequests.filter(
    ({ clientId, grantType }) => clientId === name && grantType === 'refresh_token',
  ).length;
const now = () => Date.now() / 1000;

describe('a vault whose policies require what the rotator can write', () => {
  test('gets a content type with each version, a true expiration date if there is one, and else the horizon', async () => {
    assign(ALL_FOUR, { expirationRequired: true, contentTypeRequired: true, longestValidityDays: 30 });
    expect(await rotate('all-four')).toMatchObject({ result: 'rotated' });
    const saved = await harness.readSecret('credential', 'all-four-refresh-token');
    expect(saved).toMatchObject({
      contentType: 'application/vnd.oauth.refresh-token',
      tags: { expiration: 'horizon' },
    });
    expect(saved?.attributes.exp).toBeGreaterThan(now() + 19 * DAY);
    const published = await harness.readSecret('token', 'all-four-access-token');
    expect(published).toMatchObject({ contentType: 'application/vnd.oauth.access-token' });
    expect(published?.tags).not.toHaveProperty('expiration');
    expect(published?.attributes.exp).toBeLessThan(now() + 3600);
  });

  test('gets a connection string with the refresh token as well', async () => {
    assign(ALL_FOUR, { expirationRequired: true });
    expect(await rotate('gateway-string')).toMatchObject({ result: 'rotated' });
    const published = await harness.readSecret('credential', 'gateway-string-connection-string');
    expect(published?.tags).toMatchObject({ expiration: 'horizon' });
  });

  test('gets a renewed horizon for a refresh token that stays the same', async () => {
    expect(await rotate('reusable-token')).toMatchObject({ result: 'rotated' });
    const { tags, attributes } =
      (await harness.readSecret('credential', 'reusable-token-refresh-token')) ?? {};
    expect(tags).toMatchObject({ expiration: 'horizon' });
    expect(attributes?.exp).toBeGreaterThan(now() + 19 * DAY);
  });
});

describe('a vault whose policy accepts nothing that the rotator may write', () => {
  test.each([
    ['without-horizon', 'credential', { expirationRequired: true }, EXPIRATION, 'Set expirationHorizon'],
    ['too-far', 'credential', { longestValidityDays: 30 }, VALIDITY, 'Set expirationHorizon'],
    ['too-near', 'credential', { shortestRemainderDays: 7 }, REMAINDER, 'Set expirationHorizon'],
    ['short-lived', 'token', { shortestRemainderDays: 7 }, REMAINDER, 'Exempt'],
  ] as const)(
    'blocks %s before a token is spent, and names the policy',
    async (name, vault, policies, policy, begin) => {
      assign(vault === 'credential' ? policies : {}, vault === 'token' ? policies : {});
      const refused = await rotate(name);
      expect(refused).toMatchObject({ title: 'vault policy' });
      expect(refused.fix).toContain(`"${policy}"`);
      expect(refused.fix).toContain(begin);
      expect(sent(name)).toBe(0);
      const path = `connections/${name}`;
      const status = await harness.http('connectionStatus', 'GET', path, { name });
      expect(status.body).toMatchObject({ state: 'blocked' });
      assign({}, {});
      expect(await rotate(name)).toMatchObject({ result: 'rotated' });
    },
  );
});

describe('a policy that is assigned after the proof', () => {
  test.each(FOUR)('%s costs no token', async (policyName, policies) => {
    const name = `later-${policyName}`;
    await harness.tick();
    const before = await harness.readSecret('credential', `${name}-refresh-token`);
    assign(policies, policies);
    await rotate(name);
    expect(sent(name)).toBe(2);
    const after = await harness.readSecret('credential', `${name}-refresh-token`);
    expect(after?.value).not.toBe(before?.value);
    const isRefused = policies.expirationRequired || policies.longestValidityDays;
    expect(after?.tags.expiration).toBe(isRefused ? 'makeshift' : undefined);
  });
});
