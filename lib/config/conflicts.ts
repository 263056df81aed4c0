import { type Connection, publishedSecrets } from '../rotation/core/connection.ts';
import type { Finding } from './findings.ts';

/** One connection's use of one secret. */
interface Use {
  readonly connection: string;
  /** Its path in the entry: `secrets.refreshToken`. */
  readonly key: string;
  /** The same for two uses of the same secret. */
  readonly secret: string;
  /** Does the rotator write this secret? */
  readonly written: boolean;
}

/**
 * Secrets that two connections would overwrite for each other, or that one connection uses twice. Client ids and client
 * secrets may be shared: they are only read. Key Vault ignores the case of names.
 * @returns findings by connection name; the message names the paths, not the secrets
 */
export function secretConflicts(connections: readonly Connection[]): ReadonlyMap<string, readonly Finding[]> {
  const uses = connections.flatMap(usesOf);
  const shared = candidatesOf(uses, ({ secret }) => secret);
  const written = candidatesOf(
    uses.filter((use) => use.written),
    ({ secret }) => secret,
  );
  const own = candidatesOf(uses, ownKey);
  const findings = uses.flatMap((use) => {
    const candidates = [shared.get(use.secret), written.get(use.secret), own.get(ownKey(use))];
    const other = candidates.flatMap((some = []) => some).find((candidate) => clash(use, candidate));
    return other ? [{ connection: use.connection, finding: describe(use, other) }] : [];
  });
  const grouped = Map.groupBy(findings, ({ connection }) => connection);
  return new Map([...grouped].map(([name, found]) => [name, found.map(({ finding }) => finding)]));
}

/** Names that differ only in case mean the same secrets. Returns the other name for each of them. */
export function nameConflicts(names: readonly string[]): ReadonlyMap<string, string> {
  const groups = Map.groupBy(names, (name) => name.toLowerCase());
  const pairs = names.flatMap((name): [string, string][] => {
    const other = groups.get(name.toLowerCase())?.find((candidate) => candidate !== name);
    return other === undefined ? [] : [[name, other]];
  });
  return new Map(pairs);
}

function usesOf(connection: Connection): Use[] {
  const { name, clientId, secrets, vaults } = connection;
  const use = (key: string, vault: string, secret: string, written: boolean): Use => ({
    connection: name,
    key: `secrets.${key}`,
    secret: `${vault}/${secret}`.toLowerCase(),
    written,
  });
  return [
    ...(clientId === undefined ? [use('clientId', vaults.credential, secrets.clientId, false)] : []),
    ...secrets.clientSecrets.map((secret) => use('clientSecret', vaults.credential, secret, false)),
    use('refreshToken', vaults.credential, secrets.refreshToken, true),
    ...publishedSecrets(connection).map(({ key, vault, name }) => use(key, vault, name, true)),
  ];
}

/**
 * Two uses for each key, which is enough to find another one than a given one. Looking through all uses of one secret for each of
 * them would take seconds for a large file.
 */
function candidatesOf(
  uses: readonly Use[],
  keyOf: (use: Use) => string,
): ReadonlyMap<string, readonly Use[]> {
  const found = new Map<string, Use[]>();
  for (const use of uses) {
    const some = found.get(keyOf(use)) ?? [];
    if (some.length === 0) found.set(keyOf(use), some);
    if (some.length < 2) some.push(use);
  }
  return found;
}

/** The same for two uses of one secret by one connection. */
function ownKey({ connection, secret }: Use): string {
  return `${connection} ${secret}`;
}

function clash(one: Use, other: Use): boolean {
  return one !== other && (one.connection === other.connection || one.written || other.written);
}

function describe(use: Use, other: Use): Finding {
  const where = `connections.${use.connection}.${use.key}`;
  return {
    where,
    cause: `names the same secret as connections.${other.connection}.${other.key}`,
    fix: `Set ${where} to a name that nothing else uses in that vault.`,
    within: use.key.split('.'),
  };
}
