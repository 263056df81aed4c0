import type { Clock, WritePacer } from '../rotation/ports.ts';

/** Key Vault counts new versions per vault in windows of 10 s (Key Vault service limits). */
const WINDOW_MS = 10_000;
/** This part of the limit may be used immediately, the rest evenly: Key Vault refuses bursts although the sum is below its limit. */
const BURST = 1 / 60;
/** The writes of one rotation, which are asked for together. */
const LEAST_BURST = 3;
/** How long a vault that is throttling gets no writes, if it does not say how long to wait. */
const PAUSE_MS = 1_000;

/** A pacer that can be told that a vault refuses writes nevertheless. */
export interface AdaptivePacer extends WritePacer {
  /** Admits nothing to the vault for `ms`, at most 10 s; for one second if `ms` is undefined. */
  pause(vaultUrl: string, ms: number | undefined): void;
}

interface Vault {
  /** When all admitted writes would be over if they had been spread evenly. */
  evenUntil: number;
  pausedUntil: number;
  /** Resolves when all earlier callers have been let through. */
  last: Promise<void>;
}

/**
 * Keeps the writes of this process below a vault's limit: at most `limit` in any 10 s, evenly, first come, first served.
 * @param limit new versions per 10 s and vault
 */
export function createWritePacer(limit: number, clock: Clock): AdaptivePacer {
  const burst = Math.max(Math.min(LEAST_BURST, limit - 1), Math.floor(limit * BURST));
  const apartMs = WINDOW_MS / (limit - burst);
  const vaults = new Map<string, Vault>();
  const vaultOf = (url: string): Vault => {
    const key = url.toLowerCase();
    const vault = vaults.get(key) ?? {
      evenUntil: Number.NEGATIVE_INFINITY,
      pausedUntil: 0,
      last: Promise.resolve(),
    };
    vaults.set(key, vault);
    return vault;
  };

  async function admit(vault: Vault, writes: number): Promise<void> {
    for (;;) {
      const now = clock.monotonic();
      const from = Math.max(vault.evenUntil + (writes - burst) * apartMs, vault.pausedUntil);
      if (from <= now) {
        vault.evenUntil = Math.max(vault.evenUntil, now) + writes * apartMs;
        return;
      }
      await clock.sleep(from - now);
    }
  }

  return {
    take(vaultUrl, writes) {
      const vault = vaultOf(vaultUrl);
      vault.last = vault.last.then(() => admit(vault, writes));
      return vault.last;
    },
    giveBack(vaultUrl, writes) {
      vaultOf(vaultUrl).evenUntil -= writes * apartMs;
    },
    pause(vaultUrl, ms = PAUSE_MS) {
      const until = clock.monotonic() + Math.min(ms, WINDOW_MS);
      const vault = vaultOf(vaultUrl);
      vault.pausedUntil = Math.max(vault.pausedUntil, until);
    },
  };
}
