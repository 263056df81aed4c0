import type { SecretVersion } from '../ports.ts';
import {
  type ConnectionRecord,
  familyStarted,
  intentRecovered,
  publishedTokenFound,
  versionCopied,
  versionFollowed,
} from './record.ts';
import { isManaged, type Origin, readIntent, readOrigin, type Tags } from './tags.ts';
import { CLOCK_TOLERANCE_MS, MOST_DISABLED, RESERVED_MS, VAULT_LAG_MS } from './times.ts';

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
 * 2. Of the versions that descend from that token, the one with the highest epoch wins: its request was announced last.
 * 3. If nothing was obtained with it, it wins itself.
 *
 * Tags can be forged, and the times that Key Vault sets cannot. So a version is not the child of a newer one, and a version that is
 * older than the recorded one, and was changed after it was written, never wins.
 *
 * The time it takes grows with the number of versions, not with its square: a secret may have 20,000.
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
  const descent = new Descent(versions, record);
  const recorded = recordedVersion(record, descent, latest);
  const isStale = (version: SecretVersion) =>
    version.isChanged === true && recorded !== undefined && version.createdAt < recorded.createdAt;
  const isNewer = operatorsNewer(recorded, descent, latest);
  const operators = newest(
    versions.filter((version) => !isStale(version) && isNewer(version)),
    latest,
  );
  const start = operators ?? recorded;
  if (!start) return { finding: 'gone' };
  const end = newestDescendant(start, descent, { latest, isStale });
  if (end === operators) return { finding: 'set_by_operator', winner: end };
  const copies = descent.sameToken(end).filter((copy) => !isStale(copy));
  const winner = newest(copies.filter(isEnabled), latest) ?? newest(copies, latest) ?? end;
  if (winner.version === record.version) return { finding: 'unchanged', winner };
  const known = descent.sameToken(end).some(({ version }) => version === record.version);
  return { finding: known ? 'written_twice' : 'saved_not_recorded', winner };
}

/**
 * The versions whose tags name a parent that is newer than the version itself. Such a tag is not true: it was changed, because Key
 * Vault sets the time of creation.
 */
export function falseOrigins(versions: readonly SecretVersion[]): readonly string[] {
  const byVersion = new Map(versions.map((each) => [each.version, each]));
  return versions.filter((each) => isFalseOrigin(each, byVersion)).map(({ version }) => version);
}

function isFalseOrigin(child: SecretVersion, byVersion: ReadonlyMap<string, SecretVersion>): boolean {
  const parent = byVersion.get(readOrigin(child.tags)?.parent ?? '');
  return parent !== undefined && child.createdAt < parent.createdAt;
}

/** How the versions of a secret descend from each other, as far as their tags tell it and their times allow it. */
class Descent {
  readonly versions: readonly SecretVersion[];
  readonly #byVersion: ReadonlyMap<string, SecretVersion>;
  /** Only of versions whose origin may be true. */
  readonly #origins = new Map<string, Origin>();
  readonly #byOrigin = new Map<string, SecretVersion[]>();
  readonly #byParent = new Map<string, SecretVersion[]>();

  /** @param record what was obtained with the version that the vault lost counts as obtained with the recorded one */
  constructor(
    versions: readonly SecretVersion[],
    { version, lostVersion }: Pick<ConnectionRecord, 'version' | 'lostVersion'> = {},
  ) {
    this.versions = versions;
    this.#byVersion = new Map(versions.map((each) => [each.version, each]));
    const recorded = this.find(version);
    for (const each of versions) {
      const origin = readOrigin(each.tags);
      if (!origin?.parent || isFalseOrigin(each, this.#byVersion)) continue;
      this.#origins.set(each.version, origin);
      push(this.#byOrigin, keyOf(origin), each);
      const isOfLost = origin.parent === lostVersion && recorded && isLater(each, recorded);
      push(this.#byParent, isOfLost ? recorded.version : origin.parent, each);
    }
  }

  find(version: string | undefined): SecretVersion | undefined {
    return version === undefined ? undefined : this.#byVersion.get(version);
  }

  epochOf({ version }: SecretVersion): number {
    return this.#origins.get(version)?.epoch ?? 0;
  }

  /**
   * The version and its twins: the same save written twice (the response to the first was lost), written again over a late write,
   * or copied by an operator with all tags.
   */
  sameToken(version: SecretVersion): readonly SecretVersion[] {
    const origin = this.#origins.get(version.version);
    return (origin && this.#byOrigin.get(keyOf(origin))) ?? [version];
  }

  /** The versions obtained with the token of a version, whichever of its copies was sent. */
  childrenOf(version: SecretVersion): readonly SecretVersion[] {
    return this.sameToken(version).flatMap((each) => this.#byParent.get(each.version) ?? []);
  }

  /** The versions that a version descends from, as far as the vault still has their tags. */
  ancestorsOf(version: SecretVersion | undefined): ReadonlySet<string> {
    const ancestors = new Set<string>();
    let parent = version && this.#origins.get(version.version)?.parent;
    while (parent !== undefined && !ancestors.has(parent)) {
      ancestors.add(parent);
      parent = this.#origins.get(parent)?.parent;
    }
    return ancestors;
  }
}

/** Was it saved after the other one, by its time and by its request? */
function isLater(version: SecretVersion, than: SecretVersion): boolean {
  const epochIn = ({ tags }: SecretVersion) => readOrigin(tags)?.epoch ?? 0;
  return version.createdAt >= than.createdAt && epochIn(version) > epochIn(than);
}

function keyOf({ parent, epoch }: Origin): string {
  return `${epoch} ${parent}`;
}

function push<T>(lists: Map<string, T[]>, key: string, item: T): void {
  const list = lists.get(key);
  if (list) list.push(item);
  else lists.set(key, [item]);
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
  descent: Descent,
  { latest, isStale }: { readonly latest: string; readonly isStale: (version: SecretVersion) => boolean },
): SecretVersion {
  // Forged tags may form a circle.
  const seen = new Set(descent.sameToken(start).map(({ version }) => version));
  const found: SecretVersion[] = [];
  let parents: readonly SecretVersion[] = [start];
  while (parents.length > 0) {
    const children = parents.flatMap((each) => descent.childrenOf(each)).filter((each) => !isStale(each));
    parents = children.filter((each) => {
      if (seen.has(each.version)) return false;
      for (const { version } of descent.sameToken(each)) seen.add(version);
      return true;
    });
    found.push(...parents);
  }
  return newestSave(found, descent, latest) ?? start;
}

function recordedVersion(
  record: ConnectionRecord,
  descent: Descent,
  latest: string,
): SecretVersion | undefined {
  const saves = descent.versions.filter(({ tags }) => isManaged(tags));
  // A record that was restored counts from an old epoch again. What is disabled was superseded, whatever its epoch.
  const enabled = saves.filter(isEnabled);
  const unknown = enabled.length > 0 ? enabled : saves;
  return descent.find(record.version) ?? newestSave(unknown, descent, latest);
}

/**
 * Tells which versions an operator has set after the recorded one. Key Vault's times have a resolution of one second: within the
 * same second, only the latest version counts as newer, and one that something was obtained with. A disabled version that was never
 * used does not count: a save replaced it before the rotator saw it. Nor does one that the recorded version descends from.
 */
function operatorsNewer(
  recorded: SecretVersion | undefined,
  descent: Descent,
  latest: string,
): (version: SecretVersion) => boolean {
  const wasUsed = (version: SecretVersion) => descent.childrenOf(version).length > 0;
  const ancestors = descent.ancestorsOf(recorded);
  // A later copy of the recorded token is not newer than the operator's: it was written by a process that did not see that one.
  const recordedAt = recorded && firstOf(descent.sameToken(recorded));
  return (version) => {
    if (isManaged(version.tags) || version === recorded) return false;
    if (!isEnabled(version) && !wasUsed(version)) return false;
    if (recordedAt === undefined) return true;
    if (version.createdAt < recordedAt || ancestors.has(version.version)) return false;
    return version.createdAt > recordedAt || version.version === latest || wasUsed(version);
  };
}

function firstOf(versions: readonly SecretVersion[]): number {
  return versions.reduce((first, { createdAt }) => Math.min(first, createdAt), Number.POSITIVE_INFINITY);
}

function newestSave(
  versions: readonly SecretVersion[],
  descent: Descent,
  latest: string,
): SecretVersion | undefined {
  const highest = versions.reduce((epoch, version) => Math.max(epoch, descent.epochOf(version)), 0);
  return newest(
    versions.filter((version) => descent.epochOf(version) === highest),
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
  // A replay must know what it may revoke, and the record alone could be forged.
  if (finding === 'unchanged' || finding === 'written_twice')
    return record.phase.state === 'requesting' || isUnknownIntent(winner.tags, record);
  return finding === 'saved_not_recorded';
}

/** The request that the tags announce. None begins in the future, whatever the tags say. */
function intentOf({ tags }: SecretVersion, now: number): ReturnType<typeof readIntent> {
  const intent = readIntent(tags);
  if (!intent) return undefined;
  const startedAt = Math.min(intent.startedAt, now);
  return { ...intent, startedAt, firstStartedAt: Math.min(intent.firstStartedAt, startedAt) };
}

/**
 * Until when a process may wait for the response to a request that only the tags tell, because another rotator sent it or the record
 * does not know it; undefined if there is none. The version `sent` has its own rule.
 * @param record as it was before the vault told it more
 */
export function awaitedElsewhere(
  record: ConnectionRecord,
  versions: readonly SecretVersion[],
  { sent, store, now }: { readonly sent: SecretVersion; readonly store: string; readonly now: number },
): number | undefined {
  const recent = versions.flatMap((version) => {
    const intent = version.version === sent.version ? undefined : readIntent(version.tags);
    // A start in the future is a forged one.
    if (!intent || intent.startedAt + RESERVED_MS <= now || intent.startedAt > now + CLOCK_TOLERANCE_MS)
      return [];
    const isKnown = intent.store === store && intent.epoch <= record.epoch;
    return isKnown ? [] : [{ version, ...intent }];
  });
  if (recent.length === 0) return undefined;
  const descent = new Descent(versions);
  // The tags tell only the last of the requests with a version, and each request raised the epoch.
  const open = recent.filter(({ version, epoch }) => {
    const first = Math.min(epoch, descent.epochOf(version) + 1);
    const saved = new Set(descent.childrenOf(version).map((child) => descent.epochOf(child)));
    return [...saved].filter((each) => each >= first && each <= epoch).length <= epoch - first;
  });
  return open.length === 0
    ? undefined
    : Math.max(...open.map(({ startedAt }) => Math.min(startedAt, now))) + RESERVED_MS;
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
  const intent = intentOf(winner, now);
  if (finding === 'unchanged' || finding === 'written_twice') {
    const same = finding === 'unchanged' ? record : versionCopied(record, winner.version);
    if (intent && isUnknownIntent(winner.tags, record)) return intentRecovered(same, intent, accessToken);
    const isLater = accessToken && accessToken.expiresAt > (record.accessToken?.expiresAt ?? 0);
    return isLater ? publishedTokenFound(same, accessToken) : same;
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
