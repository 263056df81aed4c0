import { type Connection, type ContestedSecret, publishedSecrets } from '../rotation/core/connection.ts';
import { defaultSecretName } from '../secretNames.ts';
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
  /** Does the secret have the name that is meant for this connection? */
  readonly isDefault: boolean;
}

/** What a connection uses, as its entry says it; of an entry that is not valid, as far as it can be read. */
export type Claims = Pick<
  Connection,
  'name' | 'grant' | 'clientId' | 'clientKeys' | 'secrets' | 'vaults' | 'connectionString'
>;

/** By {@link secretKey}: the connections that have used a secret so far. */
export type Owners = ReadonlyMap<string, ReadonlySet<string>>;

/** Names a secret in {@link Owners}. Key Vault ignores the case of names. */
export function secretKey({ vault, name }: Pick<ContestedSecret, 'vault' | 'name'>): string {
  return `${vault}/${name}`.toLowerCase();
}

/** What the entries of a file say about their secrets. */
export interface Uses {
  /** The secrets that several connections use although the rotator writes them for one of them. */
  readonly contested: readonly ContestedSecret[];
  /**
   * What is wrong, by connection name; the message names the paths, not the secrets. A secret stays with its owners, of whom the
   * connection that its name is meant for comes first, and only the others have a finding. Without an owner, all have a finding.
   */
  findings(owners: Owners): ReadonlyMap<string, readonly Finding[]>;
}

/**
 * Secrets that two connections would overwrite for each other, or that one connection uses twice. Client ids and client
 * secrets may be shared: they are only read.
 * @param valid connections whose entries are valid on their own
 * @param broken those whose entries are not: they are not used, but what belongs to them stays theirs
 */
export function usesOfSecrets(valid: readonly Claims[], broken: readonly Claims[]): Uses {
  const uses = valid.flatMap(usesOf);
  const all = [...uses, ...broken.flatMap(usesOf)];
  const invalid = new Set(broken.map(({ name }) => name));
  // In a large file nearly all secrets have one use, which cannot clash.
  const shared = [...Map.groupBy(all, ({ secret }) => secret).values()].filter(({ length }) => length > 1);
  const clashing = shared.filter(isContested);
  return {
    contested: clashing.map((group) => ({
      ...partsOf(group),
      connections: [...new Set(group.map(({ connection }) => connection))],
    })),
    findings: (owners) => {
      const found = shared.flatMap((group) => findingsOf(group, owners, invalid));
      const grouped = Map.groupBy(found, ({ connection }) => connection);
      return new Map([...grouped].map(([name, each]) => [name, each.map(({ finding }) => finding)]));
    },
  };
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

function usesOf(connection: Claims): Use[] {
  const { name: of, grant, clientId, clientKeys = [], secrets, vaults } = connection;
  type Kind = Parameters<typeof defaultSecretName>[1];
  const use = (key: Kind, vault: string, name: string, written: boolean): Use => ({
    connection: of,
    key: key === 'clientKey' ? key : `secrets.${key}`,
    secret: secretKey({ vault, name }),
    written,
    isDefault: name.toLowerCase() === defaultSecretName(of, key).toLowerCase(),
  });
  return [
    ...(clientId === undefined ? [use('clientId', vaults.credential, secrets.clientId, false)] : []),
    ...secrets.clientSecrets.map((secret) => use('clientSecret', vaults.credential, secret, false)),
    ...clientKeys
      .filter(({ kind }) => kind === 'secret')
      .map(({ name }) => use('clientKey', vaults.credential, name, false)),
    ...(grant === 'client_credentials'
      ? []
      : [use('refreshToken', vaults.credential, secrets.refreshToken, true)]),
    ...publishedSecrets(connection).map(({ key, vault, name }) => use(key, vault, name, true)),
  ];
}

function partsOf([use]: readonly Use[]): Pick<ContestedSecret, 'vault' | 'name'> {
  const at = use?.secret.lastIndexOf('/') ?? 0;
  return { vault: use?.secret.slice(0, at) ?? '', name: use?.secret.slice(at + 1) ?? '' };
}

function isContested(group: readonly Use[]): boolean {
  return group.some(({ written }) => written) && group.some((use) => use.connection !== group[0]?.connection);
}

/** @param group all uses of one secret */
function findingsOf(
  group: readonly Use[],
  known: Owners,
  invalid: ReadonlySet<string>,
): { connection: string; finding: Finding }[] {
  const byConnection = Map.groupBy(group, ({ connection }) => connection);
  const owners = ownersOf(group, known);
  const sound = group.filter(({ connection }) => !invalid.has(connection));
  const rivals = owners.size > 0 ? group.filter(({ connection }) => owners.has(connection)) : sound;
  // Of each kind, those of two connections are enough to find another one than a given one.
  const candidates = [...ofTwo(rivals.filter(({ written }) => written)), ...ofTwo(rivals)];
  return sound.flatMap((use) => {
    const twice = byConnection.get(use.connection)?.find((each) => each !== use);
    const clashing = candidates.find(
      (each) => each.connection !== use.connection && (each.written || use.written),
    );
    const other = twice ?? clashing;
    if (!other) return [];
    const isTaken = !twice && owners.has(other.connection) && !owners.has(use.connection);
    return [{ connection: use.connection, finding: describe(use, other, isTaken) }];
  });
}

/** The uses by the first two connections. */
function ofTwo(uses: readonly Use[]): Use[] {
  const first = uses[0];
  const second = uses.find(({ connection }) => connection !== first?.connection);
  return [first, second].filter((use) => use !== undefined);
}

function ownersOf(group: readonly Use[], known: Owners): ReadonlySet<string> {
  const former = known.get(group[0]?.secret ?? '') ?? new Set();
  const named = group.filter(({ connection }) => former.has(connection));
  const meant = (named.length > 0 ? named : group).filter(({ isDefault }) => isDefault);
  return new Set((meant.length > 0 ? meant : named).map(({ connection }) => connection));
}

/** The connections that use each secret of {@link Owners}. */
export function usersOf(connections: readonly Claims[]): Owners {
  const bySecret = Map.groupBy(connections.flatMap(usesOf), ({ secret }) => secret);
  return new Map(
    [...bySecret].map(([secret, uses]) => [secret, new Set(uses.map(({ connection }) => connection))]),
  );
}

/** @param isTaken whether the secret belongs to the other connection */
function describe(use: Use, other: Use, isTaken: boolean): Finding {
  const where = `connections.${use.connection}.${use.key}`;
  const otherUse = `connections.${other.connection}.${other.key}`;
  return {
    where,
    cause: isTaken
      ? `names a secret that belongs to the connection ${other.connection} (${otherUse})`
      : `names the same secret as ${otherUse}`,
    fix: `Set ${where} to a name that nothing else uses in that vault.`,
    within: use.key.split('.'),
  };
}
