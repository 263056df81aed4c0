import type { SecretProperties } from '../ports.ts';
import type { InventedExpiration, Tags } from './tags.ts';
import { withExpiration } from './tags.ts';
import { DAY_MS } from './times.ts';

/** What a secret holds, as its content type says: Azure Policy can require one of each version. */
export const CONTENT_TYPES = {
  clientId: 'application/vnd.oauth.client-id',
  clientSecret: 'application/vnd.oauth.client-secret',
  refreshToken: 'application/vnd.oauth.refresh-token',
  accessToken: 'application/vnd.oauth.access-token',
  connectionString: 'application/vnd.oauth.connection-string',
} as const;

/**
 * Days until the expiration date of a received refresh token that the vault does not take with the right one, in the order in which they
 * are tried: most policies allow 90. Undefined: without an expiration date.
 */
export const MAKESHIFT_DAYS = [90, 60, 30, 365, 180, 14, 7, 3, 2, 1, undefined] as const;

/** What is stored beside a value whose end may be unknown. */
type Attributes = Pick<SecretProperties, 'tags' | 'contentType' | 'expiresAt'>;

/**
 * The attributes of a secret whose end is known, or not: then the entry may ask for an invented expiration date.
 * @param end milliseconds since the epoch
 */
export function attributesOf(
  what: keyof typeof CONTENT_TYPES,
  tags: Tags,
  {
    end,
    now,
    horizonMs,
  }: { readonly end: number | undefined; readonly now: number; readonly horizonMs: number | undefined },
): Attributes {
  const horizon = horizonMs === undefined ? undefined : now + horizonMs;
  const invented = end === undefined && horizon !== undefined ? 'horizon' : undefined;
  return attributes(what, tags, end ?? horizon, invented);
}

/** The attributes of a received refresh token for the `refusal`th try after the vault refused the right ones, from 1 on. */
export function makeshiftAttributes(tags: Tags, now: number, refusal: number): Attributes {
  const days = MAKESHIFT_DAYS[(refusal - 1) % MAKESHIFT_DAYS.length];
  return attributes('refreshToken', tags, days === undefined ? undefined : now + days * DAY_MS, 'makeshift');
}

function attributes(
  what: keyof typeof CONTENT_TYPES,
  tags: Tags,
  expiresAt: number | undefined,
  invented: InventedExpiration | undefined,
): Attributes {
  return {
    tags: withExpiration(tags, invented),
    contentType: CONTENT_TYPES[what],
    ...(expiresAt !== undefined && { expiresAt }),
  };
}
