import {
  type DeletedSecret,
  type Found,
  RECOVERABLE_DAYS,
  type SecretVersion,
  type StoredSecret,
} from './vaultStore.ts';

/** A version in the format of the service, without its value. */
export function propertiesBundle(base: string, { secret, version }: Found): Record<string, unknown> {
  return { id: `${base}/secrets/${secret.name}/${version.id}`, ...shared(version) };
}

/** A version with its value. */
export function secretBundle(base: string, found: Found): Record<string, unknown> {
  return { value: found.version.value, ...propertiesBundle(base, found) };
}

/** A secret in a listing: the identifier has no version, the properties are those of the latest. */
export function secretItem(base: string, secret: StoredSecret): Record<string, unknown> {
  return { id: `${base}/secrets/${secret.name}`, ...shared(latest(secret)) };
}

/** A deleted secret. */
export function deletedBundle(base: string, secret: DeletedSecret): Record<string, unknown> {
  return { ...deletion(base, secret), ...propertiesBundle(base, { secret, version: latest(secret) }) };
}

/** A deleted secret in a listing. */
export function deletedItem(base: string, secret: DeletedSecret): Record<string, unknown> {
  return { ...deletion(base, secret), ...secretItem(base, secret) };
}

function deletion(base: string, secret: DeletedSecret): Record<string, unknown> {
  return { recoveryId: `${base}/deletedsecrets/${secret.name}`, ...secret.deleted };
}

function shared(version: SecretVersion): Record<string, unknown> {
  const { id: _id, value: _value, contentType, tags, ...attributes } = version;
  return {
    ...(contentType === undefined ? {} : { contentType }),
    attributes: { ...attributes, recoveryLevel: 'Recoverable+Purgeable', recoverableDays: RECOVERABLE_DAYS },
    ...(tags === undefined ? {} : { tags }),
  };
}

function latest(secret: StoredSecret): SecretVersion {
  const version = secret.versions.at(-1);
  if (!version) throw new Error('A stored secret has at least one version.');
  return version;
}
