import type { TokenBehavior } from '../rotation/core/connection.ts';
import type { IssuedAccessToken } from '../rotation/core/tokenRequest.ts';
import { decodeText } from './decodeText.ts';
import { accessTokenOf, type Members, refreshTokenLifetime } from './responseTokens.ts';

/** The error members of an answer (RFC 6749 section 5.2), as they came: not safe to show. */
export interface AnsweredError {
  /** The `error` member; undefined where it is there but no string. */
  readonly code: string | undefined;
  readonly description: string | undefined;
  /** Entra's `error_codes`: the numbers behind AADSTS. */
  readonly numbers: readonly number[];
}

/** What an answer holds. */
export interface TokenResponseBody {
  /** Verbatim, non-empty; kept whatever else is wrong. */
  readonly refreshToken?: string;
  /** In ms, where the answer says it. */
  readonly refreshTokenLifetimeMs?: number;
  /** The access token, or a few words on why there is none to use. */
  readonly accessToken: IssuedAccessToken | string;
  readonly error?: AnsweredError;
  /** Every token in the answer, for the sanitizer. */
  readonly tokens: readonly string[];
}

/**
 * Reads the body of a token answer (RFC 6749 sections 5.1 and 5.2) and trusts nothing in it: neither its
 * content type nor its encoding, shape or members. Form-encoded answers, which some older providers give, are
 * read too.
 * @param behavior what counts where the answer does not say it
 * @param complete false where the body may have been cut off; only JSON shows whether it was
 * @returns undefined where the body is no token answer at all; never throws
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
    // Own members only: `__proto__` and what is inherited say nothing.
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

/** A token in which bytes were lost while decoding is none: storing it would replace one that works. */
function refreshTokenOf(value: unknown, lossy: boolean): string | undefined {
  if (typeof value !== 'string' || value === '') return undefined;
  return lossy && value.includes('\ufffd') ? undefined : value;
}

function errorOf(members: Members): AnsweredError | undefined {
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
