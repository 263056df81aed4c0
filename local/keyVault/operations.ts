import { deletedBundle, deletedItem, propertiesBundle, secretBundle, secretItem } from './bundles.ts';
import { throttled, VaultError } from './errors.ts';
import type { KeyStore } from './keyStore.ts';
import { cutPage, nextLink, readPageRequest } from './paging.ts';
import { requireAllowed } from './policy.ts';
import type { Route } from './routing.ts';
import type { VaultOperation, VaultPolicies, VaultResponse } from './types.ts';
import { parseSetParameters, parseUpdateParameters } from './validation.ts';
import type { VaultStore } from './vaultStore.ts';

/** The input of an operation; `base` is the address that the caller used, because it is part of every id. */
export interface OperationContext {
  readonly store: VaultStore;
  readonly keys: KeyStore;
  readonly route: Route;
  readonly base: string;
  readonly body: Buffer;
  /** Epoch seconds. */
  readonly at: number;
  readonly policies: VaultPolicies;
  newVersionId(): string;
  secondsToWait(): number | undefined;
}

type Execute = (context: OperationContext, name: string) => VaultResponse;

const EXECUTE: Readonly<Record<VaultOperation, Execute>> = {
  getSecret: ({ store, route, base }, name) => ok(secretBundle(base, store.get(name, route.version))),
  setSecret,
  updateSecret: ({ store, route, base, body, at }, name) =>
    ok(propertiesBundle(base, store.update(name, route.version, parseUpdateParameters(body), at))),
  listVersions: (context, name) =>
    list(context, context.store.versions(name), (found) => found.version.id, propertiesBundle),
  listSecrets: (context) => list(context, context.store.live(), nameKey, secretItem),
  deleteSecret: ({ store, base, at }, name) => ok(deletedBundle(base, store.delete(name, at))),
  getDeleted: ({ store, base }, name) => ok(deletedBundle(base, store.getDeleted(name))),
  listDeleted: (context) => list(context, context.store.deleted(), nameKey, deletedItem),
  recover: ({ store, base }, name) => ok(propertiesBundle(base, store.recover(name))),
  purge: ({ store }, name) => {
    store.purge(name);
    return { status: 204 };
  },
  getKey: ({ keys, base }, name) => ok(keys.keyBundle(base, name)),
  getCertificate: ({ keys, base }, name) => ok(keys.certificateBundle(base, name)),
  sign: ({ keys, route, base, body }, name) =>
    ok(keys.sign(base, { name, version: route.version ?? '' }, body)),
  unknown: () => {
    throw new VaultError(404, 'NotFound', 'This vault does not know the operation.');
  },
};

/** Executes the operation that a request asks for. Throws refusals. */
export function executeOperation(context: OperationContext): VaultResponse {
  return EXECUTE[context.route.operation](context, context.route.secretName ?? '');
}

function setSecret(context: OperationContext, name: string) {
  const { store, base, body, at, policies, newVersionId, secondsToWait } = context;
  const wait = secondsToWait();
  if (wait !== undefined) throw throttled(wait);
  const parameters = parseSetParameters(body);
  requireAllowed(name, parameters, policies, at);
  return ok(secretBundle(base, store.set(name, newVersionId(), parameters, at)));
}

function list<T>(
  { route, base }: OperationContext,
  items: readonly T[],
  keyOf: (item: T) => string,
  show: (base: string, item: T) => unknown,
): VaultResponse {
  const page = cutPage(items, keyOf, readPageRequest(route.query));
  const value = page.items.map((item) => show(base, item));
  return ok({ value, nextLink: nextLink(`${base}${route.path}`, route.query, page.last) });
}

function nameKey({ name }: { readonly name: string }): string {
  return name.toLowerCase();
}

function ok(body: unknown): VaultResponse {
  return { status: 200, body };
}
