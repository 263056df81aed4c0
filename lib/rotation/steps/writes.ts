import { type Connection, publishedSecrets } from '../core/connection.ts';
import type { WritePacer } from '../ports.ts';

// A save must not have to wait for the pacer, and a wait must not hold a lease: a rotation's new versions are reserved before it begins.

/** Names of the connections whose provider did not replace the refresh token the last time: no save is reserved for them. */
type Kept = ReadonlySet<string>;

/** Waits until the new versions of one rotation may be written. */
export async function reserveWrites(connection: Connection, pacer: WritePacer, kept: Kept): Promise<void> {
  for (const [vault, writes] of writesOf(connection, kept)) await pacer.take(vault, writes);
}

/** A rotation ended, or did not begin, without a new version. */
export function giveBackWrites(connection: Connection, pacer: WritePacer, kept: Kept): void {
  for (const [vault, writes] of writesOf(connection, kept)) pacer.giveBack(vault, writes);
}

/** How many new versions a rotation writes, by vault. */
export function writesOf(
  { name, grant, vaults, ...connection }: Connection,
  kept: Kept = new Set(),
): readonly (readonly [vault: string, writes: number])[] {
  const saved = grant === 'client_credentials' || kept.has(name) ? [] : [vaults.credential];
  const written = [...saved, ...publishedSecrets({ vaults, ...connection }).map(({ vault }) => vault)];
  return [...Map.groupBy(written, (each) => each)].map(([vault, writes]) => [vault, writes.length]);
}
