/** The times that the protocol is made of, in milliseconds. Design: `ARCHITECTURE.md`, "The times". */

/** A blob lease lasts at least 15 s and at most 60 s (Lease Blob, REST reference). The shortest gives the fastest takeover. */
export const LEASE_MS = 15_000;
/** A held lease is renewed this often. */
export const LEASE_RENEWAL_MS = 5_000;
/** A token endpoint that has not begun to answer by then is given up. */
export const GRANT_DEADLINE_MS = 8_000;
/** An answer that has begun is read for this long in all. */
export const GRANT_HARD_DEADLINE_MS = 16_000;
/** Time that must be left on the lease beyond the deadline when a grant is sent. */
export const LEASE_MARGIN_MS = 2_000;
/** A save that takes longer than this goes on beside the sweep. */
export const SAVE_PATIENCE_MS = 20_000;
/** The shortest time between two forced rotations of one connection. */
export const FORCE_COOLDOWN_MS = 10_000;

/** A blocked connection whose cause may pass at the provider is sent a grant again after this long. */
export const CURE_MS = 3_600_000;

/** After how long a lost grant may at the earliest be replayed by somebody else. */
export const TAKEOVER_MS = LEASE_MS + GRANT_DEADLINE_MS + LEASE_MARGIN_MS;

const RETRY_FIRST_MS = 10_000;
const LOOK_FIRST_MS = 60_000;
const SLOWEST_MS = 300_000;

/** How long to wait after the `count`th failure in a row (1 for the first): 10 s, doubling, at most 5 min. */
export function retryDelay(count: number): number {
  return Math.min(SLOWEST_MS, RETRY_FIRST_MS * 2 ** Math.max(0, Math.min(count, 20) - 1));
}

/** How long to wait before the next look at a connection that has been blocked for so long: 60 s, doubling, at most 5 min. */
export function lookDelay(blockedForMs: number): number {
  return Math.min(SLOWEST_MS, Math.max(LOOK_FIRST_MS, blockedForMs));
}

/** A number in [0, 1) that depends on nothing but the name (FNV-1a), so that connections made together spread out. */
function spreadOf(name: string): number {
  let hash = 0x811c9dc5;
  for (const character of name) {
    hash = Math.imul(hash ^ (character.codePointAt(0) ?? 0), 0x01000193) >>> 0;
  }
  return hash / 2 ** 32;
}

/**
 * When an access token is to be renewed: when two thirds of its life are gone or `renewBeforeMs` before its
 * end, up to a twentieth of its life earlier by the spread of its connection. A token is never renewed in the
 * first quarter of its life, however large `renewBeforeMs` is.
 */
export function renewalTime(
  token: { issuedAt: number; expiresAt: number },
  name: string,
  renewBeforeMs?: number,
): number {
  const lifetime = token.expiresAt - token.issuedAt;
  const before = renewBeforeMs === undefined ? lifetime / 3 : renewBeforeMs;
  const due = token.expiresAt - before - (spreadOf(name) * lifetime) / 20;
  return Math.round(Math.max(token.issuedAt + lifetime / 4, due));
}
