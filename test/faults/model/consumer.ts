import { ACCESS_TOKEN } from '../../unit/rotation/world/scenario.ts';
import type { World } from '../../unit/rotation/world.ts';
import { INTERVAL_MS } from './schedule.ts';

/** A workload that reads the published access token. */
export class Consumer {
  /** How many expired tokens it read because an old write arrived late. */
  staleReads = 0;
  readonly violations: string[] = [];
  readonly #world: World;
  readonly #late: { readonly lateWrites: ReadonlySet<string> };

  /** @param late the versions of the access token that arrived after their writer had given up */
  constructor(world: World, late: { readonly lateWrites: ReadonlySet<string> }) {
    this.#world = world;
    this.#late = late;
  }

  /** It must not read an expired token if the vault has had a valid one for more than a schedule interval. */
  looks(): void {
    const now = this.#world.now();
    const read = this.#world.tokens.latest(ACCESS_TOKEN);
    if (!read || (read.expiresAt ?? 0) > now) return;
    const better = this.#world.tokens
      .history(ACCESS_TOKEN)
      // A placeholder has the expiration date of the token that was expected.
      .filter(({ enabled = true }) => enabled)
      .some(({ expiresAt = 0, createdAt }) => expiresAt > now && createdAt + INTERVAL_MS < now);
    if (!better) return;
    if (this.#late.lateWrites.has(read.version)) this.staleReads += 1;
    else this.violations.push('A consumer read an expired token although the vault had a newer one.');
  }
}
