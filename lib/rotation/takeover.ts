import { RotatorError } from '../errors.ts';
import type { Connection } from './core/connection.ts';
import { otherVault, vaultHosts } from './core/ownership.ts';
import { intentRecovered, takenOver } from './core/record.ts';
import { foreignStore, readIntent, tagsTakenOver } from './core/tags.ts';
import type { Ports } from './ports.ts';
import { underLease } from './steps/lease.ts';
import { publishedTimes } from './steps/publication.ts';

/** Which other rotator a connection belongs to. */
export interface Ownership {
  /** What that rotator differs in. */
  readonly by: 'record_store' | 'credential_vault';
  /**
   * Host of the record store whose rotator used the refresh token last, or of the credential vault that the record names; undefined if
   * it is this rotator's, or none.
   */
  readonly owner: string | undefined;
  /** The same of this rotator. */
  readonly own: string;
}

/**
 * Whose the record is; and if it is ours, whose record store the refresh token was last used under.
 * @throws RotatorError
 */
export async function ownerOf(connection: Connection, ports: Ports): Promise<Ownership> {
  const { name, secrets, vaults } = connection;
  const recorded = (await ports.records.read(name))?.vaults?.credential;
  const owner = otherVault(connection, recorded);
  if (owner !== undefined) return { by: 'credential_vault', owner, own: vaultHosts(connection).credential };
  const latest = await ports.vault(vaults.credential).get(secrets.refreshToken);
  const { host: own } = ports.records;
  return { by: 'record_store', owner: latest && foreignStore(latest, own), own };
}

/**
 * Takes a connection over from another record store, under the lease of this one: the tags of its refresh token name this store
 * from now on, and it is due immediately. A record of a rotator with another credential vault only becomes ours. An intent of the other store stays: its request may be in flight, and must not be repeated too early.
 * @throws RotatorError `in_progress`, `owned_elsewhere` if it changed hands meanwhile, or what vault and storage say
 */
export async function takeOver(connection: Connection, ports: Ports, from: string): Promise<void> {
  const { name, secrets, vaults } = connection;
  await underLease(connection, ports, async (lease) => {
    const stored = await lease.read();
    const other = otherVault(connection, stored.vaults?.credential);
    if (other !== undefined && other !== from) throw changedHands(name);
    if (other !== undefined) return lease.write(takenOver(stored));
    const vault = ports.vault(vaults.credential);
    const latest = await vault.get(secrets.refreshToken);
    if (!latest || foreignStore(latest, ports.records.host) !== from) throw changedHands(name);
    const record = takenOver(stored);
    const intent = readIntent(latest.tags);
    const isOut = intent?.store === from;
    await lease.write(
      isOut ? intentRecovered(record, intent, await publishedTimes(connection, ports)) : record,
    );
    // The tags last: while they name the other store, this can be run again.
    lease.ensureHeld();
    await vault.tag(secrets.refreshToken, latest.version, tagsTakenOver(latest.tags, ports.records.host));
  });
}

function changedHands(name: string): RotatorError {
  return new RotatorError({
    code: 'owned_elsewhere',
    message: `The refresh token of ${name} changed during the takeover: another rotator still works on it.`,
    fix: 'Stop the other rotator, then run the command again.',
  });
}
