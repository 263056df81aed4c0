import { RotatorError } from '../../errors.ts';
import type { Connection } from '../core/connection.ts';
import {
  type Decision,
  decide,
  decideEarly,
  mayClearAutomatically,
  NO_REFRESH_TOKEN,
  type Skip,
} from '../core/decide.ts';
import type { ConnectionRecord, RecordedFailure } from '../core/record.ts';
import type { Ports, Secret } from '../ports.ts';
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
  if (record.removedAt !== undefined && !(await isReplaced(connection, record, ports))) {
    const message =
      'An operator removed the connection, and set no other refresh token or client secret since.';
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
  if (await hasChanged(failure.clearedBy, connection, ports)) return undefined;
  const message = `Nothing that clears the block has changed: ${failure.message}`;
  return { action: 'skip', reason: 'blocked', message, until: now(), looked: true };
}

/** Has the vault another version of one of them by now? */
async function hasChanged(
  clearedBy: RecordedFailure['clearedBy'],
  connection: Connection,
  ports: Surroundings,
): Promise<boolean> {
  const credentials = ports.vault(connection.vaults.credential);
  for (const { secret, kind, version } of clearedBy) {
    const found = await (kind
      ? ports.assertions.read(connection, { kind, name: secret })
      : credentials.get(secret));
    if ((found?.version ?? null) !== version) return true;
  }
  return false;
}

/**
 * Has an operator replaced what the removal of the connection took out of use: the refresh token, or what the client proves its identity
 * with if the grant has no refresh token?
 */
async function isReplaced(
  connection: Connection,
  { failure }: ConnectionRecord,
  ports: Surroundings,
): Promise<boolean> {
  if (connection.grant === 'client_credentials')
    return failure?.code === 'connection_removed' && hasChanged(failure.clearedBy, connection, ports);
  try {
    const vault = ports.vault(connection.vaults.credential);
    return (await vault.get(connection.secrets.refreshToken)) !== undefined;
  } catch (thrown) {
    if (thrown instanceof RotatorError && thrown.code === 'secret_disabled') return false;
    throw thrown;
  }
}

/**
 * Reads the refresh token, if the grant has one, and decides with it.
 * @param reconciled the version for which the vault has been searched already in this rotation
 * @throws RotatorError if the vault cannot be read, `secret_not_allowed`
 */
export async function decideWithToken(
  { connection, force, record, now }: Question,
  ports: Surroundings,
  reconciled?: string,
): Promise<Exclude<Decision, Skip>> {
  const latest = await readRefreshToken(connection, ports);
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

async function readRefreshToken(connection: Connection, ports: Surroundings): Promise<Secret | undefined> {
  if (connection.grant === 'client_credentials') return NO_REFRESH_TOKEN;
  const vault = ports.vault(connection.vaults.credential);
  const { refreshToken } = connection.secrets;
  const latest = await vault.get(refreshToken);
  if (latest) await ensureAllowed(connection, refreshToken, latest, vault);
  return latest;
}
