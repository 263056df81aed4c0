import { RotatorError } from '../../errors.ts';
import type { Connection } from '../core/connection.ts';
import { type Decision, decide, decideEarly, mayClearAutomatically, type Skip } from '../core/decide.ts';
import type { ConnectionRecord } from '../core/record.ts';
import type { Ports, SecretVault } from '../ports.ts';
import { ensureAllowed } from './allowedSecret.ts';
import { publishedTimes } from './publication.ts';

/** What has to be decided, and from which record. */
export interface Question {
  readonly connection: Connection;
  readonly force: boolean;
  readonly record: ConnectionRecord;
  /** The storage service's time in milliseconds, asked when the decision is made. */
  readonly now: () => number;
}

type Surroundings = Pick<Ports, 'vault' | 'assertions' | 'records' | 'scheduleIntervalMs'>;

/**
 * Decides without the refresh token, where that is enough: the record tells that nothing is due, and a blocked connection
 * costs one GET for each secret or key whose change could clear the block, and for the access token if that must have expired.
 * @returns undefined if the refresh token must be read
 * @throws RotatorError if a vault cannot be read
 */
export async function decideWithoutToken(
  { connection, force, record, now }: Question,
  ports: Surroundings,
): Promise<Skip | undefined> {
  const early = decideEarly({ connection, record, now: now(), force });
  if (early) return early;
  const { failure, phase } = record;
  const credentials = ports.vault(connection.vaults.credential);
  if (record.removedAt !== undefined && (await isDisabled(credentials, connection.secrets.refreshToken))) {
    const message = 'An operator removed the connection, and set no other refresh token since.';
    return { action: 'skip', reason: 'blocked', message, until: now(), looked: true };
  }
  if (force || !failure?.blocked || failure.fingerprint !== connection.fingerprint) return undefined;
  // A rotation was forced since, and its outcome was not recorded.
  if (phase.state === 'requesting' && phase.startedAt > failure.at) return undefined;
  if (mayClearAutomatically(record, now())) {
    // What a second use of the refresh token may end, the published secret tells: the record could be forged.
    const accessToken = failure.sentAgain === 'once_expired' && (await publishedTimes(connection, ports));
    if (mayClearAutomatically({ failure, ...(accessToken && { accessToken }) }, now())) return undefined;
  }
  for (const { secret, kind, version } of failure.clearedBy) {
    const found = await (kind
      ? ports.assertions.read(connection, { kind, name: secret })
      : credentials.get(secret));
    if ((found?.version ?? null) !== version) return undefined;
  }
  const message = `Nothing that clears the block has changed: ${failure.message}`;
  return { action: 'skip', reason: 'blocked', message, until: now(), looked: true };
}

async function isDisabled(vault: SecretVault, name: string): Promise<boolean> {
  try {
    return (await vault.get(name)) === undefined;
  } catch (thrown) {
    if (thrown instanceof RotatorError && thrown.code === 'secret_disabled') return true;
    throw thrown;
  }
}

/**
 * Reads the refresh token and decides with it.
 * @param reconciled the version for which the vault has been searched already in this rotation
 * @throws RotatorError if the vault cannot be read, `secret_not_allowed`
 */
export async function decideWithToken(
  { connection, force, record, now }: Question,
  ports: Surroundings,
  reconciled?: string,
): Promise<Exclude<Decision, Skip>> {
  const vault = ports.vault(connection.vaults.credential);
  const { refreshToken } = connection.secrets;
  const latest = await vault.get(refreshToken);
  if (latest) await ensureAllowed(connection, refreshToken, latest, vault);
  return decide({
    connection,
    force,
    record,
    now: now(),
    latest,
    reconciled,
    store: ports.records.host,
    scheduleIntervalMs: ports.scheduleIntervalMs,
  });
}
