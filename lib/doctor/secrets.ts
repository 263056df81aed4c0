import { problemOf } from '../errors.ts';
import { type Connection, type PublishedSecret, publishedSecrets } from '../rotation/core/connection.ts';
import { unusableSecret } from '../rotation/core/credentialValue.ts';
import type { ConnectionRecord } from '../rotation/core/record.ts';
import { EXPIRY_NOTICE_MS } from '../rotation/core/status.ts';
import { deadlineOf, foreignStore, isManaged } from '../rotation/core/tags.ts';
import type { Ports, Secret, SecretVault } from '../rotation/ports.ts';
import { ProcessMemory } from '../rotation/processMemory.ts';
import { ClientCredentials } from '../rotation/steps/clientCredentials.ts';
import { isPublishedChanged, notManaged, readPublished } from '../rotation/steps/publication.ts';
import { safeName } from '../safeText.ts';
import { type Check, failed, ok, thrownCheck, warning } from './check.ts';

/** Key Vault cannot back up a secret with more versions (Key Vault service limits). */
const MOST_VERSIONS = 500;
/** No more are counted: a secret may have 20,000, on 800 pages. */
const MANY_VERSIONS = 400;

/** Checks every secret of a connection without writing anything. */
export async function secretChecks(
  connection: Connection,
  ports: Ports,
  { record, now }: { readonly record: ConnectionRecord | undefined; readonly now: number },
): Promise<Check[]> {
  const { grant, secrets, vaults, clientId } = connection;
  const vault = ports.vault(vaults.credential);
  const checks: Check[] = [];
  const look = async (
    check: string,
    name: string,
    what: string,
    more: (secret: Secret) => Check | undefined,
  ) => checks.push(await usableCheck(vault, { check, name, what, url: vaults.credential }, more));
  if (clientId === undefined) await look('client id', secrets.clientId, 'the client id', () => undefined);
  for (const name of secrets.clientSecrets)
    await look('client secret', name, 'the client secret', (secret) =>
      expiryCheck({ check: 'client secret', name, fix: NEW_SECRET }, secret, now),
    );
  checks.push(...(await assertionChecks(connection, ports, now)));
  if (grant !== 'client_credentials') {
    await look('refresh token', secrets.refreshToken, 'a refresh token', (secret) =>
      ownershipCheck(connection, secret, ports.records.host),
    );
    checks.push(...(await versionChecks(vault, 'refresh token', secrets.refreshToken)));
  }
  for (const published of publishedSecrets(connection))
    checks.push(...(await publishedChecks({ connection, record }, ports.vault(published.vault), published)));
  return checks;
}

async function usableCheck(
  vault: SecretVault,
  { check, name, what, url }: { check: string; name: string; what: string; url: string },
  more: (secret: Secret) => Check | undefined,
): Promise<Check> {
  try {
    const secret = await vault.get(name);
    const unusable = unusableSecret(secret, { secret: name, vaultUrl: url, what });
    if (!secret || unusable) return failed(check, problemOf(unusable));
    return more(secret) ?? ok(check, `${name} exists.`);
  } catch (thrown) {
    return thrownCheck(check, thrown);
  }
}

const NEW_SECRET =
  'Create a new client secret at the provider, and set {name} to it, with its expiration date.';
const NEW_KEY = 'Create a new version of {name}, and register it at the provider.';

function expiryCheck(
  { check, name, fix }: { readonly check: string; readonly name: string; readonly fix: string },
  found: Pick<Secret, 'tags' | 'expiresAt'>,
  now: number,
): Check | undefined {
  const expiresAt = deadlineOf(found);
  if (expiresAt === undefined || expiresAt > now + EXPIRY_NOTICE_MS) return undefined;
  const day = new Date(expiresAt).toISOString().slice(0, 10);
  const named = fix.replace('{name}', name);
  return expiresAt <= now
    ? failed(check, { message: `${name} expired on ${day}.`, fix: named })
    : warning(check, `${name} expires on ${day}.`, named);
}

/** Makes one assertion with each key, and throws it away. */
async function assertionChecks(connection: Connection, ports: Ports, now: number): Promise<Check[]> {
  const { clientAuthentication, clientKeys = [] } = connection;
  if (clientAuthentication === 'managed_identity_federation') return [await identityCheck(connection, ports)];
  const check = 'client key';
  return Promise.all(
    clientKeys.map(async (key) => {
      const { name } = key;
      try {
        const only = { ...connection, clientKeys: [key], clientId: connection.clientId ?? '' };
        const credentials = new ClientCredentials(only, ports, new ProcessMemory());
        const [proof] = (await credentials.read()).proofs;
        if (proof) await credentials.prove(only.clientId, proof, now);
        const found = proof?.key?.vaultKey ?? proof?.key?.secret;
        const expiring = found && expiryCheck({ check, name, fix: NEW_KEY }, found, now);
        return expiring ?? ok(check, `${name} signs.`);
      } catch (thrown) {
        return thrownCheck(check, thrown);
      }
    }),
  );
}

/** Only the function app has a managed identity; elsewhere its absence is not a mistake. */
async function identityCheck(connection: Connection, { assertions }: Ports): Promise<Check> {
  const check = 'managed identity';
  try {
    await assertions.federate(connection);
    return ok(check, 'The managed identity gives a token for the client assertion.');
  } catch (thrown) {
    const { message, fix } = problemOf(thrown);
    return warning(check, message, fix);
  }
}

function ownershipCheck({ name, secrets }: Connection, { tags }: Secret, store: string): Check | undefined {
  const check = 'refresh token';
  const { refreshToken } = secrets;
  if (tags.connection !== undefined && tags.connection.toLowerCase() !== name.toLowerCase()) {
    const message = `${refreshToken} was last written for the connection ${safeName(tags.connection)}.`;
    return failed(check, { message, fix: `Set secrets.refreshToken of ${name} to another secret.` });
  }
  const other = foreignStore({ tags }, store);
  if (other === undefined) return undefined;
  const message = `${refreshToken} was last used with the record store ${other}; this rotator uses ${store}.`;
  return failed(check, { message, fix: `Stop the other rotator, then run rotator takeover ${name}.` });
}

async function versionChecks(vault: SecretVault, check: string, name: string): Promise<Check[]> {
  try {
    const { length } = await vault.versions(name, MANY_VERSIONS);
    if (length < MANY_VERSIONS) return [];
    const message = `${name} has ${MANY_VERSIONS} versions or more; a secret with more than ${MOST_VERSIONS} cannot be backed up.`;
    return [
      warning(
        check,
        message,
        `Name a new secret instead of ${name} in the entry if you rely on backups of the vault.`,
      ),
    ];
  } catch (thrown) {
    return [thrownCheck(check, thrown)];
  }
}

const TITLES = { accessToken: 'access token', connectionString: 'connection string' };

/** The placeholder of a connection that never had a token; an operator may also have disabled a token. */
function unpublishedCheck({ name }: Connection, check: string, secret: string): Check {
  const message = `${secret} is managed by the rotator and disabled, so consumers cannot read it: nothing was published yet, or an operator disabled it.`;
  return warning(check, message, `Run rotator status ${name}; the next rotation sets the secret.`);
}

/** Consumers would read another token, or none, or trust it for too long. */
function changedCheck({ name }: Connection, check: string, secret: string): Check {
  const message = `${secret} is missing, or expires at another time than the record of ${name} says: something else changed it.`;
  return warning(check, message, `Find out what changed it, then run rotator rotate ${name} --force.`);
}

async function publishedChecks(
  { connection, record }: { readonly connection: Connection; readonly record: ConnectionRecord | undefined },
  vault: SecretVault,
  published: PublishedSecret,
): Promise<Check[]> {
  const { key, name } = published;
  const check = TITLES[key];
  const found = await readPublished(vault, name).catch((thrown: unknown) => ({ thrown }));
  if (found && 'thrown' in found) return [thrownCheck(check, found.thrown)];
  if (found && !isManaged(found.tags) && !connection.overwrite)
    return [failed(check, notManaged(connection, published))];
  if (found && found.value === undefined && isManaged(found.tags))
    return [unpublishedCheck(connection, check, name)];
  if (key === 'accessToken' && record && isPublishedChanged(record, found))
    return [changedCheck(connection, check, name)];
  const versions = await versionChecks(vault, check, name);
  const state = found
    ? `${name} is managed by the rotator.`
    : `${name} does not exist yet; the name is free.`;
  return versions.length > 0 ? versions : [ok(check, state)];
}
