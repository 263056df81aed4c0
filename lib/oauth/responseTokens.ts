import type { ResponseFacts, TokenBehavior } from '../rotation/core/connection.ts';
import type { IssuedAccessToken } from '../rotation/core/tokenRequest.ts';
import { fixes } from './fixes.ts';
import { accessTokenLifetime } from './lifetimes.ts';
import { levelsOf, type Members, membersOf, objectAt, type Placed, plainName } from './responseMembers.ts';
import { isPlaceholder } from './tokenText.ts';

/** The `token_type` of providers that name the kind of account or token instead. Consumers send the token as Bearer nevertheless. */
const BEARER_TYPES = [
  'bearer',
  'bearer_token',
  'access_token',
  'user_access_token',
  'application_access_token',
  'app_access_token',
  'user',
  'bot',
  'app',
  'jwt',
  'oauth',
  'oauth2',
].map(plainName);

/** Why the response has no access token that can be used: a verb phrase about it, and the fix. */
const UNUSABLE = {
  missing: ['has no access token', fixes.response],
  idTokenOnly: ['has an id_token but no access token', fixes.apiScope],
  several: ['has several tokens, and the rotator does not guess which one is meant', fixes.tokensIn],
  notText: ['has an access token that is not a string', fixes.response],
  notPrintable: ['has an access token with characters that are not allowed in a header', fixes.response],
  otherType: ['has an access token of a type other than Bearer', fixes.bearerTypes],
  over: ['has an access token that has already expired', fixes.clock],
} as const;

const FIXES = new Map<string, string>(Object.values(UNUSABLE));

/** The fix for a response without a usable access token. @param why as {@link accessTokenOf} returns it */
export function fixForUnusable(why: string): string {
  return FIXES.get(why) ?? fixes.response;
}

/** Whether the type of the access token is what is wrong with it. */
export function isOtherType(why: IssuedAccessToken | string): boolean {
  return why === UNUSABLE.otherType[0];
}

/** The objects of a response that have its tokens; undefined if there is none, `several` if it is not clear which one. */
export interface TokenPlaces {
  readonly refreshToken: Members | 'several' | undefined;
  readonly accessToken: Members | 'several' | undefined;
}

/**
 * Where the tokens are: at the place that the profile names, else in the response itself, else in the only object below it that has one.
 * @param hasError whether the response has an error
 */
export function tokenPlaces(root: object, { tokensIn }: ResponseFacts, hasError: boolean): TokenPlaces {
  const named = tokensIn === undefined ? undefined : objectAt(root, tokensIn);
  const members = named && membersOf(named);
  if (members && (hasText(members, 'access_token') || hasText(members, 'refresh_token')))
    return { refreshToken: members, accessToken: members };
  const levels = levelsOf(root);
  const accessToken = onlyWith('access_token', levels, () => true);
  const chosen = typeof accessToken === 'function' ? accessToken('access_token') : undefined;
  const belongs = (placed: Placed) => isPlausible(placed, hasError) && isBeside(placed, chosen);
  return { refreshToken: onlyWith('refresh_token', levels, belongs), accessToken };
}

/** A refresh token beside another access token than the one that is published belongs to another user or application. */
function isBeside({ object }: Placed, chosen: unknown): boolean {
  const members = membersOf(object);
  return chosen === undefined || !hasText(members, 'access_token') || members('access_token') === chosen;
}

/** Words in the name of an object that repeats the request or earlier tokens. */
const NOT_ISSUED =
  /^(previous|prev|old|older|past|former|expired|revoked|original|request|requested|input|echo|submitted)$/;

function isIssued({ path }: Placed): boolean {
  const words = path
    .replace(/([a-z\d])([A-Z])/g, '$1 $2')
    .toLowerCase()
    .split(/[^a-z]+/);
  return !words.some((word) => NOT_ISSUED.test(word));
}

/** Whether there is an access token anywhere in a response. */
export function hasAccessToken(root: object): boolean {
  return levelsOf(root)
    .flat()
    .some((placed) => isIssued(placed) && hasText(membersOf(placed.object), 'access_token'));
}

/** Every token in a response, wherever it is, for the sanitizer. */
export function allTokens(root: object): string[] {
  return levelsOf(root).flatMap((level, depth) =>
    level.flatMap(({ object }) =>
      Object.entries(object).flatMap(([name, value]) =>
        typeof value === 'string' && isTokenName(name) && (depth === 0 || /^\S*\d\S*$/.test(value))
          ? [value]
          : [],
      ),
    ),
  );
}

function isTokenName(name: string): boolean {
  return /token|secret|assertion|password/i.test(name) && !/type|expir|timeout|error/i.test(name);
}

/** The members of the only object with that text, on the first level that has one. The same text twice counts as one. */
function onlyWith(
  name: string,
  [top = [], ...below]: readonly (readonly Placed[])[],
  accepts: (placed: Placed) => boolean,
): Members | 'several' | undefined {
  const own = top.map(({ object }) => membersOf(object)).find((members) => hasText(members, name));
  if (own) return own;
  for (const level of below) {
    const found = level.filter((placed) => isIssued(placed) && accepts(placed));
    const having = found.map(({ object }) => membersOf(object)).filter((members) => hasText(members, name));
    const [first] = having;
    if (first) return new Set(having.map((members) => members(name))).size === 1 ? first : 'several';
  }
  return undefined;
}

/**
 * Without an access token beside it, what looks like a refresh token may be words about one, such as `{"errors":{"refresh_token":"invalid"}}`.
 * A token that is not one would replace one that works.
 */
function isPlausible({ object, path }: Placed, hasError: boolean): boolean {
  const members = membersOf(object);
  if (hasText(members, 'access_token')) return true;
  return (
    !hasError &&
    !/err|fault|fail|detail|field|valid|violat/i.test(path) &&
    /^\S+$/.test(String(members('refresh_token')))
  );
}

function hasText(members: Members, name: string): boolean {
  const value = members(name);
  return typeof value === 'string' && !isPlaceholder(value);
}

/**
 * The access token of a response, if a client can use it: printable ASCII (RFC 6749 appendix A.12), so that
 * a header can contain it, and of a known type (section 7.1).
 * @param root the members of the response itself
 * @param now milliseconds since the epoch
 * @returns otherwise the reason why there is no usable one: a verb phrase about the response
 */
export function accessTokenOf(
  { refreshToken, accessToken: place }: TokenPlaces,
  root: Members,
  { defaultExpiresInMs, response = {} }: TokenBehavior,
  now: number | undefined,
): IssuedAccessToken | string {
  if (refreshToken === 'several' || place === 'several') return UNUSABLE.several[0];
  const members = place ?? root;
  const value = members('access_token');
  if (value === undefined || value === null || (typeof value === 'string' && isPlaceholder(value)))
    return hasText(root, 'id_token') ? UNUSABLE.idTokenOnly[0] : UNUSABLE.missing[0];
  if (typeof value !== 'string') return UNUSABLE.notText[0];
  if (!/^[!-~]([ -~]*[!-~])?$/.test(value)) return UNUSABLE.notPrintable[0];
  const type = members('token_type') || 'Bearer';
  const bearer = [...BEARER_TYPES, ...(response.bearerTypes ?? []).map(plainName)];
  if (typeof type !== 'string' || !bearer.includes(plainName(type))) return UNUSABLE.otherType[0];
  const { expiresIn: name, expiresInUnit: unit } = response;
  const lifetimeMs = accessTokenLifetime(members, {
    now,
    name,
    unit,
    usualMs: defaultExpiresInMs,
  });
  if (lifetimeMs === 'over') return UNUSABLE.over[0];
  const scope = members('scope');
  return {
    value,
    ...(typeof scope === 'string' && { scope }),
    ...(response.tags && { tags: textsOf(members, response.tags) }),
    lifetimeMs: lifetimeMs ?? defaultExpiresInMs,
    expiresInIsDefault: lifetimeMs === undefined,
  };
}

/** The members of these names that are a text, or a whole number such as an account's. */
function textsOf(members: Members, names: readonly string[]): Record<string, string> {
  const values = names.map((name) => [name, members(name)] as const);
  return Object.fromEntries(
    values.flatMap(([name, value]) =>
      typeof value === 'string' || Number.isSafeInteger(value) ? [[name, String(value)]] : [],
    ),
  );
}
