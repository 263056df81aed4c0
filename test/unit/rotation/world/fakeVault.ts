import { type ErrorCode, RotatorError } from '../../../../lib/errors.ts';
import type { Tags } from '../../../../lib/rotation/core/tags.ts';
import type { Secret, SecretProperties, SecretVersion } from '../../../../lib/rotation/ports.ts';

interface StoredVersion extends SecretProperties {
  readonly version: string;
  readonly value: string;
  readonly createdAt: number;
  tags: Tags;
}

/** What a Key Vault holds, without the way there: versions, whole seconds, disabled and soft-deleted secrets. */
export class FakeVault {
  readonly #secrets = new Map<string, StoredVersion[]>();
  readonly #deleted = new Set<string>();
  readonly #now: () => number;
  #versions = 0;

  constructor(now: () => number) {
    this.#now = now;
  }

  /** All versions, the oldest first. */
  history(name: string): readonly StoredVersion[] {
    return this.#deleted.has(name) ? [] : (this.#secrets.get(name) ?? []);
  }

  latest(name: string): StoredVersion | undefined {
    return this.history(name).at(-1);
  }

  /** Everything that was ever written, to search for leaks. */
  all(): readonly StoredVersion[] {
    return [...this.#secrets.values()].flat();
  }

  get(name: string, version?: string): Secret | undefined {
    const found = version ? this.#find(name, version) : this.latest(name);
    if (!found) return undefined;
    if (found.enabled === false) throw failure('secret_disabled');
    const { contentType, notBefore, expiresAt } = found;
    const properties = {
      ...(contentType !== undefined && { contentType }),
      ...(notBefore !== undefined && { notBefore }),
      ...(expiresAt !== undefined && { expiresAt }),
    };
    return { ...versionOf(found), value: found.value, properties };
  }

  put(name: string, value: string, properties: SecretProperties): SecretVersion {
    if (this.#deleted.has(name)) throw failure('secret_soft_deleted');
    const latest = this.latest(name);
    if (properties.skipIdentical && latest?.value === value) {
      Object.assign(latest, properties);
      return versionOf(latest);
    }
    this.#versions += 1;
    const createdAt = Math.floor(this.#now() / 1000) * 1000;
    const stored = { ...properties, version: `v${this.#versions}`, value, createdAt };
    this.#secrets.set(name, [...(this.#secrets.get(name) ?? []), stored]);
    return versionOf(stored);
  }

  tag(name: string, version: string, tags: Tags): void {
    const found = this.#find(name, version);
    if (!found) throw failure('vault_rejected');
    found.tags = tags;
  }

  versions(name: string): readonly SecretVersion[] {
    return this.history(name).map(versionOf).reverse();
  }

  /** What a person does: a new value without any tag. */
  set(name: string, value: string, tags: Tags = {}): string {
    return this.put(name, value, { tags }).version;
  }

  /** @param version the latest unless told */
  disable(name: string, version = this.latest(name)?.version ?? ''): void {
    const found = this.#find(name, version);
    if (!found) throw failure('vault_rejected');
    Object.assign(found, { enabled: false });
  }

  softDelete(name: string): void {
    this.#deleted.add(name);
  }

  recover(name: string): void {
    this.#deleted.delete(name);
  }

  #find(name: string, version: string): StoredVersion | undefined {
    return this.history(name).find((stored) => stored.version === version);
  }
}

/** An error as the adapters throw it. */
export function failure(code: ErrorCode, retryAfterMs?: number): RotatorError {
  return new RotatorError({ code, message: `The world answers ${code}.`, fix: 'None.' }, { retryAfterMs });
}

function versionOf({ version, createdAt, tags, enabled }: StoredVersion): SecretVersion {
  return { version, createdAt, tags, ...(enabled === false && { enabled }) };
}
