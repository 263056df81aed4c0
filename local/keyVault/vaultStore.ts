import { nameIsDeleted, secretDisabled, secretNotFound } from './errors.ts';
import type { SetParameters, UpdateParameters } from './validation.ts';

/** How long a deleted secret can be recovered. */
export const RECOVERABLE_DAYS = 90;

const SECONDS_PER_DAY = 86_400;

/** One version of a secret; times in epoch seconds. */
export interface SecretVersion {
  readonly id: string;
  readonly value: string;
  readonly contentType?: string;
  readonly tags?: Readonly<Record<string, string>>;
  readonly enabled: boolean;
  readonly nbf?: number;
  readonly exp?: number;
  readonly created: number;
  readonly updated: number;
}

/** A secret with all its versions, the oldest first: `created` has whole seconds, so it cannot order them. */
export interface StoredSecret {
  readonly name: string;
  readonly versions: readonly SecretVersion[];
  readonly deleted?: { readonly deletedDate: number; readonly scheduledPurgeDate: number };
}

/** A secret that is deleted and can be recovered. */
export type DeletedSecret = StoredSecret & Required<Pick<StoredSecret, 'deleted'>>;

/** A version together with the secret it belongs to. */
export interface Found {
  readonly secret: StoredSecret;
  readonly version: SecretVersion;
}

/**
 * The contents of a vault and the only ways to change them. It reads no clock and no random number.
 * Every transition either happens completely, or throws a refusal and changes nothing.
 */
export class VaultStore {
  /** Increases with each change, so that a caller can tell whether to save. */
  revision = 0;
  readonly #secrets = new Map<string, StoredSecret>();
  readonly #values = new Set<string>();

  constructor(secrets: readonly StoredSecret[] = []) {
    for (const secret of secrets) {
      this.#secrets.set(secret.name.toLowerCase(), secret);
      for (const { value } of secret.versions) this.#values.add(value);
    }
  }

  /** All secrets, including deleted ones. */
  snapshot(): StoredSecret[] {
    return [...this.#secrets.values()];
  }

  /** Every value ever stored, including those of purged secrets. */
  values(): string[] {
    return [...this.#values];
  }

  /** Secrets that are not deleted. */
  live(): StoredSecret[] {
    return this.snapshot().filter((secret) => secret.deleted === undefined);
  }

  /** Deleted secrets that can be recovered. */
  deleted(): DeletedSecret[] {
    return this.snapshot().filter(isDeleted);
  }

  /** Versions of a secret; empty if the secret does not exist, as in the service. */
  versions(name: string): Found[] {
    const secret = this.#secrets.get(name.toLowerCase());
    if (!secret || isDeleted(secret)) return [];
    return secret.versions.map((version) => ({ secret, version }));
  }

  /** A named version with its value, or the latest one. Expired versions are readable like others. */
  get(name: string, versionId?: string): Found {
    const found = this.#find(name, versionId);
    if (!found.version.enabled) throw secretDisabled();
    return found;
  }

  /** Adds a version, which becomes the latest. */
  set(name: string, versionId: string, parameters: SetParameters, at: number): Found {
    const known = this.#secrets.get(name.toLowerCase());
    if (known && isDeleted(known)) throw nameIsDeleted(known.name);
    const { attributes, ...properties } = parameters;
    const version = { id: versionId, ...properties, enabled: true, ...attributes, created: at, updated: at };
    const secret = { name: known?.name ?? name, versions: [...(known?.versions ?? []), version] };
    this.#values.add(version.value);
    this.#put(secret);
    return { secret, version };
  }

  /** Changes properties of a version (or of the latest one); new tags replace all old ones. */
  update(name: string, versionId: string | undefined, parameters: UpdateParameters, at: number): Found {
    const found = this.#find(name, versionId);
    const { attributes, ...properties } = parameters;
    const version = { ...found.version, ...properties, ...attributes, updated: at };
    const versions = found.secret.versions.map((other) => (other === found.version ? version : other));
    const secret = { ...found.secret, versions };
    this.#put(secret);
    return { secret, version };
  }

  /** Soft delete: the name stays taken. */
  delete(name: string, at: number): DeletedSecret {
    const { secret } = this.#find(name);
    const scheduledPurgeDate = at + RECOVERABLE_DAYS * SECONDS_PER_DAY;
    const deleted = { ...secret, deleted: { deletedDate: at, scheduledPurgeDate } };
    this.#put(deleted);
    return deleted;
  }

  /** A deleted secret. */
  getDeleted(name: string): DeletedSecret {
    const secret = this.#secrets.get(name.toLowerCase());
    if (!secret || !isDeleted(secret)) throw secretNotFound(name);
    return secret;
  }

  /** Reverses a deletion, for all versions. */
  recover(name: string): Found {
    const { deleted: _deleted, ...secret } = this.getDeleted(name);
    this.#put(secret);
    return this.#find(name);
  }

  /** Deletes a deleted secret permanently. */
  purge(name: string): void {
    this.getDeleted(name);
    this.#secrets.delete(name.toLowerCase());
    this.revision += 1;
  }

  #find(name: string, versionId?: string): Found {
    const secret = this.#secrets.get(name.toLowerCase());
    const version =
      versionId === undefined
        ? secret?.versions.at(-1)
        : secret?.versions.find((candidate) => candidate.id === versionId);
    if (!secret || !version || isDeleted(secret)) {
      throw secretNotFound(versionId === undefined ? name : `${name}/${versionId}`);
    }
    return { secret, version };
  }

  #put(secret: StoredSecret): void {
    this.#secrets.set(secret.name.toLowerCase(), secret);
    this.revision += 1;
  }
}

function isDeleted(secret: StoredSecret): secret is DeletedSecret {
  return secret.deleted !== undefined;
}
