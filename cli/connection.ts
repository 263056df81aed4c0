import { connectionName } from '../lib/config/connectionSchema.ts';
import { parseConnections } from '../lib/config/parseConnections.ts';
import { RotatorError } from '../lib/errors.ts';
import { profileNamed, tokenUriOf } from '../lib/oauth/providers/index.ts';
import { type Connection, findConnection } from '../lib/rotation/core/connection.ts';
import type { Connected } from './cli.ts';

/** The properties of a connections-file entry that commands write. */
export interface Entry {
  readonly provider?: string;
  readonly tokenUri?: string;
  readonly revocationUri?: string;
  readonly tenant?: string;
  readonly serviceUrl?: string;
  readonly grant?: string;
  readonly clientAuthentication?: string;
  readonly scope?: string;
  readonly refreshTokenGrace?: number | 'unlimited';
  readonly parameters?: Readonly<Record<string, string>>;
}

/** Options that describe a new connection. */
export interface EntryOptions {
  readonly provider?: string;
  readonly tokenUri?: string;
  readonly tenant?: string;
  readonly serviceUrl?: string;
  readonly scope?: string;
  readonly grant?: string;
  readonly clientAuthentication?: string;
  readonly refreshTokenGrace?: string;
}

/** The part of an entry that options give. */
export function entryOfOptions(options: EntryOptions): Entry {
  const { refreshTokenGrace: grace } = options;
  const texts = [
    'provider',
    'tokenUri',
    'tenant',
    'serviceUrl',
    'scope',
    'grant',
    'clientAuthentication',
  ] as const;
  const given = texts.flatMap((name) => (options[name] === undefined ? [] : [[name, options[name]]]));
  return {
    ...Object.fromEntries(given),
    ...(grace !== undefined && { refreshTokenGrace: grace === 'unlimited' ? grace : Number(grace) }),
  };
}

/** The token endpoint from the provider's profile; undefined if the entry must name it. */
export function providerEndpoint({ provider, tenant }: EntryOptions): string | undefined {
  return tokenUriOf(profileNamed(provider), { tenant });
}

/**
 * Refuses options that describe a new connection if the connection already has an entry.
 * @throws RotatorError `command_invalid`
 */
export function refuseEntryOptions(name: string, known: Connection | undefined, options: EntryOptions): void {
  const { scope: _anew, ...described } = entryOfOptions(options);
  const names = Object.keys(described).map(
    (each) => `--${each.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`,
  );
  if (!known || names.length === 0) return;
  throw new RotatorError({
    code: 'command_invalid',
    message: `${name} is already in the connections file, so options cannot describe it.`,
    fix: `Remove ${names.join(' and ')} from the command, or change the entry.`,
  });
}

/**
 * The connection of that name in the connections file; undefined if it is a new one.
 * @throws RotatorError `connection_invalid` if its entry is invalid, or its name differs from another name only in case
 */
export async function configured(name: string, { ports }: Connected): Promise<Connection | undefined> {
  const found = findConnection(await ports.connections(), name);
  if (found.kind === 'valid') return found.connection;
  if (found.kind === 'invalid') throw new RotatorError(found.entry.problem);
  const { otherCase } = found;
  if (otherCase === undefined) return undefined;
  throw new RotatorError({
    code: 'connection_invalid',
    message: `${name} differs from ${otherCase} in the connections file only in case, and Key Vault ignores case.`,
    fix: `Write ${otherCase}, or choose another name.`,
  });
}

/**
 * A connection that is not in the connections file yet.
 * @throws RotatorError `connection_invalid`
 */
export function resolved(name: string, entry: Entry, { settings }: Connected): Connection {
  const { valid, invalid } = parseConnections(JSON.stringify({ connections: { [name]: entry } }), settings);
  const [connection] = valid;
  if (connection) return connection;
  throw new RotatorError({
    code: 'connection_invalid',
    message: invalid[0]?.problem.message ?? 'The connection cannot be used.',
    fix: connectionName.safeParse(name).success
      ? 'Add or correct the options that describe the connection, such as --token-uri, --provider, --tenant or --service-url.'
      : 'Choose another name.',
  });
}
