import type { SecretVersion } from './ports.ts';
import type { ConnectionRecord } from './record.ts';
import { isManaged, readIntent, readLineage } from './tags.ts';

/** What the vault's versions say about the refresh token that counts. */
export type Healing =
  /** A person set a new refresh token. */
  | { readonly finding: 'replaced_by_person'; readonly winner: SecretVersion }
  /** The rotator saved a refresh token and died before it could record it. */
  | { readonly finding: 'saved_not_recorded'; readonly winner: SecretVersion }
  /** Nothing newer than the recorded version: a grant that was out has no known outcome. */
  | { readonly finding: 'unchanged'; readonly winner: SecretVersion }
  /** There is no version at all: the secret was deleted meanwhile. */
  | { readonly finding: 'gone' };

/**
 * Finds the refresh token that counts, from the properties of all versions. Key Vault has no
 * compare-and-set: a write of a process that lost its lease can arrive late and become the latest version.
 *
 * 1. A person's version (not tagged as ours) that is newer than the recorded one wins.
 * 2. Else the child of the recorded version with the highest epoch wins.
 * 3. Else the recorded version stays.
 *
 * @param record what the rotator knows; where its version is not in the vault, the save with the highest epoch stands in for it
 * @param versions all versions of the refresh token's secret, in any order
 * @param latest the version that Key Vault answers when none is named
 */
export function heal(record: ConnectionRecord, versions: readonly SecretVersion[], latest: string): Healing {
  const recorded = recordedVersion(record, versions);
  const persons = newest(versions.filter((version) => isPersonsNewer(version, recorded, latest)));
  if (persons) return { finding: 'replaced_by_person', winner: persons };
  if (!recorded) return { finding: 'gone' };
  const child = newestSave(versions.filter(({ tags }) => readLineage(tags)?.parent === recorded.version));
  if (child) return { finding: 'saved_not_recorded', winner: child };
  const twin = newestSave(versions.filter((version) => isTwin(version, recorded))) ?? recorded;
  const known = record.version === recorded.version && twin === recorded;
  return { finding: known ? 'unchanged' : 'saved_not_recorded', winner: twin };
}

function recordedVersion(
  record: ConnectionRecord,
  versions: readonly SecretVersion[],
): SecretVersion | undefined {
  const recorded = versions.find(({ version }) => version === record.version);
  return recorded ?? newestSave(versions.filter(({ tags }) => isManaged(tags)));
}

/**
 * Key Vault's times have a resolution of one second: in the same second, only the latest version is taken
 * for newer.
 */
function isPersonsNewer(
  version: SecretVersion,
  recorded: SecretVersion | undefined,
  latest: string,
): boolean {
  if (isManaged(version.tags) || version === recorded) return false;
  if (!recorded || version.createdAt > recorded.createdAt) return true;
  return version.createdAt === recorded.createdAt && version.version === latest;
}

/**
 * The same save written twice (its first answer was lost), or a copy that a person made with all tags: either
 * way the newest is as good as, or better than, the recorded one.
 */
function isTwin(version: SecretVersion, recorded: SecretVersion): boolean {
  const [one, other] = [readLineage(version.tags), readLineage(recorded.tags)];
  return one !== undefined && other !== undefined && one.parent === other.parent && one.epoch === other.epoch;
}

function newestSave(versions: readonly SecretVersion[]): SecretVersion | undefined {
  const epochOf = (version: SecretVersion) => readLineage(version.tags)?.epoch ?? 0;
  const highest = Math.max(...versions.map(epochOf));
  return newest(versions.filter((version) => epochOf(version) === highest));
}

function newest(versions: readonly SecretVersion[]): SecretVersion | undefined {
  return versions.reduce<SecretVersion | undefined>(
    (best, version) => (best === undefined || version.createdAt > best.createdAt ? version : best),
    undefined,
  );
}

/** The record store that the latest version was written under, where it is not ours. */
export function foreignStore(latest: Pick<SecretVersion, 'tags'>, ownStore: string): string | undefined {
  const stores = [readIntent(latest.tags)?.store, readLineage(latest.tags)?.store];
  return stores.find((store) => store !== undefined && store !== ownStore);
}
