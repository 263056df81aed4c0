import { createServer } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { closeServer, LOOPBACK, listen, listenerOf } from './http.ts';
import { KeyStore } from './keyStore.ts';
import { createRequestHandler, newVersionId } from './requestHandler.ts';
import type { InterceptHook, KeyVaultOptions, KeyVaultServer } from './types.ts';
import { VaultStore } from './vaultStore.ts';

export type { KeyVaultOptions, KeyVaultServer, VaultRight } from './types.ts';

/** Every right that the role Key Vault Secrets Officer gives. */
export const ALL_RIGHTS = ['get', 'set', 'update', 'list', 'delete', 'recover', 'purge'] as const;

/**
 * Starts a server that replaces the secrets data plane of Azure Key Vault on this machine, for the local
 * stack and for tests. The real clients talk to it.
 */
export async function startKeyVault(options: KeyVaultOptions): Promise<KeyVaultServer> {
  const { dataFile, tls } = options;
  // Only for kept data: nothing else in `npm start` needs zod.
  const kept = dataFile === undefined ? undefined : { dataFile, ...(await import('./persistence.ts')) };
  const store = new VaultStore(kept?.loadSecrets(kept.dataFile) ?? []);
  const keys = new KeyStore(() => Math.floor((options.now ?? Date.now)() / 1000));
  const persistence = kept?.createPersistence(kept.dataFile, () => store.snapshot());
  const state = {
    closed: false,
    hook: undefined as InterceptHook | undefined,
    policies: options.policies ?? {},
  };
  const { handle, requests } = createRequestHandler({ options, store, keys, persistence, state });

  const plain = createServer(listenerOf(handle));
  const secure = tls && createTlsServer({ key: tls.key, cert: tls.cert }, listenerOf(handle));
  const port = await listen(plain);
  const tlsPort = secure && (await listen(secure));
  return {
    url: `http://${LOOPBACK}:${port}`,
    ...(tlsPort === undefined ? {} : { tlsUrl: `https://${LOOPBACK}:${tlsPort}` }),
    requests,
    clearRequests: () => void requests.splice(0),
    issuedValues: () => store.values(),
    assignPolicies: (policies) => {
      state.policies = policies;
    },
    importKey: (name, key) => keys.add(name, newVersionId(), key),
    intercept: (hook) => {
      state.hook = hook;
    },
    async close() {
      state.closed = true;
      await Promise.all([closeServer(plain), secure && closeServer(secure)]);
      await persistence?.idle();
    },
  };
}
