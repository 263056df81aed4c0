import type { Adapter, AdapterFactory } from 'oidc-provider';
import type { ClientRegistry } from './clients.ts';
import type { TokenStore } from './tokenStore.ts';

/** The storage that oidc-provider requires: clients come from the registry, everything else from the store. */
export function createAdapterFactory(store: TokenStore, clients: ClientRegistry): AdapterFactory {
  return (model) => (model === 'Client' ? clientAdapter(clients) : storeAdapter(store, model));
}

function storeAdapter(store: TokenStore, model: string): Adapter {
  return {
    upsert: async (id, payload, expiresIn) => store.upsert(model, id, payload, expiresIn),
    find: async (id) => store.find(model, id),
    findByUid: async (uid) => store.findByUid(model, uid),
    findByUserCode: async (userCode) => store.findByUserCode(model, userCode),
    consume: async (id) => store.consume(model, id),
    destroy: async (id) => store.destroy(model, id),
    revokeByGrantId: async (grantId) => store.revokeGrant(grantId),
  };
}

function clientAdapter(clients: ClientRegistry): Adapter {
  const refuse = async () => {
    throw new Error('clients are declared at the start; HTTP requests cannot register or change them');
  };
  return {
    find: async (id) => clients.metadata(id),
    findByUid: async () => undefined,
    findByUserCode: async () => undefined,
    upsert: refuse,
    consume: refuse,
    destroy: refuse,
    revokeByGrantId: refuse,
  };
}
