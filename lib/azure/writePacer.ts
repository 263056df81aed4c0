import type { Clock, WritePacer } from '../rotation/ports.ts';

/** Key Vault counts new versions per vault in windows of 10 s (Key Vault service limits). */
const WINDOW_MS = 10_000;

interface Vault {
  /** When writes were let through, oldest first; those of the last window only. */
  admitted: { readonly at: number; readonly writes: number }[];
  /** Resolves when all earlier callers have been let through. */
  last: Promise<void>;
}

/**
 * Keeps the writes of this process below a vault's limit: at most `limit` in any 10 s, first come, first served.
 * @param limit new versions per 10 s and vault
 */
export function createWritePacer(limit: number, clock: Clock): WritePacer {
  const vaults = new Map<string, Vault>();
  return {
    take(vaultUrl, writes) {
      const key = vaultUrl.toLowerCase();
      const vault = vaults.get(key) ?? { admitted: [], last: Promise.resolve() };
      vaults.set(key, vault);
      vault.last = vault.last.then(() => admit(vault, writes, limit, clock));
      return vault.last;
    },
  };
}

async function admit(vault: Vault, writes: number, limit: number, clock: Clock): Promise<void> {
  for (;;) {
    const now = clock.monotonic();
    vault.admitted = vault.admitted.filter(({ at }) => at > now - WINDOW_MS);
    const oldest = vault.admitted[0];
    const taken = vault.admitted.reduce((sum, each) => sum + each.writes, 0);
    // A request for more writes than the limit is let through alone: it would wait forever.
    if (!oldest || taken + writes <= limit) {
      vault.admitted.push({ at: now, writes });
      return;
    }
    await clock.sleep(oldest.at + WINDOW_MS - now);
  }
}
