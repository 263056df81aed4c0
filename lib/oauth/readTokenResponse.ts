import type { TokenBehavior } from '../rotation/core/connection.ts';
import type { IssuedAccessToken } from '../rotation/core/tokenRequest.ts';
import { decodeText } from './decodeText.ts';
import { accessTokenOf, type Members, refreshTokenLifetime } from './responseTokens.ts';

/** The error members of a response (RFC 6749 section 5.2), verbatim: not safe to show. */
export interface ResponseError {
  /** The `error` member; undefined if it is present but not a string. */
  readonly code: string | undefined;
  readonly description: string | undefined;
  /** Entra's `error_codes`: the numbers after AADSTS. */
  readonly numbers: readonly number[];
}

/** The content of a response. */
export interface TokenResponseBody {
  /** Verbatim, not empty; kept even if the rest of the response is wrong. */
  readonly refreshToken?: string;
  /** In ms, if the response names it. */
  readonly refreshTokenLifetimeMs?: number;
  /** The access token, or the reason why there is no usable one: a verb phrase about the response. */
  readonly accessToken: IssuedAccessToken | string;
  readonly error?: ResponseError;
  /** Every token in the response, for the sanitizer. */
  readonly tokens: readonly string[];
}

/**
 * Reads the body of a token response (RFC 6749 sections 5.1 and 5.2) and trusts nothing in it: neither its
 * content type nor its encoding, shape or members. It also reads form-encoded responses, which some older providers return.
 * @param behavior the defaults for values that the response does not name
 * @param complete false if the body may have been cut off; only JSON shows whether it was
 * @returns undefined if the body is not a token response at all; never throws
 */
export function readTokenResponse(
  body: Uint8Array,
  behavior: TokenBehavior,
  complete = true,
): TokenResponseBody | undefined {
  const { text, lossy } = decodeText(body);
  const members = jsonMembers(text) ?? (complete ? formMembers(text) : undefined);
  if (!members) return undefined;
  const refreshToken = refreshTokenOf(members('refresh_token'), lossy);
  const lifetime = refreshTokenLifetime(members);
  const error = errorOf(members);
  return {
    ...(refreshToken !== undefined && { refreshToken }),
    ...(lifetime !== undefined && { refreshTokenLifetimeMs: lifetime }),
    accessToken: accessTokenOf(members, behavior),
    ...(error && { error }),
    tokens: ['refresh_token', 'access_token', 'id_token']
      .map(members)
      .filter((each) => typeof each === 'string'),
  };
}

function jsonMembers(text: string): Members | undefined {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
    // Own members only: `__proto__` and inherited members do not count.
    return (name) => (Object.hasOwn(value, name) ? (value as Record<string, unknown>)[name] : undefined);
  } catch {
    return undefined;
  }
}

function formMembers(text: string): Members | undefined {
  const trimmed = text.trim();
  if (!/^\w+=/.test(trimmed) || /[\s<>]/.test(trimmed)) return undefined;
  const form = new URLSearchParams(trimmed);
  const known = ['access_token', 'refresh_token', 'error'].some((name) => form.has(name));
  return known ? (name) => form.get(name) ?? undefined : undefined;
}

/** Ignores a token that lost bytes while decoding: storing it would replace one that works. */
function refreshTokenOf(value: unknown, lossy: boolean): string | undefined {
  if (typeof value !== 'string' || value === '') return undefined;
  return lossy && value.includes('\ufffd') ? undefined : value;
}

function errorOf(members: Members): ResponseError | undefined {
  const error = members('error');
  if (error === undefined || error === null || error === '' || error === false) return undefined;
  const description = members('error_description');
  const numbers = members('error_codes');
  return {
    code: typeof error === 'string' ? error : undefined,
    description: typeof description === 'string' ? description : undefined,
    numbers: Array.isArray(numbers) ? numbers.filter((each) => Number.isInteger(each)) : [],
  };
}
