import { ACCESS_TOKEN } from '../../unit/rotation/world/scenario.ts';
import type { World } from '../../unit/rotation/world.ts';
import { INTERVAL_MS } from './schedule.ts';

/** A workload that reads the published access token. */
export class Consumer {
  /** Expired tokens that were read because an old write arrived late. */
  staleReads = 0;
  readonly violations: string[] = [];
  readonly #world: World;
  readonly #late: { readonly lateWrites: ReadonlySet<string> };

  /** @param late names the versions of the access token that arrived when their writer had given up */
  constructor(world: World, late: { readonly lateWrites: ReadonlySet<string> }) {
    this.#world = world;
    this.#late = late;
  }

  /** It must not read a token that is over while a better one has been there for more than a tick. */
  looks(): void {
    const now = this.#world.now();
    const read = this.#world.tokens.latest(ACCESS_TOKEN);
    if (!read || (read.expiresAt ?? 0) > now) return;
    const better = this.#world.tokens
      .history(ACCESS_TOKEN)
      .some(({ expiresAt = 0, createdAt }) => expiresAt > now && createdAt + INTERVAL_MS < now);
    if (!better) return;
    if (this.#late.lateWrites.has(read.version)) this.staleReads += 1;
    else this.violations.push('A consumer read an expired token though a newer one had been there.');
  }
}
