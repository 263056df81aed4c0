import { describe, expect, test } from 'vitest';
import { ensureAllowed } from '../../../lib/rotation/steps/allowedSecret.ts';
import { errorOf } from '../../support/thrown.ts';
import { connectionNamed } from './world/connection.ts';
import { World } from './world.ts';

const SECRET = 'other-team-password';

/** A connection whose entry names a secret of others as one of its credentials. */
function worldWith(key: 'clientId' | 'clientSecrets' | 'refreshToken', allowedSecrets?: readonly string[]) {
  const world = new World();
  const { secrets } = connectionNamed();
  const connection = connectionNamed('crm', {
    ...(key === 'clientId' && { clientId: undefined }),
    secrets: { ...secrets, [key]: key === 'clientSecrets' ? [...secrets.clientSecrets, SECRET] : SECRET },
    ...(allowedSecrets && { allowedSecrets }),
  });
  world.connections = [connection];
  world.credentials.set(connection.secrets.clientId, 'crm-client');
  world.seed(connection);
  const seed = (tags: Record<string, string>) => {
    const value = key === 'refreshToken' ? world.provider.consent() : 'client-secret-one';
    world.credentials.set(SECRET, key === 'clientId' ? 'crm-client' : value, tags);
  };
  return { world, connection, seed, rotate: () => world.process().rotate(connection) };
}

describe.each(['clientId', 'clientSecrets', 'refreshToken'] as const)(
  'an entry that names a secret of others as %s',
  (key) => {
    test.each([
      ['without a tag', {}],
      ['of another connection', { connection: 'erp' }],
      ['of several other connections', { connections: 'erp, crm-2' }],
    ])('does not get a secret %s: nothing is sent or written', async (_, tags) => {
      const { world, seed, rotate } = worldWith(key);
      seed(tags);
      const result = await rotate();
      const text = expect.stringContaining(SECRET);
      const problem = { code: 'secret_not_allowed', message: text, fix: text } as const;
      expect(result).toMatchObject({ result: 'retrying', problem });
      expect(JSON.stringify(result)).toContain('--tags connections=crm');
      expect(JSON.stringify(result)).toContain('ALLOWED_SECRETS');
      expect(world.count(/^(grant|put|tag|disable)/)).toBe(0);
      expect(world.leaks()).toEqual([]);
    });

    test('does not hear of Azure CLI if the vault is on this machine', async () => {
      const { world, connection, seed } = worldWith(key);
      seed({});
      const vaults = { ...connection.vaults, credential: 'https://127.0.0.1:8443' };
      const vault = world.process().ports.vault(connection.vaults.credential);
      const { fix } = await errorOf(ensureAllowed({ ...connection, vaults }, SECRET, { tags: {} }, vault));
      expect(fix).toContain(`If crm may use it, set its tag connections=crm, or add ${SECRET}`);
    });

    test.each([
      ['its own', { connection: 'CRM' }],
      ['shared', { connections: 'erp, crm' }],
      ['for all', { connections: '*' }],
    ])('gets a secret that has the tag of a connection, %s', async (_, tags) => {
      const { seed, rotate } = worldWith(key);
      seed(tags);
      expect(await rotate()).toMatchObject({ result: 'rotated' });
    });

    test('gets a new version without tags if an older one has the tag', async () => {
      const { seed, rotate } = worldWith(key);
      seed({ connections: 'crm' });
      seed({});
      expect(await rotate()).toMatchObject({ result: 'rotated' });
    });

    test('gets a secret that the app setting allows', async () => {
      const { seed, rotate } = worldWith(key, [SECRET]);
      seed({});
      expect(await rotate()).toMatchObject({ result: 'rotated' });
    });
  },
);

describe('the private key of an exportable certificate, which the vault holds as a secret of the same name', () => {
  test.each(['clientId', 'clientSecrets', 'refreshToken'] as const)(
    'is not sent as %s because its name is that of a key of the connection',
    async (key) => {
      const world = new World();
      const { secrets } = connectionNamed();
      const name = 'crm-client-key';
      const connection = connectionNamed('crm', {
        ...(key === 'clientId' && { clientId: undefined }),
        secrets: { ...secrets, [key]: key === 'clientSecrets' ? [name] : name },
      });
      world.connections = [connection];
      world.credentials.set(name, 'a-key');
      if (key !== 'refreshToken') world.seed(connection);
      const result = await world.process().rotate(connection);
      expect(result).toMatchObject({ problem: { code: 'secret_not_allowed' } });
      expect(world.count(/^(grant|put)/)).toBe(0);
    },
  );

  test('signs without a tag, and a secret with another name needs one: the fix names clientKey', async () => {
    const world = new World();
    const vault = world.process().ports.vault(connectionNamed().vaults.credential);
    const named = (name: string) => ({ kind: 'secret', name }) as const;
    await ensureAllowed(connectionNamed(), named('crm-client-key-next'), { tags: {} }, vault);
    world.credentials.set('crm-client-secret', 'x');
    const { fix } = await errorOf(
      ensureAllowed(connectionNamed(), named('crm-client-secret'), { tags: {} }, vault),
    );
    expect(fix).toContain('Otherwise correct clientKey of crm.');
  });
});
