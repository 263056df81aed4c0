import { backoff } from '../backoff.ts';

/** The times of an access token, in milliseconds since the epoch. */
export interface TokenTimes {
  readonly issuedAt: number;
  readonly expiresAt: number;
}

/** What came of looking into the vault. */
export interface Looks {
  /** When the last look ended, in milliseconds since the epoch. */
  readonly lookedAt: number;
  /** How many looks in a row failed since one succeeded. */
  readonly failures: number;
}

const LONGEST_INTERVAL_MS = 60_000;
const SHORTEST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 10_000;

/**
 * How often to look for a newer token, and how long before its expiry a token is not used any more without a look: every
 * minute, for tokens that live less than 6 min every sixth of their life. The rotator replaces a token when two thirds of its
 * life are gone, so there are at least two looks before the old one expires.
 */
function lookInterval({ issuedAt, expiresAt }: TokenTimes): number {
  const sixth = (expiresAt - issuedAt) / 6;
  return Math.max(SHORTEST_PAUSE_MS, Math.min(LONGEST_INTERVAL_MS, sixth));
}

/**
 * Is a look due while a valid token is held?
 * @returns `look_first`: wait for the look before the token is used, because it is about to expire, or because nobody asked for
 *   so long that it may have been replaced; `look_meanwhile`: use the token and look in the background. After a failed look
 *   nobody waits: the vault may be down for as long as the token lives.
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

/** Was the last look so recent that no reason is good enough for another? After failures for longer, up to 10 s. */
export function mustPause(looks: Looks, now: number): boolean {
  const pause = backoff({ first: SHORTEST_PAUSE_MS, longest: LONGEST_PAUSE_MS, attempt: looks.failures });
  return sinceLook(looks, now) < pause;
}

/** A clock that was set back must not put off the next look. */
function sinceLook({ lookedAt }: Looks, now: number): number {
  return now < lookedAt ? Number.POSITIVE_INFINITY : now - lookedAt;
}
