import type { TokenBehavior } from '../rotation/core/connection.ts';
import { LONGEST_LIFETIME_MS } from '../rotation/core/times.ts';
import type { IssuedAccessToken } from '../rotation/core/tokenRequest.ts';

/** The members of a response by name; undefined if a member is missing. */
export type Members = (name: string) => unknown;

/** The names that providers use for the lifetime of a refresh token, in seconds; no standard defines one. */
const REFRESH_LIFETIME_NAMES = [
  'refresh_token_expires_in',
  'refresh_expires_in',
  'refresh_token_expiration',
  'x_refresh_token_expires_in',
];

/** Apigee uses the name `BearerToken`. */
const BEARER_TYPES = ['bearer', 'bearertoken'];

/**
 * The access token of a response, if a client can use it: printable ASCII (RFC 6749 appendix A.12), so that
 * a header can contain it, and of a known type (section 7.1).
 * @returns otherwise the reason why there is no usable one: a verb phrase about the response
 */
export function accessTokenOf(
  members: Members,
  { defaultExpiresInMs }: TokenBehavior,
): IssuedAccessToken | string {
  const value = members('access_token');
  if (value === undefined || value === null || value === '') return 'has no access token';
  if (typeof value !== 'string') return 'has an access token that is not a string';
  if (!/^[!-~]([ -~]*[!-~])?$/.test(value))
    return 'has an access token with characters that are not allowed in a header';
  const type = members('token_type') ?? 'Bearer';
  if (typeof type !== 'string' || !BEARER_TYPES.includes(type.toLowerCase())) {
    return 'has an access token of a type other than Bearer';
  }
  const lifetimeMs = lifetimeOf(members('expires_in'));
  const scope = members('scope');
  return {
    value,
    ...(typeof scope === 'string' && { scope }),
    lifetimeMs: lifetimeMs ?? defaultExpiresInMs,
    expiresInIsDefault: lifetimeMs === undefined,
  };
}

/** The lifetime of the refresh token in ms, if the response has it under any of its names. */
export function refreshTokenLifetime(members: Members): number | undefined {
  for (const name of REFRESH_LIFETIME_NAMES) {
    const lifetimeMs = lifetimeOf(members(name));
    if (lifetimeMs !== undefined) return lifetimeMs;
  }
  return undefined;
}

/** Converts seconds, as a number or as a text of digits, to ms. Undefined if the value is not a plausible lifetime. */
function lifetimeOf(value: unknown): number | undefined {
  const isDigits = typeof value === 'string' && /^\d{1,15}(\.\d{1,15})?$/.test(value);
  const seconds = isDigits ? Number(value) : value;
  if (typeof seconds !== 'number') return undefined;
  const lifetimeMs = Math.floor(seconds * 1_000);
  return lifetimeMs > 0 && lifetimeMs <= LONGEST_LIFETIME_MS ? lifetimeMs : undefined;
}
