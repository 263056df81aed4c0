import type { TokenBehavior } from '../rotation/core/connection.ts';
import type { IssuedAccessToken } from '../rotation/core/tokenRequest.ts';
import { decodeText } from './decodeText.ts';
import { accessTokenOf, type Members, refreshTokenLifetime } from './responseTokens.ts';

/** The error members of a response (RFC 6749 section 5.2), verbatim: not safe to show. */
export interface ResponseError {
  /** The `error` member; undefined if it is present but not a string. */
  readonly code: string | undefined;
  readonly description: string | undefined;
  /** From `error_codes`: the numbers after AADSTS. */
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
  /** Every member, if the response has an error or no usable access token. Verbatim: not safe to show. */
  readonly members?: Members;
  /** Every token in the response, for the sanitizer. */
  readonly tokens: readonly string[];
  /** The JSON ended early: these are its complete members. */
  readonly cutOff?: true;
}

/**
 * Reads the body of a token response (RFC 6749 sections 5.1 and 5.2) and trusts nothing in it: neither its
 * content type nor its encoding, shape or members. It also reads form-encoded responses, which some older providers return.
 * @param behavior the defaults for values that the response does not name
 *
 * If the JSON ends early, its complete members count: a refresh token that is lost revokes its family when the old one is sent again.
 * The access token is left, because its lifetime may be what is missing.
 * @param complete false if the body may have been cut off; only JSON shows whether it was
 * @returns undefined if the body is not a token response at all; never throws
 */
export function readTokenResponse(
  body: Uint8Array,
  behavior: TokenBehavior,
  complete = true,
): TokenResponseBody | undefined {
  const { text: decoded, lossy } = decodeText(body);
  const text = decoded.replace(XSSI_PREFIX, '');
  const whole = jsonMembers(text) ?? (complete ? formMembers(text) : undefined);
  const members = whole ?? completeMembers(text);
  if (!members) return undefined;
  const refreshToken = refreshTokenOf(members('refresh_token'), lossy);
  const lifetime = refreshTokenLifetime(members);
  const accessToken = whole ? accessTokenOf(whole, behavior) : 'ends early';
  const error = errorOf(members);
  return {
    ...(refreshToken !== undefined && { refreshToken }),
    ...(lifetime !== undefined && { refreshTokenLifetimeMs: lifetime }),
    accessToken,
    ...(error && { error }),
    ...((error || typeof accessToken === 'string') && { members }),
    tokens: ['refresh_token', 'access_token', 'id_token']
      .map(members)
      .filter((each) => typeof each === 'string'),
    ...(!whole && { cutOff: true }),
  };
}

/** What some servers send before JSON, so that a browser cannot run it as a script. */
const XSSI_PREFIX = /^\s*\)\]\}'?,?/;

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

/** The members of a JSON object that ended early, up to the last one that is certainly complete. */
function completeMembers(text: string): Members | undefined {
  let depth = 0;
  let quoted = false;
  let quote = 0;
  let comma = 0;
  for (let at = 0; at < text.length; at += 1) {
    const character = text[at] ?? '';
    if (quoted && character === '\\') at += 1;
    else if (character === '"') {
      quoted = !quoted;
      if (!quoted && depth === 1) quote = at + 1;
    } else if (quoted) continue;
    else if ('{['.includes(character)) depth += 1;
    else if ('}]'.includes(character)) depth -= 1;
    else if (character === ',' && depth === 1) comma = at;
  }
  // The last string may be a value or a name. Before a comma, everything is complete; a number at the end may not be.
  return jsonMembers(`${text.slice(0, quote)}}`) ?? jsonMembers(`${text.slice(0, comma)}}`);
}

function formMembers(text: string): Members | undefined {
  const trimmed = text.trim();
  // A space may be in a scope: some servers do not encode it. A text of several lines is not a form.
  if (!/^\w+=/.test(trimmed) || /[^\S ]|[<>]/.test(trimmed)) return undefined;
  const form = new URLSearchParams(trimmed);
  const known = ['access_token', 'refresh_token', 'error'].some((name) => form.has(name));
  return known ? (name) => form.get(name) ?? undefined : undefined;
}

/** Ignores a token that lost bytes while decoding: storing it would replace one that works. */
function refreshTokenOf(value: unknown, lossy: boolean): string | undefined {
  if (typeof value !== 'string' || value === '') return undefined;
  return lossy && value.includes('\ufffd') ? undefined : value;
}

/** These numbers have at most seven digits. A longer one could be a piece of a secret. */
function isErrorNumber(value: unknown): boolean {
  return Number.isInteger(value) && Number(value) >= 0 && Number(value) < 10_000_000;
}

function errorOf(members: Members): ResponseError | undefined {
  const error = members('error');
  if (error === undefined || error === null || error === '' || error === false) return undefined;
  const description = members('error_description');
  const numbers = members('error_codes');
  return {
    code: typeof error === 'string' ? error : undefined,
    description: typeof description === 'string' ? description : undefined,
    numbers: Array.isArray(numbers) ? numbers.filter(isErrorNumber) : [],
  };
}
