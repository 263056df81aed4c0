import { safeName } from '../../safeText.ts';

/**
 * The tags that this program keeps on refresh-token versions and published secrets. Every identity with the right to list
 * secrets can read them: they hold no secret and nothing made from one.
 */
export type Tags = Readonly<Record<string, string>>;

const MANAGER = 'key-vault-token-rotator';
const MANAGED_BY = 'managed-by';
const OWN = [MANAGED_BY, 'connection', 'parent', 'epoch', 'generation', 'store'];
const INTENT = ['intent-started', 'intent-epoch', 'intent-store'];
/** Why the expiration date of a published token is not the provider's word. */
const EXPIRES_IN = 'expires-in';
const PUBLISHED = ['scope', EXPIRES_IN];
const BY_DEFAULT = 'default';
/** So many tags has a published secret: see {@link publishedTags}. */
const PUBLISHED_TAGS = 5;
/** Why the expiration date of a version says nothing about its value. */
const EXPIRATION = 'expiration';
/** A copy of an operator's token that was not announced yet. Its place is kept by the intent, which takes it away. */
const UNSENT_COPY = 'unsent-copy';
/** Key Vault takes 15 tags a secret, 512 characters each (Key Vault service limits). */
const MOST_TAGS = 15;
const LONGEST_VALUE = 512;

/** The highest number that is believed: with a request each second, a connection needs 30 years for it. */
const HIGHEST_COUNT = 1_000_000_000;

/** Is it a number that the rotator may have counted up to, in a tag or in a record? */
export function isCount(number: number): boolean {
  return Number.isSafeInteger(number) && number >= 0 && number <= HIGHEST_COUNT;
}

/** Can it be the id of a version in Key Vault? */
export function isVersion(text: string): boolean {
  return /^[0-9A-Za-z]{1,64}$/.test(text);
}

/** Did this program write the version that carries these tags? */
export function isManaged(tags: Tags): boolean {
  return tags[MANAGED_BY] === MANAGER;
}

/** Where a saved refresh token comes from. */
export interface Origin {
  readonly connection: string;
  /** The version that it was obtained with, or a copy of. */
  readonly parent: string;
  readonly epoch: number;
  readonly generation: number;
  /** Host of the record store whose lease the saver held. */
  readonly store: string;
}

/**
 * An expiration date that only satisfies an Azure Policy: the one that the entry asks for (`horizon`), or one that the vault took when
 * it refused the right one and the token existed nowhere else (`makeshift`). Neither is ever treated as a deadline.
 */
export type InventedExpiration = 'horizon' | 'makeshift';

/** The same tags, of a version whose expiration date was invented, or is true (undefined). */
export function withExpiration(tags: Tags, invented: InventedExpiration | undefined): Tags {
  const rest = without([EXPIRATION], tags);
  if (invented === undefined) return rest;
  const own = Object.fromEntries(Object.entries(rest).filter(([name]) => RESERVED.has(name)));
  const most = tags.parent === undefined ? Object.keys(own).length : OWN.length + INTENT.length;
  return { ...foreignTags(rest, most + 1), ...own, [EXPIRATION]: invented };
}

/** When the value of a version ends, in milliseconds since the epoch, if its expiration date is known and true. */
export function deadlineOf(version: {
  readonly tags: Tags;
  readonly expiresAt?: number | undefined;
}): number | undefined {
  return version.tags[EXPIRATION] === undefined ? version.expiresAt : undefined;
}

/** Did the vault refuse to take this version with the right attributes? */
export function isMakeshift(tags: Tags): boolean {
  return isManaged(tags) && tags[EXPIRATION] === 'makeshift';
}

/** The tags of a refresh token that this program saves; an operator's own tags on the parent are kept. */
export function savedTags(origin: Origin, parentTags: Tags): Tags {
  return {
    ...foreignTags(parentTags, OWN.length + INTENT.length),
    [MANAGED_BY]: MANAGER,
    connection: origin.connection,
    parent: origin.parent,
    epoch: String(origin.epoch),
    generation: String(origin.generation),
    store: origin.store,
  };
}

/** Reads what {@link savedTags} wrote; undefined for a version that the rotator did not make. */
export function readOrigin(tags: Tags): Origin | undefined {
  if (!isManaged(tags)) return undefined;
  const { parent = '' } = tags;
  return {
    connection: tags.connection ?? '',
    parent: isVersion(parent) ? parent : '',
    epoch: numberOf(tags.epoch),
    generation: numberOf(tags.generation),
    store: tags.store ?? '',
  };
}

/** The same tags, of a copy of an operator's token that was never sent: another rotator may have made one as well. */
export function asUnsentCopy(tags: Tags): Tags {
  return { ...tags, [UNSENT_COPY]: 'true' };
}

/** Has no token request been announced with this version since {@link asUnsentCopy} marked it? */
export function isUnsentCopy(tags: Tags): boolean {
  return isManaged(tags) && tags[UNSENT_COPY] !== undefined;
}

/** A token request that is, or was, in flight with the version that has these tags. */
export interface Intent {
  /** Milliseconds, the storage service's time. */
  readonly startedAt: number;
  readonly epoch: number;
  readonly store: string;
}

/** The same tags, with the announcement of a token request. */
export function withIntent(tags: Tags, intent: Intent): Tags {
  return {
    ...withoutIntent(tags),
    'intent-started': new Date(intent.startedAt).toISOString(),
    'intent-epoch': String(intent.epoch),
    'intent-store': intent.store,
  };
}

/** The same tags, without an announcement. */
export function withoutIntent(tags: Tags): Tags {
  return without([...INTENT, UNSENT_COPY], tags);
}

function without(names: readonly string[], tags: Tags): Tags {
  return Object.fromEntries(Object.entries(tags).filter(([name]) => !names.includes(name)));
}

/**
 * Reads what {@link withIntent} wrote. A start that cannot be read counts as long ago; so does the first one, for the grace, where
 * the last was not the first.
 */
export function readIntent(tags: Tags): (Intent & { readonly firstStartedAt: number }) | undefined {
  const store = tags['intent-store'];
  if (store === undefined) return undefined;
  const parsed = Date.parse(tags['intent-started'] ?? '');
  const startedAt = Number.isNaN(parsed) ? 0 : parsed;
  const epoch = numberOf(tags['intent-epoch']);
  // Each intent raises the epoch: of several for one version, the tags tell only when the last one was.
  const isFirst = epoch <= numberOf(tags.epoch) + 1;
  return { startedAt, firstStartedAt: isFirst ? startedAt : 0, epoch, store };
}

/** The same tags, under another record store, whose rotator need not ask again whose copy it is. */
export function tagsTakenOver(tags: Tags, store: string): Tags {
  return {
    ...without([UNSENT_COPY], tags),
    ...(isManaged(tags) && { store }),
    ...(tags['intent-store'] !== undefined && { 'intent-store': store }),
  };
}

/**
 * The tags of what consumers read; an operator's own tags on the version before are kept. So is the tag of a member that the response
 * does not repeat, because consumers rely on it. If there are more than fit, an operator's tag comes before that of a member.
 */
export function publishedTags(
  token: {
    connection: string;
    generation: number;
    scope?: string | undefined;
    /** The provider named no lifetime. */
    expiresInIsDefault?: boolean | undefined;
    /** The members that are published: those that the response has, by name, and the names of all. */
    members?: { readonly received?: Tags | undefined; readonly names?: readonly string[] | undefined };
  },
  before: Tags = {},
): Tags {
  const { received = {}, names = [] } = token.members ?? {};
  const own = {
    [MANAGED_BY]: MANAGER,
    connection: token.connection,
    generation: String(token.generation),
    ...(token.scope && { scope: token.scope.slice(0, LONGEST_VALUE) }),
    ...(token.expiresInIsDefault && { [EXPIRES_IN]: BY_DEFAULT }),
  };
  const operators = operatorTags(without(names, before));
  const members = names.flatMap((name) => {
    const value = received[name] ?? before[name];
    return value === undefined ? [] : [[name, value] as const];
  });
  // One place is for the tag of an invented expiration date.
  const room = MOST_TAGS - 1 - Object.keys({ ...operators, ...own }).length;
  return { ...operators, ...Object.fromEntries(members.slice(0, room)), ...own };
}

/** Is the expiration date of a published secret a default, because the provider named no lifetime? */
export function hasDefaultLifetime(tags: Tags): boolean {
  return isManaged(tags) && tags[EXPIRES_IN] === BY_DEFAULT;
}

/** What an operator added to the tags of a secret, as many as the tags of a published one leave room for. */
export function operatorTags(tags: Tags): Tags {
  return foreignTags(tags, PUBLISHED_TAGS + 1);
}

/** The record store that the latest version was written under, where it is not ours; in a form that is safe to show. */
export function foreignStore(latest: { readonly tags: Tags }, ownStore: string): string | undefined {
  const stores = [readIntent(latest.tags)?.store, readOrigin(latest.tags)?.store];
  const other = stores.find((store) => store !== undefined && store !== ownStore);
  return other === undefined ? undefined : safeName(other);
}

const RESERVED: ReadonlySet<string> = new Set([...OWN, ...INTENT, ...PUBLISHED, UNSENT_COPY, EXPIRATION]);

/** Is it the name of a tag that this program keeps, in any spelling? */
export function isOwnTag(name: string): boolean {
  return RESERVED.has(name.toLowerCase().replaceAll('_', '-'));
}

/** An operator's own tags, as many as there is room for. */
function foreignTags(tags: Tags, reserved: number): Tags {
  const foreign = Object.entries(tags).filter(([name]) => !RESERVED.has(name));
  return Object.fromEntries(foreign.slice(0, MOST_TAGS - reserved));
}

function numberOf(text: string | undefined): number {
  const number = Number(text);
  return isCount(number) ? number : 0;
}
