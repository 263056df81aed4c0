import { describe, expect, test } from 'vitest';
import { secretChecks } from '../../../lib/doctor/secrets.ts';
import type { ConnectionChanges } from '../rotation/world/connection.ts';
import { failure } from '../rotation/world/fakeVault.ts';
import { ACCESS_TOKEN, due, HOUR, type Scenario, seeded } from '../rotation/world/scenario.ts';
import type { World } from '../rotation/world.ts';

async function publishedCheck({ world, connection, process }: Scenario) {
  const now = world.now();
  const checks = await secretChecks(connection, process.ports, { record: world.record('crm'), now });
  return checks.find(({ check }) => check === 'access token');
}

test('a published token that expires at another time than the record says is a warning', async () => {
  const scenario = await due();
  const { tokens, now } = scenario.world;
  expect(await publishedCheck(scenario)).toMatchObject({ level: 'ok' });
  const { value = '', tags = {} } = tokens.latest(ACCESS_TOKEN) ?? {};
  tokens.put(ACCESS_TOKEN, value, { tags, expiresAt: now() + 100 * HOUR });
  expect(await publishedCheck(scenario)).toMatchObject({
    level: 'warning',
    message: expect.stringContaining('expires at another time'),
    fix: expect.stringContaining('rotator rotate crm --force'),
  });
});

describe('the client', () => {
  const KEY = { kind: 'key', name: 'crm-client-key' } as const;
  const found = { version: 'v1', createdAt: 0, tags: {}, type: 'RSA' } as const;

  async function clientChecks(changes: ConnectionChanges, prepare: (world: World) => void = () => {}) {
    const { world, connection, process } = seeded({
      ...changes,
      secrets: { ...seeded().connection.secrets, clientSecrets: [] },
    });
    prepare(world);
    const now = world.now();
    const checks = await secretChecks(connection, process.ports, { record: undefined, now });
    return { world, checks: checks.filter(({ check }) => /client|identity/.test(check)) };
  }

  const withKey = (prepare?: (world: World) => void) =>
    clientChecks({ clientAuthentication: 'private_key_jwt', clientKeys: [KEY] }, prepare);

  test('with a key makes an assertion, and needs no client secret', async () => {
    const { world, checks } = await withKey(({ keys }) => keys.set(KEY.name, found));
    expect(checks).toEqual([{ check: 'client key', level: 'ok', message: 'crm-client-key signs.' }]);
    expect(world.asserted).toHaveLength(1);
  });

  test('with a key that is missing, or cannot sign, fails with the fix', async () => {
    const { checks } = await withKey();
    expect(checks).toMatchObject([{ level: 'failed', fix: expect.stringContaining('Create the key') }]);
    const refused = await withKey((world) => {
      world.keys.set(KEY.name, found);
      world.before(/^sign/, () => Promise.reject(failure('vault_forbidden')));
    });
    expect(refused.checks).toMatchObject([{ check: 'client key', level: 'failed' }]);
  });

  test('with a key that ends soon is a warning', async () => {
    const { checks } = await withKey(({ keys, now }) =>
      keys.set(KEY.name, { ...found, expiresAt: now() + HOUR }),
    );
    expect(checks).toMatchObject([
      { level: 'warning', fix: 'Create a new version of crm-client-key, and register it at the provider.' },
    ]);
  });

  test('with a federated identity is asked for a token, and a machine without one is a warning', async () => {
    const federated = { clientAuthentication: 'managed_identity_federation' } as const;
    expect((await clientChecks(federated)).checks).toMatchObject([
      { check: 'managed identity', level: 'ok' },
    ]);
    const without = await clientChecks(federated, (world) =>
      world.before(/^federate/, () => Promise.reject(failure('identity_unavailable'))),
    );
    expect(without.checks).toMatchObject([{ check: 'managed identity', level: 'warning' }]);
  });

  test('that is public has nothing to check', async () => {
    expect((await clientChecks({ clientAuthentication: 'none' })).checks).toEqual([]);
  });
});
