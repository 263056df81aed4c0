import { type Connection, publishedSecrets } from '../core/connection.ts';
import type { WritePacer } from '../ports.ts';

// A save must not have to wait for the pacer, and a wait must not hold a lease: a rotation's new versions are reserved before it begins.

/** Waits until the new versions of one rotation may be written. */
export async function reserveWrites(connection: Connection, pacer: WritePacer): Promise<void> {
  for (const [vault, writes] of writesOf(connection)) await pacer.take(vault, writes);
}

/** A rotation ended, or did not begin, without a new version. */
export function giveBackWrites(connection: Connection, pacer: WritePacer): void {
  for (const [vault, writes] of writesOf(connection)) pacer.giveBack(vault, writes);
}

/** How many new versions a rotation writes, by vault. */
export function writesOf(connection: Connection): readonly (readonly [vault: string, writes: number])[] {
  const saved = connection.grant === 'client_credentials' ? [] : [connection.vaults.credential];
  const written = [...saved, ...publishedSecrets(connection).map(({ vault }) => vault)];
  return [...Map.groupBy(written, (each) => each)].map(([vault, writes]) => [vault, writes.length]);
}
