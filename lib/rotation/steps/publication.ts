import { RotatorError } from '../../errors.ts';
import { type ConnectionLog, logOf } from '../../log.ts';
import { refuseTooLarge } from '../../secretSize.ts';
import {
  accessTokenSecret,
  type Connection,
  type ConnectionStringValues,
  connectionStringSecret,
  type PublishedSecret,
  publishedSecrets,
  renderConnectionString,
} from '../core/connection.ts';
import { type ConnectionRecord, publishableNoted } from '../core/record.ts';
import { attributesOf } from '../core/secretAttributes.ts';
import { hasDefaultLifetime, isManaged, publishedTags, type Tags, withExpiration } from '../core/tags.ts';
import { expectedRefreshTokenExpiry, PUBLISH_ATTEMPTS, publishPause } from '../core/times.ts';
import type { IssuedAccessToken } from '../core/tokenRequest.ts';
import type { Ports, Secret, SecretProperties, SecretVault, SecretVersion } from '../ports.ts';
import type { Lease } from './lease.ts';
import { disableVersion } from './refreshToken.ts';

/** An access token that has just been issued. */
export interface Issued {
  readonly accessToken: IssuedAccessToken;
  /** When the token request was sent, milliseconds since the epoch. */
  readonly issuedAt: number;
  /** Of the refresh token that it was obtained with, or that came with it. */
  readonly generation: number;
  /** When that refresh token ends, milliseconds since the epoch, if it is known. */
  readonly refreshTokenExpiresAt: number | undefined;
}

/** What the attributes of a published secret depend on. */
type Attributed = Omit<Issued, 'accessToken'> & {
  readonly accessToken: Pick<IssuedAccessToken, 'lifetimeMs' | 'scope'> & Partial<IssuedAccessToken>;
};

/** A published secret; one that is disabled has no value that can be read. */
export type Published = SecretVersion & {
  readonly value: string | undefined;
  readonly properties: Secret['properties'];
};

/** The last second that Key Vault's client can write. */
const LATEST_EXPIRY_MS = 0x7fffffff * 1000;

const EVENTS = {
  accessToken: 'access_token_published',
  connectionString: 'connection_string_published',
} as const;

/** The secrets that consumers read. Only the holder of the lease writes them. */
export class Publication {
  readonly #connection: Connection;
  readonly #ports: Pick<Ports, 'vault' | 'clock' | 'pacer'>;
  readonly #lease: Lease;
  readonly #log: ConnectionLog;
  /** The tags of the published secrets, by place: operators add their own, and the next version keeps them. */
  readonly #tags = new Map<string, Tags>();

  constructor(connection: Connection, ports: Ports, lease: Lease) {
    this.#connection = connection;
    this.#ports = ports;
    this.#lease = lease;
    this.#log = logOf(ports.log, connection.name);
  }

  /**
   * Asks, before anything is written, whose the published secrets are: each name must be free, ours or declared `overwrite`. This
   * is asked each time: a record can be forged, and nothing of others must be overwritten.
   * @returns those that have not proven that they take a write; that they do is remembered in the record until a publication fails
   * @throws RotatorError `secret_not_managed`, `secret_soft_deleted` or what else the vault says
   */
  async unproven(record: ConnectionRecord): Promise<readonly PublishedSecret[]> {
    const proven = record.publishable?.split(' ') ?? [];
    const unproven: PublishedSecret[] = [];
    for (const secret of publishedSecrets(this.#connection)) {
      const current = await this.#readOurs(secret);
      const isProven = proven.includes(placeOf(secret));
      if (isProven && secret.key === 'accessToken') this.#warnOfChange(record, secret.name, current);
      if (!isProven || current?.value === undefined) unproven.push(secret);
    }
    return unproven;
  }

  /**
   * Makes sure, before a refresh token is spent, that everything that comes of it can be published. Only the rotator that owns the
   * refresh token may do this: another one may have published in the meantime.
   * @throws RotatorError, LeaseLost
   */
  async prove(record: ConnectionRecord, unproven: readonly PublishedSecret[]): Promise<ConnectionRecord> {
    for (const secret of unproven) await this.#proveWrite(secret, record);
    const places = publishedSecrets(this.#connection).map(placeOf).join(' ');
    return record.publishable === places ? record : publishableNoted(record, places);
  }

  async #readOurs(secret: PublishedSecret): Promise<Published | undefined> {
    const current = await readPublished(this.#ports.vault(secret.vault), secret.name);
    if (current && !isManaged(current.tags) && !this.#connection.overwrite)
      throw notManaged(this.#connection, secret);
    if (current && isManaged(current.tags)) this.#tags.set(placeOf(secret), current.tags);
    return current;
  }

  #warnOfChange(record: ConnectionRecord, secret: string, current: Published | undefined): void {
    if (!isPublishedChanged(record, current)) return;
    const expiresAt = current?.properties.expiresAt;
    const expires = expiresAt === undefined ? undefined : new Date(expiresAt).toISOString();
    this.#log('warn', 'published_token_changed', { secret, expires });
  }

  /**
   * Writes once more what consumers can read, or a disabled placeholder if there is nothing to read: with the attributes of what will be
   * published, because an Azure Policy may refuse those. What can be read keeps its own expiration date.
   */
  async #proveWrite(secret: PublishedSecret, record: ConnectionRecord): Promise<void> {
    const { vault: url, name } = secret;
    const { behavior } = this.#connection;
    const vault = this.#ports.vault(url);
    await this.#ports.pacer.take(url, 1);
    // What was read earlier may be out of date by now.
    const current = await this.#readOurs(secret);
    const hidden = current && current.value === undefined ? await this.#hidden(secret) : undefined;
    const readable = hidden ?? current;
    const now = this.#lease.now();
    const { accessToken: last } = record;
    const expected = this.#propertiesOf(secret, {
      accessToken: { lifetimeMs: last ? last.expiresAt - last.issuedAt : behavior.defaultExpiresInMs },
      issuedAt: now,
      generation: record.generation,
      refreshTokenExpiresAt: expectedRefreshTokenExpiry(record, behavior, now),
    });
    this.#lease.ensureHeld();
    if (!readable?.value) return void (await vault.put(name, 'pending', { ...expected, enabled: false }));
    const { notBefore: _, ...lacking } = expected;
    const isExpirationKept = readable.properties.expiresAt !== undefined;
    const own = isExpirationKept ? withExpiration(expected.tags, undefined) : expected.tags;
    const tags = { ...readable.tags, ...own };
    const properties = { ...lacking, ...readable.properties, tags };
    const { version } = await vault.put(name, readable.value, properties);
    if (hidden && current) this.#log('warn', 'late_write_undone', { version, late: current.version });
  }

  /** The token that is still valid behind a placeholder, which arrived after its writer had given up. */
  async #hidden({ vault: url, name }: PublishedSecret): Promise<Secret | undefined> {
    const vault = this.#ports.vault(url);
    const versions = await vault.versions(name);
    const newest = versions
      .filter(({ tags, enabled = true }) => enabled && isManaged(tags))
      .toSorted((one, other) => other.createdAt - one.createdAt)[0];
    const secret = newest && (await vault.get(name, newest.version));
    return (secret?.properties.expiresAt ?? 0) > this.#lease.now() ? secret : undefined;
  }

  /**
   * Writes the access token.
   * @throws RotatorError if the vault does not take it, after three tries; LeaseLost
   */
  async writeAccessToken(issued: Issued): Promise<void> {
    const { value } = issued.accessToken;
    refuseTooLarge(value, {
      code: 'access_token_too_large',
      what: `The access token of ${this.#connection.name}`,
      fix: `Ask for fewer scopes or claims in the entry of ${this.#connection.name}, or at the provider.`,
    });
    const secret = accessTokenSecret(this.#connection);
    await this.#write(secret, value, this.#propertiesOf(secret, issued), issued);
  }

  /**
   * Writes the connection string, if the connection asks for one. If it holds a refresh token, the version before it is disabled
   * afterwards. After a crash in between, that version stays enabled: nothing looks for it later.
   * @param values with the refresh token that is saved by now
   * @throws RotatorError if it cannot be written, or the vault does not take it, after three tries; LeaseLost
   */
  async writeConnectionString(issued: Issued, values: ConnectionStringValues): Promise<void> {
    const { connectionString, name } = this.#connection;
    const secret = connectionStringSecret(this.#connection);
    if (!connectionString || !secret) return;
    const text = renderConnectionString(this.#connection, connectionString, values);
    refuseTooLarge(text, {
      code: 'connection_string_too_large',
      what: `The connection string of ${name}`,
      fix: `Ask for fewer scopes or claims in the entry of ${name}, or shorten publish.connectionString.`,
    });
    const replaced =
      connectionString.holds === 'accessToken' ? undefined : await this.#publishedVersion(secret);
    const version = await this.#write(secret, text, this.#propertiesOf(secret, issued), issued);
    if (replaced !== undefined && replaced !== version)
      await disableVersion(this.#ports.vault(secret.vault), secret.name, replaced, this.#log);
  }

  /** The version of ours that is about to be replaced, if the vault tells it. */
  async #publishedVersion({ vault, name }: PublishedSecret): Promise<string | undefined> {
    const found = await readPublished(this.#ports.vault(vault), name).catch(() => undefined);
    return found?.value !== undefined && isManaged(found.tags) ? found.version : undefined;
  }

  /** What is stored beside a published secret, which ends with the token that it holds. */
  #propertiesOf(secret: PublishedSecret, { accessToken, issuedAt, generation, ...more }: Attributed) {
    const { name: connection, connectionString, expirationHorizonMs: horizonMs, behavior } = this.#connection;
    const holdsRefreshToken = secret.key === 'connectionString' && connectionString?.holds === 'refreshToken';
    const end = holdsRefreshToken ? more.refreshTokenExpiresAt : issuedAt + accessToken.lifetimeMs;
    const kept = this.#tags.get(placeOf(secret));
    const { scope, expiresInIsDefault, tags: received } = accessToken;
    // The end of a refresh token is the provider's word.
    const isDefault = expiresInIsDefault && !holdsRefreshToken;
    const members = { received, names: behavior.response?.tags };
    const token = { connection, generation, scope, expiresInIsDefault: isDefault, members };
    const tags = publishedTags(token, kept);
    const attributes = attributesOf(secret.key, tags, { end, now: this.#lease.now(), horizonMs });
    return { ...attributes, notBefore: issuedAt };
  }

  async #write(
    { key, vault, name }: PublishedSecret,
    value: string,
    properties: SecretProperties,
    { generation, accessToken: { expiresInIsDefault } }: Issued,
  ): Promise<string> {
    for (let attempt = 1; ; attempt++) {
      this.#lease.ensureHeld();
      try {
        const written = await this.#ports
          .vault(vault)
          .put(name, value, { ...properties, skipIdentical: true });
        this.#log('info', EVENTS[key], { version: written.version, generation, expiresInIsDefault });
        return written.version;
      } catch (thrown) {
        if (attempt === PUBLISH_ATTEMPTS) throw thrown;
        await this.#ports.clock.sleep(publishPause(attempt));
      }
    }
  }
}

/** Names a published secret in a record. */
function placeOf({ vault, name }: PublishedSecret): string {
  return `${vault}/${name}`;
}

/**
 * Is the published access token another one than the record says? Then it was changed by hand, or the record was. While a request is
 * in flight, the record may lag behind.
 */
export function isPublishedChanged(
  { accessToken, phase }: ConnectionRecord,
  published: Published | undefined,
): boolean {
  if (!accessToken || phase.state !== 'idle') return false;
  if (!published?.value || !isManaged(published.tags)) return true;
  const { expiresAt = 0 } = published.properties;
  // Key Vault's times have whole seconds, and end in 2038.
  return (
    expiresAt < Math.min(accessToken.expiresAt, LATEST_EXPIRY_MS) - 1_000 || expiresAt > accessToken.expiresAt
  );
}

/**
 * When the access token that consumers read was issued and expires, as its secret tells; undefined if there is none of ours.
 * @throws RotatorError
 */
export async function publishedTimes(
  connection: Connection,
  ports: Pick<Ports, 'vault'>,
): Promise<ConnectionRecord['accessToken']> {
  const { vault, name } = accessTokenSecret(connection);
  const current = await readPublished(ports.vault(vault), name);
  const expiresAt = current?.properties.expiresAt;
  if (!current || !isManaged(current.tags) || expiresAt === undefined) return undefined;
  return {
    issuedAt: current.properties.notBefore ?? current.createdAt,
    expiresAt,
    expiresInIsDefault: hasDefaultLifetime(current.tags),
  };
}

/**
 * A published secret as it is now. Key Vault does not return a disabled one, such as our placeholder: `value` is then undefined, and
 * the tags come from the list of versions.
 */
export async function readPublished(vault: SecretVault, name: string): Promise<Published | undefined> {
  try {
    return await vault.get(name);
  } catch (thrown) {
    if (!(thrown instanceof RotatorError) || thrown.code !== 'secret_disabled') throw thrown;
    const versions = await vault.versions(name);
    const newest = versions.toSorted((one, other) => other.createdAt - one.createdAt)[0];
    return newest && { ...newest, value: undefined, properties: {} };
  }
}

/** A published name is taken by a secret that the rotator did not make. */
export function notManaged(connection: Connection, { key, vault, name }: PublishedSecret): RotatorError {
  return new RotatorError({
    code: 'secret_not_managed',
    message: `The secret ${name} in ${vault} exists and was not made by the rotator.`,
    fix: `Name another secret under secrets.${key} of ${connection.name}, or set "overwrite": true to overwrite this one.`,
  });
}
