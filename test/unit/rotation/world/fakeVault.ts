import { type ErrorCode, RotatorError } from '../../../../lib/errors.ts';
import type { Tags } from '../../../../lib/rotation/core/tags.ts';
import type { Secret, SecretProperties, SecretVersion } from '../../../../lib/rotation/ports.ts';

/** The client writes times as signed 32-bit seconds. */
const LATEST_TIME_S = 0x7fffffff;

/** The properties that are written with a value. */
type StoredProperties = Omit<SecretProperties, 'skipIdentical'>;

/** 25 KB (Key Vault service limits). */
const LARGEST_SECRET_BYTES = 25_600;

interface StoredVersion extends StoredProperties {
  readonly version: string;
  readonly value: string;
  readonly createdAt: number;
  updatedAt: number;
  tags: Tags;
}

/** A write that some reads do not show yet. */
interface LaggingWrite {
  readonly version: StoredVersion;
  /** The version before the write; undefined if the write created it. */
  readonly before: StoredVersion | undefined;
  /** When listings and GETs of the latest version show the write. */
  readonly listedFrom: number;
  readonly latestFrom: number;
}

/**
 * Key Vault in memory, without the network. `test/contract/vaultContract.ts` tests it and the real adapter for the same behavior.
 */
export class FakeVault {
  /**
   * Key Vault does not promise that a read shows a write that it has just acknowledged. While this is set, listings
   * show a write only after this many milliseconds. A GET of a named version always shows it.
   */
  listingLagMs = 0;
  /** The same for a GET of the latest version. */
  latestLagMs = 0;
  /** By name in lower case. */
  readonly #secrets = new Map<string, StoredVersion[]>();
  readonly #deleted = new Set<string>();
  readonly #now: () => number;
  #versions = 0;
  #lagging: LaggingWrite[] = [];
  /** How to undo each write, the oldest first. */
  readonly #journal: { readonly at: number; readonly undo: () => void }[] = [];

  constructor(now: () => number) {
    this.#now = now;
  }

  /** All versions, the oldest first, regardless of the lag. */
  history(name: string): readonly StoredVersion[] {
    const key = name.toLowerCase();
    return this.#deleted.has(key) ? [] : (this.#secrets.get(key) ?? []);
  }

  /** The latest version, regardless of the lag. */
  latest(name: string): StoredVersion | undefined {
    return this.history(name).at(-1);
  }

  /** Everything that was ever written, to search for leaks. */
  all(): readonly StoredVersion[] {
    return [...this.#secrets.values()].flat();
  }

  get(name: string, version?: string): Secret | undefined {
    checkName(name);
    if (version !== undefined) checkVersion(version);
    const found = version === undefined ? this.#shown(name, 'latestFrom').at(-1) : this.#find(name, version);
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

  /**
   * @param written the version that the caller's last write of this value created: if it is still the latest, only its properties change
   */
  put(name: string, value: string, properties: SecretProperties, written?: string): SecretVersion {
    checkName(name);
    if (Buffer.byteLength(value) > LARGEST_SECRET_BYTES) throw failure('vault_rejected');
    const stored = storedProperties(properties);
    const key = name.toLowerCase();
    if (this.#deleted.has(key)) throw failure('secret_soft_deleted');
    const latest = this.#shown(name, 'latestFrom').at(-1);
    if (latest && latest.version === written && latest.enabled !== false)
      return versionOf(this.#change(name, written, stored));
    this.#versions += 1;
    const createdAt = wholeSeconds(this.#now());
    // Sorted by their ids, versions are not in order of time, as in Key Vault.
    const version = `${(this.#versions * 7) % 10}v${this.#versions}`;
    const made = { ...stored, version, value, createdAt, updatedAt: createdAt };
    this.#note(made, undefined);
    this.#secrets.set(key, [...(this.#secrets.get(key) ?? []), made]);
    const undo = () => {
      this.#secrets.set(
        key,
        this.history(name).filter((each) => each !== made),
      );
    };
    this.#journal.push({ at: this.#now(), undo });
    return versionOf(made);
  }

  tag(name: string, version: string, tags: Tags, expiresAt?: number): void {
    checkName(name);
    this.#change(name, version, storedProperties({ tags, ...(expiresAt !== undefined && { expiresAt }) }));
  }

  versions(name: string): readonly SecretVersion[] {
    checkName(name);
    const listed = this.#shown(name, 'listedFrom').map(versionOf);
    return listed.toSorted((one, other) => (one.version < other.version ? -1 : 1));
  }

  /** Sets a new value as an operator does, by default without tags. */
  set(name: string, value: string, tags: Tags = {}): string {
    return this.put(name, value, { tags }).version;
  }

  /** @param version by default the latest */
  disable(name: string, version = this.latest(name)?.version ?? ''): void {
    checkName(name);
    this.#change(name, version, { enabled: false });
  }

  enable(name: string, version: string): void {
    this.#change(name, version, { enabled: true });
  }

  softDelete(name: string): void {
    this.#deleted.add(name.toLowerCase());
  }

  recover(name: string): void {
    this.#deleted.delete(name.toLowerCase());
  }

  /** Forgets all versions but the newest ones, and how to undo their writes: years of rotations are played in memory. */
  forget(newest: number): void {
    for (const [name, versions] of this.#secrets) this.#secrets.set(name, versions.slice(-newest));
    this.#journal.length = 0;
  }

  /** The vault fails over to its paired region, which has received nothing since this time. */
  failOver(since: number): void {
    while ((this.#journal.at(-1)?.at ?? Number.NEGATIVE_INFINITY) >= since) this.#journal.pop()?.undo();
  }

  #find(name: string, version: string): StoredVersion | undefined {
    return this.history(name).find((stored) => stored.version === version);
  }

  /** Properties that `changes` does not name stay as they are; tags replace all tags. */
  #change(name: string, version: string, changes: Partial<StoredProperties>): StoredVersion {
    const found = this.#find(name, version);
    if (!found) throw failure('vault_rejected');
    const before = { ...found };
    this.#note(found, before);
    const undo = () => {
      for (const property of Object.keys(found)) Reflect.deleteProperty(found, property);
      Object.assign(found, before);
    };
    this.#journal.push({ at: this.#now(), undo });
    return Object.assign(found, changes, { updatedAt: wholeSeconds(this.#now()) });
  }

  #note(version: StoredVersion, before: StoredVersion | undefined): void {
    const now = this.#now();
    this.#lagging = this.#lagging.filter(
      ({ listedFrom, latestFrom }) => Math.max(listedFrom, latestFrom) > now,
    );
    if (this.listingLagMs === 0 && this.latestLagMs === 0) return;
    const [listedFrom, latestFrom] = [now + this.listingLagMs, now + this.latestLagMs];
    this.#lagging.push({ version, before, listedFrom, latestFrom });
  }

  /** The versions as a read shows them: if several writes of a version lag, it shows the version before the oldest of them. */
  #shown(name: string, from: 'listedFrom' | 'latestFrom'): readonly StoredVersion[] {
    const hidden = this.#lagging.filter((write) => write[from] > this.#now());
    if (hidden.length === 0) return this.history(name);
    return this.history(name).flatMap((version) => {
      const write = hidden.find((each) => each.version === version);
      return write ? (write.before ?? []) : version;
    });
  }
}

/** An error like those that the adapters throw. */
export function failure(code: ErrorCode, retryAfterMs?: number): RotatorError {
  return new RotatorError({ code, message: `The world reports ${code}.`, fix: 'None.' }, { retryAfterMs });
}

function versionOf(stored: StoredVersion): SecretVersion {
  const { version, createdAt, updatedAt, tags, enabled, expiresAt } = stored;
  return {
    version,
    createdAt,
    tags,
    ...(enabled === false && { enabled }),
    ...(expiresAt !== undefined && { expiresAt }),
    ...(updatedAt > createdAt && { isChanged: true }),
  };
}

function storedProperties({ skipIdentical: _, ...properties }: SecretProperties): StoredProperties {
  const { tags, contentType = '', notBefore, expiresAt } = properties;
  checkTags(tags);
  if (contentType.length > 255) throw failure('vault_rejected');
  return {
    ...properties,
    ...(notBefore !== undefined && { notBefore: wholeSeconds(notBefore) }),
    ...(expiresAt !== undefined && { expiresAt: wholeSeconds(expiresAt) }),
  };
}

function checkTags(tags: Tags): void {
  const longest = Math.max(
    0,
    ...Object.entries(tags)
      .flat()
      .map(({ length }) => length),
  );
  if (Object.keys(tags).length > 15 || longest > 512) throw failure('vault_rejected');
}

function checkName(name: string): void {
  if (!/^[0-9A-Za-z-]{1,127}$/.test(name)) throw failure('vault_rejected');
}

function checkVersion(version: string): void {
  if (!/^[0-9A-Za-z]{1,64}$/.test(version)) throw failure('vault_rejected');
}

function wholeSeconds(ms: number): number {
  return Math.min(Math.floor(ms / 1000), LATEST_TIME_S) * 1000;
}
