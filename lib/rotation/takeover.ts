import { RotatorError } from '../errors.ts';
import type { Connection } from './core/connection.ts';
import { intentRecovered, takenOver } from './core/record.ts';
import { foreignStore, readIntent, tagsTakenOver } from './core/tags.ts';
import type { Ports } from './ports.ts';
import { underLease } from './steps/lease.ts';
import { publishedTimes } from './steps/publication.ts';

/** What the vault says about another rotator. */
export interface Ownership {
  /** Host of the record store whose rotator used the refresh token last; undefined if it is this one or none. */
  readonly owner: string | undefined;
  readonly ownStore: string;
}

/**
 * Whose record store the refresh token was last used under.
 * @throws RotatorError
 */
export async function ownerOf({ secrets, vaults }: Connection, ports: Ports): Promise<Ownership> {
  const latest = await ports.vault(vaults.credential).get(secrets.refreshToken);
  return { owner: latest && foreignStore(latest, ports.records.host), ownStore: ports.records.host };
}

/**
 * Takes a connection over from another record store, under the lease of this one: the tags of its refresh token name this store
 * from now on, and it is due immediately. An intent of the other store stays: its request may be in flight, and must not be repeated too early.
 * @throws RotatorError `in_progress`, `owned_elsewhere` if it changed hands meanwhile, or what vault and storage say
 */
export async function takeOver(connection: Connection, ports: Ports, from: string): Promise<void> {
  const { name, secrets, vaults } = connection;
  await underLease(name, ports, async (lease) => {
    const vault = ports.vault(vaults.credential);
    const latest = await vault.get(secrets.refreshToken);
    if (!latest || foreignStore(latest, ports.records.host) !== from) throw changedHands(name);
    const record = takenOver(await lease.read());
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
