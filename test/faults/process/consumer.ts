import { setTimeout as sleep } from 'node:timers/promises';
import { callVault } from '../../../local/callVault.ts';
import { CONSUMER, type Servers } from '../../../local/servers.ts';

/** A sweep each second, and the time that it takes. */
const INTERVAL_MS = 3_000;

/** Reads the access tokens of all connections in turn, as workloads do. */
export class Consumer {
  reads = 0;
  /** Expired tokens that were read although a newer one had been read before, more than a tick ago. */
  readonly violations: string[] = [];
  /** By connection: the longest time without a valid token, in milliseconds. */
  readonly longestGap = new Map<string, number>();
  readonly #servers: Servers;
  readonly #best = new Map<string, { expiresAt: number; seenAt: number }>();

  constructor(servers: Servers) {
    this.#servers = servers;
  }

  /** Reads one token after the other, with a pause (milliseconds) after each, until it is told to end. */
  async watch(connections: readonly string[], pauseMs: number, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      for (const connection of connections) {
        await this.#look(connection);
        await sleep(pauseMs);
      }
    }
  }

  async #look(connection: string): Promise<void> {
    const expiresAt = await this.#read(connection);
    if (expiresAt === undefined) return;
    this.reads += 1;
    const now = Date.now();
    const best = this.#best.get(connection);
    if (expiresAt > now && expiresAt >= (best?.expiresAt ?? 0)) {
      if (best && best.expiresAt !== expiresAt) this.#gap(connection, now - best.expiresAt);
      if (best?.expiresAt !== expiresAt) this.#best.set(connection, { expiresAt, seenAt: now });
    }
    if (best && expiresAt <= now && best.expiresAt > now && best.seenAt + INTERVAL_MS < now)
      this.violations.push(`${connection}: an expired token was read though a newer one had been there.`);
  }

  #gap(connection: string, ms: number): void {
    this.longestGap.set(connection, Math.max(this.longestGap.get(connection) ?? 0, ms));
  }

  /** @returns when the published token expires; undefined where there is none, or the connection broke */
  async #read(connection: string): Promise<number | undefined> {
    const { tokenVault } = this.#servers;
    const answer = await callVault(tokenVault, CONSUMER, 'GET', `${connection}-access-token`).catch(
      () => undefined,
    );
    const body = (await answer?.json().catch(() => undefined)) as
      | { attributes?: { exp?: number } }
      | undefined;
    return answer?.ok && body ? (body.attributes?.exp ?? 0) * 1000 : undefined;
  }
}
