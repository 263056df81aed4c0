/** Why the refresh token of a connection may be lost. No protocol can rule these causes out. */
export type Suspicion =
  | 'response lost'
  | 'killed before the save'
  | 'frozen before the save'
  | 'executed late';

/**
 * A fault may have an effect for this long: a frozen process continues, a late request arrives, a strict provider's token waits for its
 * replay, after each response that may still come.
 */
const MEMORY_MS = 240_000;

/** What a process was about to send when it was frozen arrives this soon after it continues. */
const WAKING_MS = 5_000;
/** Creation times have whole seconds, and the proxy forwards a write before the vault executes it. */
const SAME_WRITE_MS = 2_000;

/**
 * Knows for which connections a host may hold an unsaved refresh token, and which faults struck the host during that time.
 * A token family that was lost for any other reason was lost avoidably.
 */
export class Suspects {
  /** By host: the connections between the send of their token request and the response to their save. */
  readonly #exposed = new Map<number, Set<string>>();
  readonly #suspicions = new Map<string, { readonly why: Suspicion; readonly at: number }>();
  /** By frozen or killed host: the suspicion about token requests that were on their way when the fault struck. */
  readonly #struck = new Map<number, Suspicion>();
  /** Clients whose token requests may overlap: one was executed late, or its sender was frozen. */
  readonly strays = new Set<string>();
  /** By frozen host: when it continued, in milliseconds since the epoch. */
  readonly #resumedAt = new Map<number, number>();
  /** By connection: when an access token arrived, in milliseconds since the epoch, whose writer had given up or lost its lease. */
  readonly #lateWrites = new Map<string, number[]>();

  requestSent(host: number, connection: string): void {
    this.#of(host).add(connection);
    const suspicion = this.#struck.get(host);
    if (suspicion) this.#suspectOf(connection, suspicion);
  }

  /** The vault stored the token, so the token family is valid, and a fault of long ago no longer explains a loss. */
  saved(host: number, connection: string): void {
    this.#of(host).delete(connection);
    const at = this.#suspicions.get(connection)?.at ?? Number.POSITIVE_INFINITY;
    if (at + MEMORY_MS < Date.now()) this.#suspicions.delete(connection);
  }

  suspect(connection: string, suspicion: Suspicion): void {
    this.#suspicions.set(connection, { why: suspicion, at: Date.now() });
    if (suspicion === 'executed late') this.strays.add(connection);
  }

  /** A fault struck a whole host. */
  strike(host: number, suspicion: Suspicion): void {
    this.#struck.set(host, suspicion);
    for (const connection of this.#of(host)) this.#suspectOf(connection, suspicion);
    if (suspicion === 'killed before the save') this.#exposed.delete(host);
  }

  /** A frozen host continues. */
  resume(host: number): void {
    if (this.#struck.get(host) !== 'frozen before the save') return;
    this.#struck.delete(host);
    this.#resumedAt.set(host, Date.now());
  }

  /** A host sends an access token to the vault, where it arrives `delayMs` milliseconds later. */
  publishes(host: number, connection: string, delayMs: number): void {
    const now = Date.now();
    if (delayMs === 0 && now - (this.#resumedAt.get(host) ?? 0) > WAKING_MS) return;
    this.#lateWrites.set(connection, [...(this.#lateWrites.get(connection) ?? []), now + delayMs]);
  }

  /** Did the access token that was created then (milliseconds since the epoch) arrive late? No protocol can rule this out. */
  isLate(connection: string, createdAt: number): boolean {
    return (this.#lateWrites.get(connection) ?? []).some((at) => Math.abs(at - createdAt) <= SAME_WRITE_MS);
  }

  #suspectOf(connection: string, suspicion: Suspicion): void {
    this.suspect(connection, suspicion);
    if (suspicion === 'frozen before the save') this.strays.add(connection);
  }

  /** Why the token family of a connection was lost; undefined if no fault explains it. Removes the suspicion, because the next family is new. */
  explain(connection: string): Suspicion | undefined {
    const suspicion = this.#suspicions.get(connection);
    this.#suspicions.delete(connection);
    return suspicion?.why;
  }

  #of(host: number): Set<string> {
    const exposed = this.#exposed.get(host) ?? new Set();
    this.#exposed.set(host, exposed);
    return exposed;
  }
}
