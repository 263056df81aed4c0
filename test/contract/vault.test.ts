import { describe } from 'vitest';
import { createSecretVault } from '../../lib/azure/keyVaultSecrets.ts';
import { startTrustedVault, tokenOf } from '../integration/azure/support.ts';
import { clientOf } from '../local/keyVault/support.ts';
import { CREDENTIAL_VAULT } from '../unit/rotation/world/connection.ts';
import { failure } from '../unit/rotation/world/fakeVault.ts';
import { World } from '../unit/rotation/world.ts';
import { describeVault, type VaultSide } from './vaultContract.ts';

describe('the adapter of Key Vault, on the local vault', () => describeVault(startAdapter));
describe('the vault in memory', () => describeVault(startMemory));

async function startAdapter(): Promise<VaultSide> {
  const now = Date.parse('2026-01-01T00:00:01.234Z');
  let passed = 0;
  const server = await startTrustedVault({ now: () => now + passed });
  const client = clientOf(server);
  return {
    process: () => createSecretVault(server.tlsUrl, tokenOf('officer')),
    now,
    passSecond: () => {
      passed += 1_000;
    },
    operator: {
      set: (name, value) => client.setSecret(name, value),
      enable: (name, version) => client.updateSecretProperties(name, version, { enabled: true }),
      delete: async (name) => (await client.beginDeleteSecret(name)).pollUntilDone(),
      recover: async (name) => (await client.beginRecoverDeletedSecret(name)).pollUntilDone(),
    },
    loseNextResponse: () =>
      server.intercept(({ operation }) => {
        if (operation !== 'setSecret') return undefined;
        server.intercept(undefined);
        return { kind: 'executeThenDestroy' };
      }),
  };
}

async function startMemory(): Promise<VaultSide> {
  const world = new World();
  world.clock.freeze(1_234);
  const { credentials } = world;
  return {
    process: () => world.process().ports.vault(CREDENTIAL_VAULT),
    now: world.now(),
    passSecond: () => world.clock.freeze(1_000),
    operator: {
      set: async (name, value) => credentials.set(name, value),
      enable: async (name, version) => credentials.enable(name, version),
      delete: async (name) => credentials.softDelete(name),
      recover: async (name) => credentials.recover(name),
    },
    loseNextResponse: () => world.after(/^put /, () => Promise.reject(failure('vault_unavailable'))),
  };
}
