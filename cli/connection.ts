import { parseConnections } from '../lib/config/parseConnections.ts';
import { RotatorError } from '../lib/errors.ts';
import type { Connection } from '../lib/rotation/connection.ts';
import type { Connected } from './cli.ts';

/** What an entry of the connections file says, as far as commands write one. */
export interface Entry {
  readonly provider?: string;
  readonly tokenUri?: string;
  readonly tenant?: string;
  readonly serviceUrl?: string;
  readonly clientAuthentication?: string;
  readonly scope?: string;
  readonly refreshTokenGrace?: number | 'unlimited';
}

/**
 * The connection of that name in the connections file; undefined where there is none.
 * @throws RotatorError `connection_invalid` where its entry is wrong
 */
export async function configured(name: string, { ports }: Connected): Promise<Connection | undefined> {
  const { valid, invalid } = await ports.connections();
  const broken = invalid.find((each) => each.name === name);
  if (broken) throw new RotatorError(broken.problem);
  return valid.find((each) => each.name === name);
}

/**
 * A connection that stands in no file yet.
 * @throws RotatorError `connection_invalid`
 */
export function resolved(name: string, entry: Entry, { settings }: Connected): Connection {
  const { valid, invalid } = parseConnections(JSON.stringify({ connections: { [name]: entry } }), settings);
  const [connection] = valid;
  if (connection) return connection;
  throw new RotatorError(
    invalid[0]?.problem ?? {
      code: 'connection_invalid',
      message: 'The connection cannot be used.',
      fix: 'Check its options.',
    },
  );
}
