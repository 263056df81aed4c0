import type { SecretVersion } from '../ports.ts';
import {
  type ConnectionRecord,
  familyStarted,
  intentRecovered,
  publishedTokenFound,
  versionCopied,
  versionFollowed,
} from './record.ts';
import { isManaged, readIntent, readOrigin, type Tags } from './tags.ts';
import { MOST_DISABLED, VAULT_LAG_MS } from './times.ts';

/** What the vault's versions say about the refresh token that counts. */
export type Finding =
  /** An operator set a new refresh token. */
  | { readonly finding: 'set_by_operator'; readonly winner: SecretVersion }
  /** The rotator saved a refresh token that the record does not know: a process died, or the record was lost. */
  | { readonly finding: 'saved_not_recorded'; readonly winner: SecretVersion }
  /** The vault has another copy of the recorded refresh token; what is known about it stays true. */
  | { readonly finding: 'written_twice'; readonly winner: SecretVersion }
  /** Nothing is newer than the recorded version: the outcome of a request in flight stays unknown. */
  | { readonly finding: 'unchanged'; readonly winner: SecretVersion }
  /** There is no version: the secret has been deleted. */
  | { readonly finding: 'gone' };

/**
 * Finds the refresh token that counts, from the properties of all versions. Key Vault has no
 * compare-and-set: a write of a process that lost its lease can arrive late and become the latest version.
 *
 * 1. An operator's version (without our tags) that is newer than the recorded one wins, if it can be used or was used.
 * 2. Of the versions obtained with that token, the one with the highest epoch wins, and so on down the token family.
 * 3. If nothing was obtained with it, it wins itself.
 *
 * @param record what the rotator knows; if the vault does not have its version, the save with the highest epoch is taken instead
 * @param versions all versions of the refresh token's secret, in any order
 * @param latest the version that Key Vault returns if the request names none
 */
export function currentVersion(
  record: ConnectionRecord,
  versions: readonly SecretVersion[],
  latest: string,
): Finding {
  const recorded = recordedVersion(record, versions, latest);
  const isNewer = (version: SecretVersion) => isOperatorsNewer(version, recorded, { versions, latest });
  const operators = newest(versions.filter(isNewer), latest);
  const start = operators ?? recorded;
  if (!start) return { finding: 'gone' };
  const end = newestDescendant(start, versions, latest);
  if (end === operators) return { finding: 'set_by_operator', winner: end };
  const copies = sameToken(end, versions);
  const winner = newest(copies.filter(isEnabled), latest) ?? newest(copies, latest) ?? end;
  if (winner.version === record.version) return { finding: 'unchanged', winner };
  const known = copies.some(({ version }) => version === record.version);
  return { finding: known ? 'written_twice' : 'saved_not_recorded', winner };
}

/**
 * Does the vault show less than it has acknowledged? What it hides may be newer than everything it shows, so nothing must be
 * written or sent on this basis. After `VAULT_LAG_MS` it counts as true: a late write, or a vault that lost its last writes.
 * @param versions every version that any response showed
 * @param latest the version that Key Vault returned when the request named none
 */
export function showsThePast(
  record: ConnectionRecord,
  versions: readonly SecretVersion[],
  { latest, winner }: { readonly latest: SecretVersion; readonly winner: SecretVersion },
  now: number,
): boolean {
  const { version, phase, rotatedAt = 0 } = record;
  const lastSentAt = Math.max(rotatedAt, phase.state === 'requesting' ? phase.startedAt : 0);
  if (version !== undefined && !versions.some((each) => each.version === version))
    return now < lastSentAt + VAULT_LAG_MS;
  // A late write becomes the latest version because it is the newest one.
  return latest.createdAt < winner.createdAt && now < winner.createdAt + VAULT_LAG_MS;
}

/** The record may lag behind the vault by more than one save if it was lost or restored from a copy. */
function newestDescendant(
  start: SecretVersion,
  versions: readonly SecretVersion[],
  latest: string,
): SecretVersion {
  let end = start;
  // A family never has more members than the secret has versions, even if forged tags form a circle.
  for (const _ of versions) {
    const child = newestSave(childrenOf(end, versions), latest);
    if (!child) break;
    end = child;
  }
  return end;
}

/** The versions obtained with the token of a version, whichever of its copies was sent. */
function childrenOf(version: SecretVersion, versions: readonly SecretVersion[]): SecretVersion[] {
  const parents = new Set(sameToken(version, versions).map((each) => each.version));
  return versions.filter(({ tags }) => parents.has(readOrigin(tags)?.parent ?? ''));
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
 * Key Vault's times have a resolution of one second: within the same second, only the latest version counts as newer, and one
 * that something was obtained with, unless the recorded version descends from it. A disabled version that was never used does not
 * count: a save replaced it before the rotator saw it.
 */
function isOperatorsNewer(
  version: SecretVersion,
  recorded: SecretVersion | undefined,
  { versions, latest }: { readonly versions: readonly SecretVersion[]; readonly latest: string },
): boolean {
  const wasUsed = () => childrenOf(version, versions).length > 0;
  if (isManaged(version.tags) || version === recorded) return false;
  if (!isEnabled(version) && !wasUsed()) return false;
  if (!recorded) return true;
  // A later copy of the recorded token is not newer than the operator's: it was written by a process that did not see that one.
  const recordedAt = Math.min(...sameToken(recorded, versions).map(({ createdAt }) => createdAt));
  if (version.createdAt > recordedAt) return true;
  if (version.createdAt < recordedAt || ancestorsOf(recorded, versions).has(version.version)) return false;
  return version.version === latest || wasUsed();
}

/** The versions that a version descends from, as far as the vault still has their tags. */
function ancestorsOf(version: SecretVersion, versions: readonly SecretVersion[]): ReadonlySet<string> {
  const parents = new Map(versions.map((each) => [each.version, readOrigin(each.tags)?.parent]));
  const ancestors = new Set<string>();
  let parent = parents.get(version.version);
  while (parent !== undefined && !ancestors.has(parent)) {
    ancestors.add(parent);
    parent = parents.get(parent);
  }
  return ancestors;
}

/**
 * The version and its twins: the same save written twice (the response to the first was lost), written again over a late write,
 * or copied by an operator with all tags.
 */
function sameToken(version: SecretVersion, versions: readonly SecretVersion[]): SecretVersion[] {
  const origin = readOrigin(version.tags);
  const isTwin = ({ tags }: SecretVersion) => {
    const other = readOrigin(tags);
    return origin && other?.parent === origin.parent && other.epoch === origin.epoch;
  };
  return versions.filter((other) => other === version || isTwin(other));
}

function newestSave(versions: readonly SecretVersion[], latest: string): SecretVersion | undefined {
  const epochOf = (version: SecretVersion) => readOrigin(version.tags)?.epoch ?? 0;
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
 * The versions that nothing needs once `winner` is in use. Two others stay enabled: the token that it was obtained with, which
 * shows its origin, and the latest version, because Key Vault returns nothing if that one is disabled.
 */
export function supersededBy(
  winner: SecretVersion,
  versions: readonly SecretVersion[],
  latest: string,
): readonly string[] {
  const needed = [winner.version, readOrigin(winner.tags)?.parent, latest];
  return versions.filter(isEnabled).flatMap(({ version }) => (needed.includes(version) ? [] : [version]));
}

function isEnabled({ enabled = true }: SecretVersion): boolean {
  return enabled;
}

type Found = Exclude<Finding, { finding: 'gone' }>;

/** Does the vault know a request that the record does not know? Then the record was lost or restored from a copy. */
export function isUnknownIntent(tags: Tags, record: ConnectionRecord): boolean {
  const intent = readIntent(tags);
  return intent !== undefined && intent.epoch > record.epoch;
}

/** Does the record not know what was published, so that the published secret has to be read? */
export function lagsBehind(record: ConnectionRecord, { finding, winner }: Found): boolean {
  if (finding === 'unchanged' || finding === 'written_twice') return isUnknownIntent(winner.tags, record);
  return finding === 'saved_not_recorded';
}

/**
 * The record that follows from a finding; the same object if nothing follows.
 * @param accessToken what is published, if the record {@link lagsBehind}
 */
export function reconciled(
  record: ConnectionRecord,
  { finding, winner }: Found,
  now: number,
  accessToken: ConnectionRecord['accessToken'],
): ConnectionRecord {
  const intent = readIntent(winner.tags);
  if (finding === 'unchanged' || finding === 'written_twice') {
    const same = finding === 'unchanged' ? record : versionCopied(record, winner.version);
    return intent && isUnknownIntent(winner.tags, record) ? intentRecovered(same, intent, accessToken) : same;
  }
  if (finding === 'set_by_operator') return familyStarted(record, winner.version, now);
  const { epoch = 0, generation = 0 } = readOrigin(winner.tags) ?? {};
  const followed = versionFollowed(record, { version: winner.version, epoch, generation }, now);
  // A record that did not know the version cannot know of a request for it either, nor of what was published: the vaults do.
  if (intent) return intentRecovered(followed, intent, accessToken);
  return accessToken ? publishedTokenFound(followed, accessToken) : followed;
}

/**
 * The versions to disable now that the outcome of a request is known: those found to be of no use any more, and, if a token
 * was saved, the one before the one that was sent. Never the token in use or its parent, whatever was found before. More than
 * `MOST_DISABLED` are left to the next look at the vault: a rotation must not take long.
 * @param sent the refresh token that was sent
 * @param saved was another one obtained with it, and saved?
 */
export function toDisable(
  found: ReadonlySet<string>,
  sent: SecretVersion,
  saved: boolean,
): readonly string[] {
  const parent = readOrigin(sent.tags)?.parent ?? '';
  const superseded = new Set(found);
  if (saved && parent !== '') superseded.add(parent);
  for (const version of saved ? [sent.version] : [sent.version, parent]) superseded.delete(version);
  return [...superseded].slice(0, MOST_DISABLED);
}
