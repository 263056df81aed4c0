import { RotatorError } from '../../errors.ts';
import {
  accessTokenSecret,
  type ConnectionStringValues,
  connectionStringSecret,
  type PublishedSecret,
  renderConnectionString,
} from '../core/connection.ts';
import type { ConnectionRecord } from '../core/record.ts';
import { isManaged, publishedTags } from '../core/tags.ts';
import type { IssuedAccessToken } from '../core/tokenRequest.ts';
import { LARGEST_SECRET_BYTES, type SecretProperties } from '../ports.ts';
import { disableVersion } from './disableSuperseded.ts';
import { readPublished } from './publishable.ts';
import { logRun, type Run } from './run.ts';

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
  const { value } = accessToken;
  refuseTooLarge(value, {
    code: 'access_token_too_large',
    what: 'The provider answered an access token',
    fix: `Ask for fewer scopes or claims in the entry of ${run.connection.name}, or at the provider.`,
  });
  const properties = {
    ...propertiesOf(run, record, accessToken, issuedAt),
    contentType: 'application/vnd.oauth.access-token',
  };
  await publishSecret(run, accessTokenSecret(run.connection), value, properties, record.generation);
}

/**
 * Writes the connection string, where the connection asks for one. Only the holder of the lease publishes. One with a refresh
 * token in it takes its predecessor out of use; what a crash in between leaves, no later look finds.
 * @param values with the refresh token that is saved by now
 * @param issuedAt when the grant was sent, milliseconds since the epoch
 * @throws RotatorError where it cannot be written, or the vault does not take it, after three tries; LeaseLost
 */
export async function publishConnectionString(
  run: Run,
  record: ConnectionRecord,
  accessToken: IssuedAccessToken,
  values: ConnectionStringValues,
  issuedAt: number,
): Promise<void> {
  const { connection } = run;
  const secret = connectionStringSecret(connection);
  if (!connection.connectionString || !secret) return;
  const text = renderConnectionString(connection, connection.connectionString, values);
  refuseTooLarge(text, {
    code: 'connection_string_too_large',
    what: `The connection string of ${connection.name} is one`,
    fix: `Ask for fewer scopes or claims in the entry of ${connection.name}, or shorten publish.connectionString.`,
  });
  const { expiresAt, ...lasting } = propertiesOf(run, record, accessToken, issuedAt);
  const expires = connection.connectionString.holds === 'accessToken';
  const properties = {
    ...(expires ? { ...lasting, expiresAt } : lasting),
    contentType: 'application/vnd.oauth.connection-string',
  };
  const replaced = expires ? undefined : await publishedVersion(run, secret);
  const version = await publishSecret(run, secret, text, properties, record.generation);
  if (replaced !== undefined && replaced !== version)
    await disableVersion(run, secret.vault, secret.name, replaced);
}

/** The version of ours that is about to be replaced, where the vault says it. */
async function publishedVersion(
  { ports }: Run,
  { vault, name }: PublishedSecret,
): Promise<string | undefined> {
  const found = await readPublished(ports.vault(vault), name).catch(() => undefined);
  return found?.value !== undefined && isManaged(found.tags) ? found.version : undefined;
}

function propertiesOf(
  { connection }: Run,
  { generation }: ConnectionRecord,
  { tokenType, scope, lifetimeMs }: IssuedAccessToken,
  issuedAt: number,
) {
  return {
    tags: publishedTags({ connection: connection.name, generation, tokenType, scope }),
    notBefore: issuedAt,
    expiresAt: issuedAt + lifetimeMs,
  };
}

const EVENTS = {
  accessToken: 'access_token_published',
  connectionString: 'connection_string_published',
} as const;

async function publishSecret(
  run: Run,
  { key, vault, name }: PublishedSecret,
  value: string,
  properties: SecretProperties,
  generation: number,
): Promise<string> {
  const { lease, ports } = run;
  for (let attempt = 1; ; attempt++) {
    lease.ensureHeld();
    try {
      const { version } = await ports.vault(vault).put(name, value, { ...properties, skipIdentical: true });
      logRun(run, 'info', EVENTS[key], { version, generation });
      return version;
    } catch (thrown) {
      if (attempt === ATTEMPTS) throw thrown;
      await ports.clock.sleep(PAUSE_MS * attempt);
    }
  }
}

interface TooLarge {
  readonly code: 'access_token_too_large' | 'connection_string_too_large';
  readonly what: string;
  readonly fix: string;
}

function refuseTooLarge(value: string, { code, what, fix }: TooLarge): void {
  const bytes = Buffer.byteLength(value);
  if (bytes <= LARGEST_SECRET_BYTES) return;
  const message = `${what} of ${bytes} bytes; Key Vault takes ${LARGEST_SECRET_BYTES}.`;
  throw new RotatorError({ code, message, fix });
}
