import { ACCESS_TOKEN } from '../../unit/rotation/world/scenario.ts';
import type { World } from '../../unit/rotation/world.ts';

/** A repeated request may revoke the published token, so it must wait until that token has at most this long to live. Design, section 4. */
const RUNWAY_MS = 60_000;

/**
 * Whether a process may send a token request now although another process still waits for the response to one that was sent at
 * `sentAt`: only if the provider accepts the refresh token twice. Invariant 2.
 */
export function mayOverlap({ provider, clock }: World, sentAt: number): boolean {
  return clock.monotonic() < sentAt + provider.graceMs;
}

/**
 * Whether a process may send a used refresh token again now: always if tokens are reusable, during the grace of its first use,
 * or when the published access token is about to expire. Implements the design independently of the protocol.
 * @param firstSentAt when it was first sent, by the world's clock. The grace counts from here if the provider has never accepted the
 *   token, because it executed each request only after the token's deadline: the senders cannot know that, and nothing was used up.
 */
export function isRepeatAllowed({ provider, tokens, now, clock }: World, firstSentAt: number): boolean {
  if (provider.graceMs === Number.POSITIVE_INFINITY) return true;
  const sentAgo = clock.monotonic() - firstSentAt;
  const usedAt = provider.usedAt(provider.sent.at(-1)) ?? now() - sentAgo;
  if (now() < usedAt + provider.graceMs) return true;
  const expiresAt = tokens.latest(ACCESS_TOKEN)?.expiresAt ?? 0;
  return now() >= expiresAt - RUNWAY_MS;
}
