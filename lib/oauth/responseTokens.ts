import type { TokenBehavior } from '../rotation/core/connection.ts';
import type { IssuedAccessToken } from '../rotation/core/tokenRequest.ts';

/** The members of an answer by name; undefined where there is none. */
export type Members = (name: string) => unknown;

const DAY_MS = 86_400_000;
/** Longer lifetimes are not believed: ten years, which some providers use for "never". */
const LONGEST_LIFETIME_MS = 3_660 * DAY_MS;

/** What providers call the lifetime of a refresh token, in seconds; no standard names it. */
const REFRESH_LIFETIME_NAMES = [
  'refresh_token_expires_in',
  'refresh_expires_in',
  'refresh_token_expiration',
  'x_refresh_token_expires_in',
];

/** `BearerToken` is Apigee's name for it. */
const BEARER_TYPES = ['bearer', 'bearertoken'];

/**
 * The access token of an answer where a client may use it: printable ASCII (RFC 6749 appendix A.12), so that
 * it can stand in a header, and of a type that is understood (section 7.1).
 * @returns a few words on why there is none to use otherwise
 */
export function accessTokenOf(
  members: Members,
  { defaultExpiresInMs }: TokenBehavior,
): IssuedAccessToken | string {
  const value = members('access_token');
  if (value === undefined || value === null || value === '') return 'holds no access token';
  if (typeof value !== 'string') return 'holds an access token that is no text';
  if (!/^[!-~]([ -~]*[!-~])?$/.test(value))
    return 'holds an access token with characters that no header can carry';
  const type = members('token_type') ?? 'Bearer';
  if (typeof type !== 'string' || !BEARER_TYPES.includes(type.toLowerCase())) {
    return 'holds an access token of a type other than Bearer';
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

/** The lifetime of the refresh token in ms, where the answer says it under any of its names. */
export function refreshTokenLifetime(members: Members): number | undefined {
  for (const name of REFRESH_LIFETIME_NAMES) {
    const lifetimeMs = lifetimeOf(members(name));
    if (lifetimeMs !== undefined) return lifetimeMs;
  }
  return undefined;
}

/** Seconds as a number, or as a text of digits; in ms. Anything that is no plausible lifetime is none. */
function lifetimeOf(value: unknown): number | undefined {
  const isDigits = typeof value === 'string' && /^\d{1,15}(\.\d{1,15})?$/.test(value);
  const seconds = isDigits ? Number(value) : value;
  if (typeof seconds !== 'number') return undefined;
  const lifetimeMs = Math.floor(seconds * 1_000);
  return lifetimeMs > 0 && lifetimeMs <= LONGEST_LIFETIME_MS ? lifetimeMs : undefined;
}
