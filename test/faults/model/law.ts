import { ACCESS_TOKEN } from '../../unit/rotation/world/scenario.ts';
import type { World } from '../../unit/rotation/world.ts';

/** A consumer gets at least this long with the token that a repetition may revoke. Design, section 4. */
const RUNWAY_MS = 60_000;

/**
 * May a refresh token that was used before be sent once more right now? Written down a second time, from the design and
 * not from the protocol: always where tokens are reusable, while the grace of its first use runs, or when the published access token is nearly over.
 */
export function isLawfulRepetition({ provider, tokens, now }: World): boolean {
  if (provider.graceMs === Number.POSITIVE_INFINITY) return true;
  const usedAt = provider.usedAt(provider.sent.at(-1));
  if (usedAt !== undefined && now() < usedAt + provider.graceMs) return true;
  const expiresAt = tokens.latest(ACCESS_TOKEN)?.expiresAt ?? 0;
  return now() >= expiresAt - RUNWAY_MS;
}
