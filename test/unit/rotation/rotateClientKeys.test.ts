import { describe, expect, test } from 'vitest';
import { RotatorError } from '../../../lib/errors.ts';
import type { ClientKey, Connection } from '../../../lib/rotation/core/connection.ts';
import type { TokenRequest } from '../../../lib/rotation/core/tokenRequest.ts';
import type { VaultKey } from '../../../lib/rotation/ports.ts';
import { failure } from './world/fakeVault.ts';
import { refusal } from './world/provider.ts';
import {
  expectHealthy,
  HOUR,
  mustRotate,
  passToDue,
  REFRESH_TOKEN,
  type Scenario,
  seeded,
} from './world/scenario.ts';

const SECRETS = {
  clientId: 'crm-client-id',
  clientSecrets: [],
  refreshToken: REFRESH_TOKEN,
  accessToken: 'crm-access-token',
};
const ONE: ClientKey = { kind: 'key', name: 'crm-client-key' };
const NEXT: ClientKey = { kind: 'certificate', name: 'crm-client-key-next' };

function vaultKey(version: string, changes: Partial<VaultKey> = {}): VaultKey {
  return { version, createdAt: 0, tags: {}, type: 'RSA', ...changes };
}

/** A connection whose first rotation has succeeded, and which is due. Its provider accepts assertions of these keys only. */
async function dueWith(
  keys: readonly ClientKey[],
  accepted: readonly string[] = keys.map(({ name }) => name),
) {
  const scenario = seeded({ clientAuthentication: 'private_key_jwt', clientKeys: keys, secrets: SECRETS });
  const { world } = scenario;
  for (const { name } of keys) world.keys.set(name, vaultKey(`${name} version 1`));
  const accept = (...names: readonly string[]) => {
    const { behave } = Object.getPrototypeOf(world.provider);
    world.provider.behave = (request: TokenRequest) =>
      names.some((name) => request.clientAssertion?.startsWith(`${name} `))
        ? behave.call(world.provider, { ...request, clientSecret: 'client-secret-one' })
        : refusal('client_rejected');
  };
  accept(...accepted);
  await mustRotate(scenario);
  await passToDue(scenario);
  world.operations.length = 0;
  return { ...scenario, accept };
}

const sent = ({ world }: Scenario) => world.asserted;

describe('a connection whose client has a key', () => {
  test('sends a new assertion with each request, and reads no client secret', async () => {
    const scenario = await dueWith([ONE]);
    await mustRotate(scenario);
    expect(sent(scenario)).toEqual(['crm-client-key 1', 'crm-client-key 2']);
    expect(scenario.world.count(/client-secret/)).toBe(0);
    expectHealthy(scenario);
  });

  test('remembers the key while all goes well', async () => {
    const scenario = await dueWith([ONE]);
    await mustRotate(scenario);
    expect(scenario.world.count(/^get key/)).toBe(0);
  });

  test('sends a new assertion with a replay', async () => {
    const scenario = await dueWith([ONE]);
    const { world, connection, process } = scenario;
    const graceful = { ...connection, behavior: { ...connection.behavior, refreshTokenGraceMs: HOUR } };
    world.provider.graceMs = HOUR;
    world.after(/^grant/, () => Promise.reject(failure('provider_unavailable')));
    expect(await process.rotate(graceful)).toMatchObject({ result: 'rotated' });
    expect(sent(scenario)).toEqual(['crm-client-key 1', 'crm-client-key 2', 'crm-client-key 3']);
  });

  test('uses the next key if the provider refuses the first', async () => {
    const scenario = await dueWith([ONE, NEXT]);
    scenario.accept(NEXT.name);
    await mustRotate(scenario);
    expect(sent(scenario).slice(1)).toEqual(['crm-client-key 2', 'crm-client-key-next 3']);
    expect(scenario.world.events('client_secret_rejected')).toMatchObject([
      { version: 'crm-client-key version 1' },
    ]);
    expectHealthy(scenario);
  });

  test('uses the next key if the first cannot sign', async () => {
    const scenario = await dueWith([ONE, NEXT]);
    const problem = { code: 'key_unusable', message: 'It has expired.', fix: 'Replace it.' } as const;
    scenario.world.before(/^sign crm-client-key$/, () => Promise.reject(new RotatorError(problem)));
    await mustRotate(scenario);
    expect(sent(scenario).slice(1)).toEqual(['crm-client-key-next 2']);
    expectHealthy(scenario);
  });

  test('sends nothing if no key can sign, and tries again after another version was created', async () => {
    const scenario = await dueWith([ONE]);
    const { world, connection, process } = scenario;
    const problem = { code: 'key_unusable', message: 'It has expired.', fix: 'Replace it.' } as const;
    const clearedBy = [{ secret: ONE.name, kind: 'key' as const, version: 'crm-client-key version 1' }];
    world.before(/^sign/, () => Promise.reject(new RotatorError(problem, { clearedBy })));
    expect(await process.rotate(connection)).toMatchObject({ result: 'blocked', problem });
    expect(world.count(/^grant/)).toBe(0);
    await passToDue(scenario);
    expect(await process.rotate(connection)).toMatchObject({ result: 'blocked', reason: 'blocked' });
    world.keys.set(ONE.name, vaultKey('version 2'));
    await passToDue(scenario);
    await mustRotate(scenario);
    expectHealthy(scenario);
  });

  test('is tried again after a key that the provider refuses has another version', async () => {
    const scenario = await dueWith([ONE]);
    const { world, connection, process } = scenario;
    scenario.accept('no key');
    expect(await process.rotate(connection)).toMatchObject({
      result: 'blocked',
      problem: { code: 'client_rejected' },
    });
    expect(world.record('crm').failure?.clearedBy).toMatchObject([
      { secret: ONE.name, kind: 'key', version: 'crm-client-key version 1' },
    ]);
    scenario.accept(ONE.name);
    await passToDue(scenario);
    expect(await process.rotate(connection)).toMatchObject({ result: 'blocked', reason: 'blocked' });
    world.keys.set(ONE.name, vaultKey('version 2'));
    await passToDue(scenario);
    await mustRotate(scenario);
    expectHealthy(scenario);
  });

  test('tries again later if the vault does not sign now, and spends nothing', async () => {
    const scenario = await dueWith([ONE]);
    const { world, connection, process } = scenario;
    world.before(/^sign/, () => Promise.reject(failure('vault_throttled')));
    expect(await process.rotate(connection)).toMatchObject({
      result: 'retrying',
      problem: { code: 'vault_throttled' },
    });
    expect(world.count(/^grant/)).toBe(0);
    await passToDue(scenario);
    await mustRotate(scenario);
    expectHealthy(scenario);
  });

  test('is blocked if the key does not exist, until it does', async () => {
    const scenario = seeded({ clientAuthentication: 'private_key_jwt', clientKeys: [ONE], secrets: SECRETS });
    const { world, connection, process } = scenario;
    expect(await process.rotate(connection)).toMatchObject({
      result: 'blocked',
      problem: {
        code: 'key_missing',
        message: 'The key crm-client-key does not exist in https://credentials.vault.example.',
      },
    });
    world.keys.set(ONE.name, vaultKey('version 1'));
    world.provider.clientSecrets = [''];
    await passToDue(scenario);
    await mustRotate(scenario);
  });

  test('warns before the key ends', async () => {
    const scenario = await dueWith([ONE]);
    const { world } = scenario;
    world.keys.set(ONE.name, vaultKey('version 1', { expiresAt: world.now() + 24 * HOUR }));
    await scenario.process.drain();
    const process = world.process();
    expect(await process.rotate(scenario.connection)).toMatchObject({ result: 'rotated' });
    expect(world.events('credential_expiring')).toMatchObject([{ secret: ONE.name }]);
  });

  test('warns before a private key that is a secret ends', async () => {
    const key: ClientKey = { kind: 'secret', name: 'crm-client-key' };
    const scenario = seeded({ clientAuthentication: 'private_key_jwt', clientKeys: [key], secrets: SECRETS });
    const { world } = scenario;
    world.provider.clientSecrets = [''];
    world.credentials.put(key.name, 'PEM', { tags: {}, expiresAt: world.now() + 24 * HOUR });
    await mustRotate(scenario);
    expect(world.events('credential_expiring')).toMatchObject([{ secret: key.name }]);
  });
});

describe('a key that the entry names', () => {
  const FOREIGN: ClientKey = { kind: 'key', name: 'payroll-key' };
  const rotateWith = async (tags: VaultKey['tags'], changes: Partial<Connection> = {}) => {
    const scenario = seeded({
      clientAuthentication: 'private_key_jwt',
      clientKeys: [FOREIGN],
      secrets: SECRETS,
      ...changes,
    });
    scenario.world.provider.clientSecrets = [''];
    scenario.world.keys.set(FOREIGN.name, vaultKey('version 1', { tags }));
    return { ...scenario, result: await scenario.process.rotate(scenario.connection) };
  };

  test('and that does not allow the connection is not used', async () => {
    const { result, world } = await rotateWith({});
    expect(result).toMatchObject({ problem: { code: 'secret_not_allowed' } });
    expect(JSON.stringify(result)).toContain('az keyvault key set-attributes');
    expect(world.asserted).toEqual([]);
  });

  test.each([
    ['by its tag', { connections: 'other crm' }, {}],
    ['by the app setting', {}, { allowedSecrets: ['payroll-key'] }],
  ])('and that allows the connection is used: %s', async (_, tags, changes) => {
    expect((await rotateWith(tags, changes)).result).toMatchObject({ result: 'rotated' });
  });
});

describe('a connection with the federated identity of the rotator', () => {
  const CHANGES = { clientAuthentication: 'managed_identity_federation', secrets: SECRETS } as const;

  test('sends its token with each request', async () => {
    const scenario = seeded(CHANGES);
    scenario.world.provider.clientSecrets = [''];
    await mustRotate(scenario);
    expect(scenario.world.asserted).toEqual(['federated 1']);
    expectHealthy(scenario);
  });

  test('tries again later if there is no token now', async () => {
    const scenario = seeded(CHANGES);
    const { world, connection, process } = scenario;
    world.provider.clientSecrets = [''];
    world.before(/^federate/, () => Promise.reject(failure('identity_unavailable')));
    expect(await process.rotate(connection)).toMatchObject({
      result: 'retrying',
      problem: { code: 'identity_unavailable' },
    });
    await passToDue(scenario);
    await mustRotate(scenario);
  });

  test('is asked once, and blocked, if the provider refuses it', async () => {
    const { world, connection, process } = seeded(CHANGES);
    world.provider.clientSecrets = ['another'];
    expect(await process.rotate(connection)).toMatchObject({
      result: 'blocked',
      problem: { code: 'client_rejected' },
    });
    expect(world.count(/^grant/)).toBe(1);
  });
});

test('a public client sends no proof', async () => {
  const scenario = seeded({ clientAuthentication: 'none', secrets: SECRETS });
  scenario.world.provider.clientSecrets = [''];
  await mustRotate(scenario);
  expect(scenario.world.asserted).toEqual([]);
  expect(scenario.world.count(/client-secret|client-key/)).toBe(0);
  expectHealthy(scenario);
});
