import { setTimeout as sleep } from 'node:timers/promises';
import { callVault } from '../../../local/callVault.ts';
import type { Servers } from '../../../local/servers.ts';

/** A sweep starts every second; this includes the time that it takes. */
const INTERVAL_MS = 3_000;

/** Reads the access tokens of all connections in turn, as workloads do. */
export class Consumer {
  reads = 0;
  /** How many expired tokens it read because an old write arrived late. */
  staleReads = 0;
  /** One for each expired token that it read more than a schedule interval after it had read a newer one. */
  readonly violations: string[] = [];
  /** By connection: the longest time without a valid token, in milliseconds. */
  readonly longestGap = new Map<string, number>();
  readonly #servers: Servers;
  readonly #isLate: (connection: string, createdAt: number) => boolean;
  readonly #best = new Map<string, { expiresAt: number; seenAt: number }>();

  /** @param isLate did the version that was created then (milliseconds since the epoch) arrive after its writer had given up? */
  constructor(servers: Servers, isLate: (connection: string, createdAt: number) => boolean = () => false) {
    this.#servers = servers;
    this.#isLate = isLate;
  }

  /** Reads one token after the other, with a pause (milliseconds) after each, until the signal aborts. */
  async watch(connections: readonly string[], pauseMs: number, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      for (const connection of connections) {
        await this.#look(connection);
        await sleep(pauseMs);
      }
    }
  }

  async #look(connection: string): Promise<void> {
    const read = await this.#read(connection);
    if (!read) return;
    const { expiresAt, createdAt } = read;
    this.reads += 1;
    const now = Date.now();
    const best = this.#best.get(connection);
    if (expiresAt > now && expiresAt >= (best?.expiresAt ?? 0)) {
      if (best && best.expiresAt !== expiresAt) this.#gap(connection, now - best.expiresAt);
      if (best?.expiresAt !== expiresAt) this.#best.set(connection, { expiresAt, seenAt: now });
    }
    if (!best || expiresAt > now || best.expiresAt <= now || best.seenAt + INTERVAL_MS >= now) return;
    if (this.#isLate(connection, createdAt)) this.staleReads += 1;
    else
      this.violations.push(
        `${connection}: a consumer read an expired token, written at ${new Date(createdAt).toISOString()}, although the vault had a newer one.`,
      );
  }

  #gap(connection: string, ms: number): void {
    this.longestGap.set(connection, Math.max(this.longestGap.get(connection) ?? 0, ms));
  }

  /**
   * @returns when the published token expires and when it was written, in milliseconds since the epoch; undefined if none is
   *   published, or the connection broke
   */
  async #read(connection: string) {
    const { tokenVault, bearers } = this.#servers;
    const response = await callVault(tokenVault, bearers.consumer, 'GET', `${connection}-access-token`).catch(
      () => undefined,
    );
    const body = (await response?.json().catch(() => undefined)) as
      | { attributes: { exp?: number; created: number } }
      | undefined;
    if (!response?.ok || !body) return undefined;
    const { exp = 0, created } = body.attributes;
    return { expiresAt: exp * 1000, createdAt: created * 1000 };
  }
}
