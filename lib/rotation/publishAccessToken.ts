import { RotatorError } from '../errors.ts';
import type { IssuedAccessToken } from './grant.ts';
import type { SecretProperties, SecretVault } from './ports.ts';
import { type ConnectionRecord, publishableNoted } from './record.ts';
import { logRun, type Run, tokenVault } from './run.ts';
import { isManaged, publishedTags } from './tags.ts';

const CONTENT_TYPE = 'application/vnd.oauth.access-token';
const LARGEST_VALUE_BYTES = 25_600;
const ATTEMPTS = 3;
const PAUSE_MS = 500;

/**
 * Writes the access token where consumers read it. Only the holder of the lease publishes.
 * @param issuedAt when the grant was sent, milliseconds since the epoch
 * @throws RotatorError where the vault does not take it, after three tries; LeaseLost
 */
export async function publishAccessToken(
  run: Run,
  record: ConnectionRecord,
  accessToken: IssuedAccessToken,
  issuedAt: number,
): Promise<void> {
  refuseTooLarge(run, accessToken);
  const { connection, lease, ports } = run;
  const { tokenType, scope, lifetimeMs } = accessToken;
  const properties = {
    tags: publishedTags({ connection: connection.name, generation: record.generation, tokenType, scope }),
    contentType: CONTENT_TYPE,
    notBefore: issuedAt,
    expiresAt: issuedAt + lifetimeMs,
    skipIdentical: true,
  };
  for (let attempt = 1; ; attempt++) {
    lease.ensureHeld();
    try {
      const { version } = await tokenVault(run).put(
        connection.secrets.accessToken,
        accessToken.value,
        properties,
      );
      return logRun(run, 'info', 'access_token_published', { version, generation: record.generation });
    } catch (thrown) {
      if (attempt === ATTEMPTS) throw thrown;
      await ports.clock.sleep(PAUSE_MS * attempt);
    }
  }
}

/**
 * Makes sure, before a refresh token is spent, that its access token can be published: the name must be free, ours or
 * declared `adopt`, and the vault must take a write. Remembered in the record until a publish fails.
 * @throws RotatorError `secret_not_managed`, `secret_soft_deleted` or what else the vault says
 */
export async function ensurePublishable(run: Run, record: ConnectionRecord): Promise<ConnectionRecord> {
  const { connection } = run;
  const name = connection.secrets.accessToken;
  const target = `${connection.vaults.token}/${name}`;
  if (record.publishable === target) return record;
  await proveWrite(run, tokenVault(run), name, record.generation);
  return publishableNoted(record, target);
}

/** Writes what is there already once more, or a disabled placeholder where there is nothing to read. */
async function proveWrite(run: Run, vault: SecretVault, name: string, generation: number): Promise<void> {
  const { connection, lease, ports } = run;
  const current = await readPublished(vault, name);
  if (current && !isManaged(current.tags) && !connection.adopt) throw notManaged(run);
  await ports.pacer.take(connection.vaults.token, 1);
  const tags = publishedTags({ connection: connection.name, generation });
  lease.ensureHeld();
  if (!current?.value) await vault.put(name, 'pending', { tags, enabled: false });
  else await vault.put(name, current.value, { ...current.properties, tags: { ...current.tags, ...tags } });
}

/**
 * When the access token that consumers read was issued and expires, as its secret tells; undefined where there is none of ours.
 * @throws RotatorError
 */
export async function publishedTimes(run: Run): Promise<ConnectionRecord['accessToken']> {
  const current = await readPublished(tokenVault(run), run.connection.secrets.accessToken);
  const expiresAt = current?.properties.expiresAt;
  if (!current || !isManaged(current.tags) || expiresAt === undefined) return undefined;
  return { issuedAt: current.properties.notBefore ?? current.createdAt, expiresAt, lifetimeAssumed: false };
}

/** A disabled secret, such as our placeholder, hides its value: its tags are among its versions. */
async function readPublished(vault: SecretVault, name: string) {
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

function notManaged({ connection }: Run): RotatorError {
  const { accessToken } = connection.secrets;
  return new RotatorError({
    code: 'secret_not_managed',
    message: `The secret ${accessToken} in ${connection.vaults.token} exists and was not made by the rotator.`,
    fix: `Name another secret under secrets.accessToken of ${connection.name}, or set "adopt": true to overwrite this one.`,
  });
}

function refuseTooLarge({ connection }: Run, { value }: IssuedAccessToken): void {
  const bytes = Buffer.byteLength(value);
  if (bytes <= LARGEST_VALUE_BYTES) return;
  throw new RotatorError({
    code: 'access_token_too_large',
    message: `The provider answered an access token of ${bytes} bytes; Key Vault takes ${LARGEST_VALUE_BYTES}.`,
    fix: `Ask for fewer scopes or claims in the entry of ${connection.name}, or at the provider.`,
  });
}
