import type { Log } from '../log.ts';
import type { ClientKey, Connection, Connections, SigningAlgorithm } from './core/connection.ts';
import type { ConnectionRecord, RecordSummary } from './core/record.ts';
import type { Tags } from './core/tags.ts';
import type { Revoke, TokenEndpoint } from './core/tokenRequest.ts';

/** One version of a secret, without its value. */
export interface SecretVersion {
  readonly version: string;
  /** Milliseconds since the epoch; Key Vault gives whole seconds. */
  readonly createdAt: number;
  readonly tags: Tags;
  /** A disabled version cannot be read. Default true. */
  readonly enabled?: boolean;
  /** Milliseconds since the epoch. */
  readonly expiresAt?: number;
  /** Was it changed in a later second than it was written in, whichever program did it? Default false. */
  readonly isChanged?: boolean;
}

/** What is stored beside a value. */
export interface SecretProperties {
  readonly tags: Tags;
  readonly contentType?: string;
  /** Milliseconds since the epoch. */
  readonly notBefore?: number;
  /** Milliseconds since the epoch. */
  readonly expiresAt?: number;
  /** A disabled version cannot be read. Default true. */
  readonly enabled?: boolean;
  /**
   * Where the value is the one that this process wrote last, change only the properties: consumers lose nothing and the
   * secret grows by no version.
   */
  readonly skipIdentical?: boolean;
}

/** One version of a secret with its value. */
export interface Secret extends SecretVersion {
  readonly value: string;
  readonly properties: Pick<SecretProperties, 'contentType' | 'notBefore' | 'expiresAt'>;
}

/** One Key Vault. All methods throw `RotatorError` (codes `vault_*`, `secret_*`) and nothing else. */
export interface SecretVault {
  /** The named version, or the latest; undefined if there is none. */
  get(name: string, version?: string): Promise<Secret | undefined>;
  /** Writes a new version. */
  put(name: string, value: string, properties: SecretProperties): Promise<SecretVersion>;
  /**
   * Replaces all tags of one version; makes no new version.
   * @param expiresAt its new expiration date, in milliseconds since the epoch; undefined: it stays
   */
  tag(name: string, version: string, tags: Tags, expiresAt?: number): Promise<void>;
  /** Takes one version out of use: it cannot be read any more, and keeps its tags. */
  disable(name: string, version: string): Promise<void>;
  /** Takes back {@link disable}. */
  enable(name: string, version: string): Promise<void>;
  /**
   * All versions, in no particular order; empty if the secret does not exist.
   * @param enough stops after the page that makes so many
   */
  versions(name: string, enough?: number): Promise<readonly SecretVersion[]>;
}

/** A key or certificate of Key Vault, without its private part. */
export interface VaultKey extends Pick<SecretVersion, 'version' | 'createdAt' | 'tags' | 'expiresAt'> {
  /** `EC` only if it has the curve P-256. */
  readonly type: 'RSA' | 'EC' | 'other';
  /** Of a certificate: the SHA-256 digest of its DER, base64url. */
  readonly thumbprint?: string;
}

/** The keys and certificates of one Key Vault. All methods throw `RotatorError` (codes `vault_*`, `key_disabled`, `key_unusable`) and nothing else. */
export interface VaultKeys {
  /** The latest version; undefined if there is none. */
  get(kind: 'key' | 'certificate', name: string): Promise<VaultKey | undefined>;
  /** The signature of a SHA-256 digest, in the form of RFC 7518 section 3. The private key stays in the vault. */
  sign(key: NamedVersion, algorithm: SigningAlgorithm, digest: Uint8Array): Promise<Uint8Array>;
}

/** A version of a key; a certificate and its key have the same names. */
export interface NamedVersion {
  readonly name: string;
  readonly version: string;
}

/** A key of the client as it was read. Of `secret` and `vaultKey`, the one that its kind says. */
export interface ReadClientKey {
  readonly key: ClientKey;
  readonly secret?: Secret;
  readonly vaultKey?: VaultKey;
}

/** What makes client assertions (RFC 7521 section 4.2). All methods throw `RotatorError` and nothing else. */
export interface ClientAssertions {
  /** A key or certificate of the connection's credential vault; undefined if there is none. */
  read(connection: Connection, key: Pick<ClientKey, 'kind' | 'name'>): Promise<VaultKey | undefined>;
  /**
   * A new assertion, signed with the key (RFC 7523 section 3). @param now milliseconds since the epoch
   * @throws RotatorError `key_unusable`, `key_disabled`, `vault_*`
   */
  sign(connection: Connection, clientId: string, key: ReadClientKey, now: number): Promise<string>;
  /** A token of the managed identity for the connection. @throws RotatorError `identity_unavailable` */
  federate(connection: Connection): Promise<string>;
}

/** All records. */
export interface RecordList {
  /** The service's time in milliseconds. */
  readonly now: number;
  /** By connection name. */
  readonly summaries: ReadonlyMap<string, RecordSummary>;
  /** Names of the connections whose record is leased: a rotation is running, or a command works on it. */
  readonly leased: ReadonlySet<string>;
  /** When a sweep of any process noted last that it runs, by the service's time in milliseconds; missing: none ever did. */
  readonly sweptAt?: number;
}

/** The records and their leases. All methods throw `RotatorError` (codes `storage_*`, `record_*`) and nothing else. */
export interface RecordStore {
  /** Stands for this store in tags. */
  readonly host: string;
  list(): Promise<RecordList>;
  /** Notes that a sweep runs: `sweptAt` is now. */
  noteSweep(): Promise<void>;
  /** Undefined if there is none. */
  read(name: string): Promise<ConnectionRecord | undefined>;
  /** Makes the record unless there is one. */
  create(record: ConnectionRecord): Promise<void>;
  /** `taken` where another holds it, `absent` where there is no record. `now` is the service's time. */
  acquireLease(
    name: string,
  ): Promise<{ readonly leaseId: string; readonly now: number } | 'taken' | 'absent'>;
  /** @returns false if the lease is no longer ours */
  renewLease(name: string, leaseId: string): Promise<boolean>;
  releaseLease(name: string, leaseId: string): Promise<void>;
  /** @returns false if the lease is no longer ours; nothing is written then */
  write(record: ConnectionRecord, leaseId: string): Promise<boolean>;
}

/** The machine's own clock: only for measuring how long something took. */
export interface Clock {
  /** Milliseconds since some fixed moment; never goes back. */
  monotonic(): number;
  /** Resolves after `ms` milliseconds, or immediately when the signal fires. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

/** Keeps writes under the limit of a vault. */
export interface WritePacer {
  /** Resolves when `writes` more new versions may be written to the vault. */
  take(vaultUrl: string, writes: number): Promise<void>;
  /** These writes were admitted and will not be sent. */
  giveBack(vaultUrl: string, writes: number): void;
}

/** Everything outside that the protocol acts on. */
export interface Ports {
  readonly vault: (url: string) => SecretVault;
  readonly records: RecordStore;
  readonly tokenEndpoint: TokenEndpoint;
  readonly revoke: Revoke;
  readonly assertions: ClientAssertions;
  readonly connections: () => Promise<Connections>;
  readonly clock: Clock;
  readonly pacer: WritePacer;
  readonly log: Log;
  /** The longest time between two sweeps, in milliseconds. */
  readonly scheduleIntervalMs: number;
  /** The first sweep after a moment, both in milliseconds since the epoch; undefined if there is none. */
  readonly nextSweep: (after: number) => number | undefined;
}
