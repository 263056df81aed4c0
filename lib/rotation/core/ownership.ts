import type { Problem } from '../../errors.ts';
import type { SecretVersion } from '../ports.ts';
import type { Connection } from './connection.ts';
import { falseOrigins } from './currentVersion.ts';
import type { ConnectionRecord } from './record.ts';
import { isUnsentCopy, readOrigin } from './tags.ts';

/**
 * Rotators with different record stores may all copy a refresh token that an operator has set, and only one of them may send it: the one
 * with the lowest creation time, and within the same second the one whose record store has the lowest host. All of them see the same
 * copies, so all of them agree.
 * @param copy one of the copies
 * @param versions every version that any response showed
 * @returns the host of the record store of that rotator
 */
export function ownerOfCopies(copy: SecretVersion, versions: readonly SecretVersion[]): string {
  const source = readOrigin(copy.tags)?.parent;
  const forged = new Set(falseOrigins(versions));
  const others = versions.filter(
    ({ version, tags }) => readOrigin(tags)?.parent === source && !forged.has(version),
  );
  const storeOf = ({ tags }: SecretVersion) => readOrigin(tags)?.store ?? '';
  const isBefore = (one: SecretVersion, other: SecretVersion) =>
    one.createdAt < other.createdAt || (one.createdAt === other.createdAt && storeOf(one) < storeOf(other));
  return storeOf([copy, ...others].reduce((first, each) => (isBefore(each, first) ? each : first)));
}

/** The versions without the copies that other rotators made and never sent: no refresh token was obtained with them. */
export function withoutRivals(
  versions: readonly SecretVersion[],
  ownStore: string,
): readonly SecretVersion[] {
  return versions.filter(({ tags }) => !isUnsentCopy(tags) || readOrigin(tags)?.store === ownStore);
}

/** Another rotator, whose records are in the store `other`, uses the refresh token. */
export function ownedBy(other: string, { name, secrets }: Connection, ownStore: string): Problem {
  return {
    code: 'owned_elsewhere',
    message: `The refresh token of ${name} was last used under the record store ${other}, this rotator's is ${ownStore}.`,
    fix: `Stop the other rotator, then set ${secrets.refreshToken} again, or run rotator takeover ${name}.`,
  };
}

/** The hosts of a connection's vaults, as its record names them. */
export function vaultHosts({ vaults }: Pick<Connection, 'vaults'>): NonNullable<ConnectionRecord['vaults']> {
  return { credential: hostOf(vaults.credential), token: hostOf(vaults.token) };
}

/** Each sweep asks for every connection, and a whole address takes ten times as long to parse. */
const USUAL = /^https:\/\/([a-z\d.-]+)(?::\d+)?\/?$/;

function hostOf(vault: string): string {
  return USUAL.exec(vault)?.[1] ?? new URL(vault).hostname;
}

/**
 * Deployments with different vaults may share a record store by mistake. The credential vault decides whose record it is, because it
 * holds the refresh token; an entry may name another token vault at any time. A record that names no vault counts as ours.
 * @param recorded host of the credential vault that the record names
 * @returns that host if it is another one than the connection's
 */
export function otherVault(
  { vaults }: Pick<Connection, 'vaults'>,
  recorded: string | undefined,
): string | undefined {
  return recorded === undefined || recorded === hostOf(vaults.credential) ? undefined : recorded;
}

/** The problem with a record that another deployment wrote; undefined if it is ours. */
export function writtenElsewhere(
  connection: Connection,
  { vaults: recorded }: Pick<ConnectionRecord, 'vaults'>,
): Problem | undefined {
  const other = otherVault(connection, recorded?.credential);
  if (other === undefined || recorded === undefined) return undefined;
  const { name, vaults } = connection;
  return {
    code: 'owned_elsewhere',
    message: `The record of ${name} belongs to a rotator with the credential vault ${other} and the token vault ${recorded.token}. This rotator's credential vault is ${hostOf(vaults.credential)}.`,
    fix: `Give this rotator another storage account, or rename the connection. If you moved the vault, run rotator takeover ${name}.`,
  };
}
