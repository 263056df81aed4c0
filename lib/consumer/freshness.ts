import { backoff } from '../backoff.ts';

/** The times of an access token, in milliseconds since the epoch. */
export interface TokenTimes {
  readonly issuedAt: number;
  readonly expiresAt: number;
}

/** The result of the last looks into the vault. */
export interface Looks {
  /** When the last look ended, in milliseconds since the epoch. */
  readonly lookedAt: number;
  /** How many looks in a row have failed since the last success. */
  readonly failures: number;
}

const LONGEST_INTERVAL_MS = 60_000;
const SHORTEST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 10_000;

/**
 * How often to look for a newer token, and how long before its expiry a token may no longer be used without a look. It is one
 * minute, or a sixth of the lifetime if that is less than 6 min. The rotator replaces a token when two thirds of its
 * lifetime are over, so there are at least two looks before the old one expires.
 */
function lookInterval({ issuedAt, expiresAt }: TokenTimes): number {
  const sixth = (expiresAt - issuedAt) / 6;
  return Math.max(SHORTEST_PAUSE_MS, Math.min(LONGEST_INTERVAL_MS, sixth));
}

/**
 * Is a look due while a valid token is held?
 * @returns `look_first`: wait for the look before using the token, because it is about to expire, or because the last call is so
 *   long ago that it may have been replaced; `look_meanwhile`: use the token and look in the background. After a failed look
 *   callers do not wait: the vault may be down for the whole lifetime of the token.
 */
export function lookDue(
  token: TokenTimes,
  looks: Looks,
  now: number,
): 'look_first' | 'look_meanwhile' | 'no' {
  if (mustPause(looks, now)) return 'no';
  if (looks.failures > 0) return 'look_meanwhile';
  const interval = lookInterval(token);
  const since = sinceLook(looks, now);
  if (since >= 2 * interval || now >= token.expiresAt - interval) return 'look_first';
  return since >= interval ? 'look_meanwhile' : 'no';
}

/**
 * Which token to use from now on. A vault that fails over to its other region may return an older version for a while, and a program may
 * have restored one: a token that was issued earlier never replaces one that is valid.
 * @param held undefined if no valid token is in memory
 */
export function laterToken<T extends TokenTimes>(held: T | undefined, found: T): T {
  return held && held.issuedAt > found.issuedAt ? held : found;
}

/** Was the last look so recent that no other look is allowed yet? The pause grows with each failure, up to 10 s. */
export function mustPause(looks: Looks, now: number): boolean {
  const pause = backoff({ first: SHORTEST_PAUSE_MS, longest: LONGEST_PAUSE_MS, attempt: looks.failures });
  return sinceLook(looks, now) < pause;
}

/** A clock that was set back must not delay the next look. */
function sinceLook({ lookedAt }: Looks, now: number): number {
  return now < lookedAt ? Number.POSITIVE_INFINITY : now - lookedAt;
}
