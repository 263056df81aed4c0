import { parseConnections } from '../lib/config/parseConnections.ts';
import { RotatorError } from '../lib/errors.ts';
import { profileNamed } from '../lib/oauth/providers/index.ts';
import { type Connection, findConnection } from '../lib/rotation/core/connection.ts';
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

/** Options that describe a new connection. */
export interface EntryOptions {
  readonly provider?: string;
  readonly tokenUri?: string;
  readonly tenant?: string;
  readonly serviceUrl?: string;
  readonly scope?: string;
  readonly clientAuthentication?: string;
  readonly refreshTokenGrace?: string;
}

/** The part of an entry that options give. */
export function entryOfOptions(options: EntryOptions): Entry {
  const { refreshTokenGrace: grace } = options;
  const texts = ['provider', 'tokenUri', 'tenant', 'serviceUrl', 'scope', 'clientAuthentication'] as const;
  const given = texts.flatMap((name) => (options[name] === undefined ? [] : [[name, options[name]]]));
  return {
    ...Object.fromEntries(given),
    ...(grace !== undefined && { refreshTokenGrace: grace === 'unlimited' ? grace : Number(grace) }),
  };
}

/** The token endpoint that the provider's profile knows; undefined where the entry must name it. */
export function providerEndpoint({ provider, tenant }: EntryOptions): string | undefined {
  return profileNamed(provider).tokenUri?.({ tenant });
}

/**
 * For a connection that is configured already its entry counts.
 * @throws RotatorError `command_invalid` where options would say something else
 */
export function refuseEntryOptions(name: string, known: Connection | undefined, options: EntryOptions): void {
  const { scope: _anew, ...described } = entryOfOptions(options);
  if (!known || Object.keys(described).length === 0) return;
  throw new RotatorError({
    code: 'command_invalid',
    message: `${name} stands in the connections file, and its entry counts.`,
    fix: 'Change the entry instead of giving options that describe a new connection.',
  });
}

/**
 * The connection of that name in the connections file; undefined if it is a new one.
 * @throws RotatorError `connection_invalid` if its entry is wrong, or its name differs from another one only in case
 */
export async function configured(name: string, { ports }: Connected): Promise<Connection | undefined> {
  const found = findConnection(await ports.connections(), name);
  if (found.kind === 'valid') return found.connection;
  if (found.kind === 'invalid') throw new RotatorError(found.entry.problem);
  const { otherCase } = found;
  if (otherCase === undefined) return undefined;
  throw new RotatorError({
    code: 'connection_invalid',
    message: `${name} differs from ${otherCase} in the connections file only by case, and Key Vault takes both for one.`,
    fix: `Write ${otherCase}, or choose another name.`,
  });
}

/**
 * A connection that stands in no file yet.
 * @throws RotatorError `connection_invalid`
 */
export function resolved(name: string, entry: Entry, { settings }: Connected): Connection {
  const { valid, invalid } = parseConnections(JSON.stringify({ connections: { [name]: entry } }), settings);
  const [connection] = valid;
  if (connection) return connection;
  throw new RotatorError({
    code: 'connection_invalid',
    message: invalid[0]?.problem.message ?? 'The connection cannot be used.',
    fix: 'Give or correct the options that describe it: --token-uri, --provider, --tenant, --service-url and so on.',
  });
}
