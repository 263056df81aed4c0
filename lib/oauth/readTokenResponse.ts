import type { TokenBehavior } from '../rotation/core/connection.ts';
import type { IssuedAccessToken } from '../rotation/core/tokenRequest.ts';
import { refreshTokenLifetime } from './lifetimes.ts';
import { errorOf, type ResponseError } from './responseError.ts';
import { type Members, memberAt, membersOf, parseBody } from './responseMembers.ts';
import {
  accessTokenOf,
  allTokens,
  hasAccessToken,
  isOtherType,
  type TokenPlaces,
  tokenPlaces,
} from './responseTokens.ts';
import { isPlaceholder, looksLikeToken } from './tokenText.ts';

/** The content of a response. */
export interface TokenResponseBody {
  /** Verbatim, not empty; kept even if the rest of the response is wrong. */
  readonly refreshToken?: string;
  /** In ms, if the response names it. */
  readonly refreshTokenLifetimeMs?: number;
  /** The access token, or the reason why there is no usable one: a verb phrase about the response. */
  readonly accessToken: IssuedAccessToken | string;
  /** The type of an access token that is not Bearer. Verbatim: not safe to show. */
  readonly tokenType?: string;
  readonly error?: ResponseError;
  /**
   * Every member, if the response has an error or no usable access token; by its name, or by its place (`error.code`). Verbatim: not
   * safe to show.
   */
  readonly members?: Members;
  /** Every token in the response, for the sanitizer. */
  readonly tokens: readonly string[];
  /** The JSON ended early: these are its complete members. */
  readonly cutOff?: true;
  /** The body is not valid JSON, and was read nevertheless. */
  readonly isOdd?: true;
}

/** What the reading of a response depends on, in addition to its provider. */
export interface ReadingTerms {
  /** False if the body may have been cut off; only JSON shows whether it was. */
  readonly complete?: boolean;
  /** Whether the status says that the request was refused: 4xx. */
  readonly refused?: boolean;
  /** Milliseconds since the epoch; undefined: an expiry that is a moment is not read. */
  readonly now?: number;
}

/**
 * Reads the body of a token response (RFC 6749 sections 5.1 and 5.2) and trusts nothing in it: neither its
 * content type nor its encoding, shape or members. Tokens and errors may be in another place and shape than RFC 6749 asks for.
 * @param behavior the defaults for values that the response does not name, and the profile's facts about its shape
 *
 * If the JSON ends early, its complete members count: a refresh token that is lost revokes its family when the old one is sent again.
 * The access token is left, because its lifetime may be what is missing.
 * @returns undefined if the body is not a token response at all; never throws
 */
export function readTokenResponse(
  body: Uint8Array,
  behavior: TokenBehavior,
  { complete = true, refused = false, now }: ReadingTerms = {},
): TokenResponseBody | undefined {
  const parsed = parseBody(body, complete);
  if (!parsed) return undefined;
  const { root, cutOff, lossy, odd } = parsed;
  const { response: facts = {} } = behavior;
  const hasAccess = hasAccessToken(root);
  const error = errorOf(root, hasAccess);
  const places = tokenPlaces(root, facts, error !== undefined);
  const place = places.refreshToken === 'several' ? undefined : places.refreshToken;
  const isFailed = refused || (error !== undefined && !hasAccess);
  const refreshToken = refreshTokenOf(place?.('refresh_token'), lossy, isFailed);
  const members = membersOf(root);
  const beside = besideAccessToken(places, members);
  const terms = { now, unit: facts.expiresInUnit };
  const lifetime = refreshTokenLifetime(place ?? beside, terms);
  const isPartial = cutOff ? 'ends early' : odd === 'token_only' && 'is not valid JSON';
  const accessToken = isPartial || accessTokenOf(places, members, behavior, now);
  const type = beside('token_type');
  return {
    ...(refreshToken !== undefined && { refreshToken }),
    ...(lifetime !== undefined && { refreshTokenLifetimeMs: lifetime }),
    accessToken,
    ...(isOtherType(accessToken) && typeof type === 'string' && { tokenType: type }),
    ...(error && { error }),
    ...((error || typeof accessToken === 'string') && { members: (name: string) => memberAt(root, name) }),
    tokens: allTokens(root),
    ...(cutOff && { cutOff }),
    ...(odd && { isOdd: true }),
  };
}

/** The members that describe the access token. A provider that does not send the refresh token again names its lifetime there. */
function besideAccessToken({ accessToken }: TokenPlaces, root: Members): Members {
  return accessToken && accessToken !== 'several' ? accessToken : root;
}

/**
 * Ignores what would replace a token that works: one that lost bytes while decoding, a placeholder, and words about the refresh token in
 * a failed response.
 */
function refreshTokenOf(value: unknown, lossy: boolean, isFailed: boolean): string | undefined {
  if (typeof value !== 'string' || isPlaceholder(value)) return undefined;
  if (isFailed && !looksLikeToken(value)) return undefined;
  return lossy && value.includes('\ufffd') ? undefined : value;
}
