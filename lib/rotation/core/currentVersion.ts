import type { SecretVersion } from '../ports.ts';
import type { ConnectionRecord } from './record.ts';
import { isManaged, readLineage } from './tags.ts';

/** What the vault's versions say about the refresh token that counts. */
export type Healing =
  /** A person set a new refresh token. */
  | { readonly finding: 'replaced_by_person'; readonly winner: SecretVersion }
  /** The rotator saved a refresh token that the record does not know: a process died, or the record was lost. */
  | { readonly finding: 'saved_not_recorded'; readonly winner: SecretVersion }
  /** The recorded refresh token stands in the vault once more; what is known about it stays true. */
  | { readonly finding: 'written_twice'; readonly winner: SecretVersion }
  /** Nothing newer than the recorded version: a grant that was out has no known outcome. */
  | { readonly finding: 'unchanged'; readonly winner: SecretVersion }
  /** There is no version at all: the secret was deleted meanwhile. */
  | { readonly finding: 'gone' };

/**
 * Finds the refresh token that counts, from the properties of all versions. Key Vault has no
 * compare-and-set: a write of a process that lost its lease can arrive late and become the latest version.
 *
 * 1. A person's version (not tagged as ours) that is newer than the recorded one, and can be used or was, comes before it.
 * 2. Of the versions obtained with that token the one with the highest epoch wins, and so on along the chain.
 * 3. Where nothing was obtained with it, it wins itself.
 *
 * @param record what the rotator knows; where its version is not in the vault, the save with the highest epoch stands in for it
 * @param versions all versions of the refresh token's secret, in any order
 * @param latest the version that Key Vault answers when none is named
 */
export function heal(record: ConnectionRecord, versions: readonly SecretVersion[], latest: string): Healing {
  const recorded = recordedVersion(record, versions, latest);
  const wasUsed = (version: SecretVersion) => childrenOf(version, versions).length > 0;
  const isNewer = (version: SecretVersion) =>
    isPersonsNewer(version, recorded, latest, () => wasUsed(version));
  const persons = newest(versions.filter(isNewer), latest);
  const start = persons ?? recorded;
  if (!start) return { finding: 'gone' };
  const end = endOfChain(start, versions, latest);
  if (end === persons) return { finding: 'replaced_by_person', winner: end };
  const copies = sameToken(end, versions);
  const winner = newest(copies.filter(isEnabled), latest) ?? newest(copies, latest) ?? end;
  if (winner.version === record.version) return { finding: 'unchanged', winner };
  const known = copies.some(({ version }) => version === record.version);
  return { finding: known ? 'written_twice' : 'saved_not_recorded', winner };
}

/** The record may lag behind the vault by more than one save where it was lost, or brought back from a copy. */
function endOfChain(start: SecretVersion, versions: readonly SecretVersion[], latest: string): SecretVersion {
  let end = start;
  // A chain is never longer than all versions, not even where somebody's tags make a circle of it.
  for (const _ of versions) {
    const child = newestSave(childrenOf(end, versions), latest);
    if (!child) break;
    end = child;
  }
  return end;
}

/** What was obtained with the token of a version, whichever of its copies was sent. */
function childrenOf(version: SecretVersion, versions: readonly SecretVersion[]): SecretVersion[] {
  const parents = new Set(sameToken(version, versions).map((each) => each.version));
  return versions.filter(({ tags }) => parents.has(readLineage(tags)?.parent ?? ''));
}

function recordedVersion(
  record: ConnectionRecord,
  versions: readonly SecretVersion[],
  latest: string,
): SecretVersion | undefined {
  const recorded = versions.find(({ version }) => version === record.version);
  const saves = versions.filter(({ tags }) => isManaged(tags));
  return recorded ?? newestSave(saves, latest);
}

/**
 * Key Vault's times have a resolution of one second: in the same second, only the latest version is taken
 * for newer, and one that something was obtained with. One that is disabled and was never used is none to go on with: a save
 * had buried it before anybody saw it.
 */
function isPersonsNewer(
  version: SecretVersion,
  recorded: SecretVersion | undefined,
  latest: string,
  wasUsed: () => boolean,
): boolean {
  if (isManaged(version.tags) || version === recorded) return false;
  if (!isEnabled(version) && !wasUsed()) return false;
  if (!recorded || version.createdAt > recorded.createdAt) return true;
  return version.createdAt === recorded.createdAt && (version.version === latest || wasUsed());
}

/**
 * The version and its twins: the same save written twice (its first answer was lost), written again over a late write, or copied
 * by a person with all tags.
 */
function sameToken(version: SecretVersion, versions: readonly SecretVersion[]): SecretVersion[] {
  const lineage = readLineage(version.tags);
  const isTwin = ({ tags }: SecretVersion) => {
    const other = readLineage(tags);
    return lineage && other?.parent === lineage.parent && other.epoch === lineage.epoch;
  };
  return versions.filter((other) => other === version || isTwin(other));
}

function newestSave(versions: readonly SecretVersion[], latest: string): SecretVersion | undefined {
  const epochOf = (version: SecretVersion) => readLineage(version.tags)?.epoch ?? 0;
  const highest = Math.max(...versions.map(epochOf));
  return newest(
    versions.filter((version) => epochOf(version) === highest),
    latest,
  );
}

/** Of several versions of the same second, the latest is the newest. */
function newest(versions: readonly SecretVersion[], latest: string): SecretVersion | undefined {
  const isNewer = (version: SecretVersion, than: SecretVersion) =>
    version.createdAt > than.createdAt ||
    (version.createdAt === than.createdAt && version.version === latest);
  return versions.reduce<SecretVersion | undefined>(
    (best, version) => (best === undefined || isNewer(version, best) ? version : best),
    undefined,
  );
}

/**
 * The versions that nothing needs any more once `winner` is in use: not the token that it was obtained with, which tells how it
 * came about, and not the latest version, which Key Vault must be able to answer.
 */
export function supersededBy(
  winner: SecretVersion,
  versions: readonly SecretVersion[],
  latest: string,
): readonly string[] {
  const needed = [winner.version, readLineage(winner.tags)?.parent, latest];
  return versions.filter(isEnabled).flatMap(({ version }) => (needed.includes(version) ? [] : [version]));
}

function isEnabled({ enabled = true }: SecretVersion): boolean {
  return enabled;
}
