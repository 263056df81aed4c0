import { RotatorError } from '../../errors.ts';
import {
  accessTokenSecret,
  type Connection,
  type PublishedSecret,
  publishedSecrets,
} from '../core/connection.ts';
import { type ConnectionRecord, publishableNoted } from '../core/record.ts';
import { isManaged, publishedTags } from '../core/tags.ts';
import type { SecretProperties, SecretVault } from '../ports.ts';
import type { Run } from './run.ts';

/**
 * Makes sure, before a refresh token is spent, that all that comes of it can be published: each name must be free, ours or
 * declared `adopt`, and its vault must take a write. Remembered in the record until a publish fails.
 * @throws RotatorError `secret_not_managed`, `secret_soft_deleted` or what else the vault says
 */
export async function ensurePublishable(run: Run, record: ConnectionRecord): Promise<ConnectionRecord> {
  const secrets = publishedSecrets(run.connection);
  const targets = secrets.map(({ vault, name }) => `${vault}/${name}`);
  if (record.publishable === targets.join(' ')) return record;
  const proven = record.publishable?.split(' ') ?? [];
  for (const [index, secret] of secrets.entries()) {
    if (proven.includes(targets[index] ?? '')) continue;
    await proveWrite(run, secret, record.generation);
  }
  return publishableNoted(record, targets.join(' '));
}

/** Writes what is there already once more, or a disabled placeholder where there is nothing to read. */
async function proveWrite(run: Run, secret: PublishedSecret, generation: number): Promise<void> {
  const { connection, lease, ports } = run;
  const { name } = secret;
  const vault = ports.vault(secret.vault);
  const current = await readPublished(vault, name);
  if (current && !isManaged(current.tags) && !connection.adopt) throw notManaged(connection, secret);
  await ports.pacer.take(secret.vault, 1);
  const tags = publishedTags({ connection: connection.name, generation });
  lease.ensureHeld();
  if (!current?.value) await vault.put(name, 'pending', { tags, enabled: false });
  else await vault.put(name, current.value, { ...current.properties, tags: { ...current.tags, ...tags } });
}

/**
 * When the access token that consumers read was issued and expires, as its secret tells; undefined where there is none of ours.
 * @throws RotatorError
 */
export async function publishedTimes({
  connection,
  ports,
}: Pick<Run, 'connection' | 'ports'>): Promise<ConnectionRecord['accessToken']> {
  const { vault, name } = accessTokenSecret(connection);
  const current = await readPublished(ports.vault(vault), name);
  const expiresAt = current?.properties.expiresAt;
  if (!current || !isManaged(current.tags) || expiresAt === undefined) return undefined;
  return { issuedAt: current.properties.notBefore ?? current.createdAt, expiresAt, lifetimeAssumed: false };
}

/** A disabled secret, such as our placeholder, hides its value (undefined then): its tags are among its versions. */
export async function readPublished(vault: SecretVault, name: string) {
  try {
    return await vault.get(name);
  } catch (thrown) {
    if (!(thrown instanceof RotatorError) || thrown.code !== 'secret_disabled') throw thrown;
    const versions = await vault.versions(name);
    const newest = versions.toSorted((one, other) => other.createdAt - one.createdAt)[0];
    const properties: Partial<SecretProperties> = {};
    return newest && { ...newest, value: undefined, properties };
  }
}

/** A published name is taken by a secret that somebody else made. */
export function notManaged(connection: Connection, { key, vault, name }: PublishedSecret): RotatorError {
  return new RotatorError({
    code: 'secret_not_managed',
    message: `The secret ${name} in ${vault} exists and was not made by the rotator.`,
    fix: `Name another secret under secrets.${key} of ${connection.name}, or set "adopt": true to overwrite this one.`,
  });
}
