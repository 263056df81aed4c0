import { createHash } from 'node:crypto';
import type { Connection } from '../rotation/core/connection.ts';

/** A connection before its fingerprint is known. */
export type Unmarked = Omit<Connection, 'fingerprint'>;

/**
 * Whether a change of the member may clear a block, because a refused token request, or a result that could not be stored, may
 * succeed with the new value. The others decide when a request is sent, or what may be overwritten; neither blocks.
 */
const CLEARS_BLOCK: Readonly<Record<keyof Unmarked, boolean>> = {
  name: false,
  provider: false,
  enabled: false,
  tokenUri: true,
  revocationUri: false,
  // For connection strings that were too large or could not be written.
  serviceUrl: true,
  connectionString: true,
  // For an address that was refused.
  allowPrivateNetwork: true,
  clientId: true,
  clientAuthentication: true,
  grant: true,
  clientKeys: true,
  assertionAudience: true,
  parameters: true,
  secrets: true,
  // Nothing is sent without it, so nothing can be refused.
  allowedSecrets: false,
  vaults: true,
  behavior: false,
  renewBeforeMs: false,
  // For a vault whose Azure Policy requires an expiration date.
  expirationHorizonMs: true,
  overwrite: false,
};

/**
 * A digest of everything whose change may clear a block, without secrets. If it differs from the one in the record, a blocked
 * connection is tried again, so a changed list or order unblocks all connections after an upgrade. Undefined members do not
 * count, so a new optional member changes the digest only of connections that use it.
 */
export function fingerprintOf(connection: Unmarked): string {
  const names = Object.keys(CLEARS_BLOCK) as (keyof Unmarked)[];
  const relevant = names.filter((name) => CLEARS_BLOCK[name]).map((name) => [name, connection[name]]);
  // Of the behavior, only what the request and the reading of its response depend on.
  const { requestFormat, response } = connection.behavior;
  const text = JSON.stringify({ ...Object.fromEntries(relevant), requestFormat, response });
  // Only these bytes: a part of a text keeps the whole text in memory.
  return createHash('sha256').update(text).digest().toString('hex', 0, 8);
}
