/** Why the refresh token of a connection may be gone; nobody can rule these out. */
export type Suspicion = 'answer lost' | 'killed before the save' | 'frozen before the save' | 'executed late';

/** A fault may show as late as this: a frozen process goes on, a late request arrives, a strict provider's token waits for its replay. */
const MEMORY_MS = 120_000;

/**
 * Knows which connections a host holds an unsaved refresh token of, or may hold one, and what was brought down on it in that
 * time: a chain that dies for another reason was lost avoidably.
 */
export class Suspects {
  /** By host: connections between the send of their grant and the answer to their save. */
  readonly #exposed = new Map<number, Set<string>>();
  readonly #suspicions = new Map<string, { readonly why: Suspicion; readonly at: number }>();
  /** By host that stands still or is dead: what its grants are suspected of that were on their way when it was struck. */
  readonly #struck = new Map<number, Suspicion>();
  /** Clients whose grants may overlap: one was executed late, or its sender stood still. */
  readonly strays = new Set<string>();

  requestSent(host: number, connection: string): void {
    this.#of(host).add(connection);
    const suspicion = this.#struck.get(host);
    if (suspicion) this.#suspectOf(connection, suspicion);
  }

  /** The vault took the token: the chain lives, and what happened to it long ago explains nothing any more. */
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

  /** A host that stood still goes on. */
  goesOn(host: number): void {
    if (this.#struck.get(host) === 'frozen before the save') this.#struck.delete(host);
  }

  #suspectOf(connection: string, suspicion: Suspicion): void {
    this.suspect(connection, suspicion);
    if (suspicion === 'frozen before the save') this.strays.add(connection);
  }

  /** Why the chain of a connection died; undefined where nothing explains it. Forgets it: the next chain is a new one. */
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
