import { createPublicKey } from 'node:crypto';
import { badParameter, VaultError } from './errors.ts';
import { type Algorithm, signDigest } from './signDigest.ts';
import type { ImportedKey } from './types.ts';

interface KeyVersion extends ImportedKey {
  readonly id: string;
  /** Seconds since the epoch. */
  readonly created: number;
}

const KEY_TYPES: Readonly<Record<Algorithm, string>> = { RS256: 'rsa', PS256: 'rsa', ES256: 'ec' };

/** The keys and certificates of a vault: Get Key, Get Certificate and Sign of the service, as far as the rotator uses them. */
export class KeyStore {
  readonly #keys = new Map<string, KeyVersion[]>();
  /** Seconds since the epoch. */
  readonly #now: () => number;

  constructor(now: () => number) {
    this.#now = now;
  }

  /** Adds a version, which becomes the latest one. @returns its id */
  add(name: string, id: string, key: ImportedKey): string {
    const versions = this.#keys.get(name.toLowerCase()) ?? [];
    this.#keys.set(name.toLowerCase(), [...versions, { ...key, id, created: this.#now() }]);
    return id;
  }

  keyBundle(base: string, name: string): object {
    const version = this.#latest('key', name);
    const jwk = createPublicKey(version.privateKey).export({ format: 'jwk' });
    const key = { kid: `${base}/keys/${name}/${version.id}`, ...jwk, key_ops: ['sign', 'verify'] };
    return { key, ...shared(version) };
  }

  certificateBundle(base: string, name: string): object {
    const version = this.#latest('certificate', name);
    const { kty, crv } = createPublicKey(version.privateKey).export({ format: 'jwk' });
    return {
      id: `${base}/certificates/${name}/${version.id}`,
      kid: `${base}/keys/${name}/${version.id}`,
      sid: `${base}/secrets/${name}/${version.id}`,
      cer: version.certificate?.toString('base64'),
      policy: { key_props: { exportable: false, kty, ...(crv !== undefined && { crv }) } },
      ...shared(version),
    };
  }

  /** Signs a digest. The service refuses disabled and expired keys. */
  sign(base: string, { name, version: id }: { name: string; version: string }, body: Buffer): object {
    const version = this.#keys.get(name.toLowerCase())?.find((each) => each.id === id);
    if (!version) throw notFound('key', `${name}/${id}`);
    if (version.enabled === false) throw refused('KeyDisabled', 'disabled');
    if (version.exp !== undefined && version.exp <= this.#now()) throw refused('KeyExpired', 'expired');
    const { algorithm, digest } = parameters(body);
    if (KEY_TYPES[algorithm] !== version.privateKey.asymmetricKeyType)
      throw badParameter('Key and signing algorithm are incompatible.');
    const value = signDigest(version.privateKey, algorithm, digest).toString('base64url');
    return { kid: `${base}/keys/${name}/${id}`, value };
  }

  #latest(kind: 'key' | 'certificate', name: string): KeyVersion {
    const version = this.#keys.get(name.toLowerCase())?.at(-1);
    if (!version || (kind === 'certificate' && !version.certificate)) throw notFound(kind, name);
    return version;
  }
}

function shared({ enabled = true, exp, created, tags }: KeyVersion): object {
  const times = { created, updated: created, ...(exp !== undefined && { exp }) };
  return { attributes: { enabled, ...times }, ...(tags && { tags }) };
}

function parameters(body: Buffer): { algorithm: Algorithm; digest: Buffer } {
  let alg: unknown;
  let value: unknown;
  try {
    ({ alg, value } = JSON.parse(body.toString()));
  } catch {
    throw badParameter('The request body is not valid JSON.');
  }
  const digest = Buffer.from(String(value), 'base64url');
  if (!Object.hasOwn(KEY_TYPES, String(alg))) throw badParameter('The algorithm is not supported.');
  if (digest.length !== 32) throw badParameter('Invalid length of value: 32 bytes are needed.');
  return { algorithm: alg as Algorithm, digest };
}

function notFound(kind: string, name: string): VaultError {
  const code = kind === 'key' ? 'KeyNotFound' : 'CertificateNotFound';
  return new VaultError(404, code, `A ${kind} with (name/id) ${name} was not found in this key vault.`);
}

function refused(innerCode: string, state: string): VaultError {
  return new VaultError(403, 'Forbidden', `Operation sign is not allowed on a ${state} key.`, { innerCode });
}
