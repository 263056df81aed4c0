import type { Secret } from './ports.ts';

/** Client credentials as they were read from the vault. */
export interface ClientCredentials {
  readonly clientId: string;
  readonly clientSecrets: readonly Secret[];
}

/** What one process remembers beside the ports: rotations under way, and client credentials read before. */
export class ProcessState {
  /** By fingerprint of the connection: a changed entry reads them anew. */
  readonly credentials = new Map<string, ClientCredentials>();
  readonly #running = new Map<string, Promise<unknown>>();
  readonly #saving = new Set<string>();
  #draining = false;

  /** No new grants: the process is about to end. */
  get draining(): boolean {
    return this.#draining;
  }

  /** Is a received refresh token of this connection waiting for its vault in this process? */
  isSaving(name: string): boolean {
    return this.#saving.has(name);
  }

  setSaving(name: string, saving: boolean): void {
    if (saving) this.#saving.add(name);
    else this.#saving.delete(name);
  }

  /** Remembers a rotation until it ends, so that {@link drain} can wait for it. */
  track<T>(name: string, rotation: Promise<T>): Promise<T> {
    this.#running.set(name, rotation);
    return rotation.finally(() => {
      if (this.#running.get(name) === rotation) this.#running.delete(name);
    });
  }

  /** Starts no more grants and resolves when every rotation under way has ended and saved what it received. */
  async drain(): Promise<void> {
    this.#draining = true;
    while (this.#running.size > 0) await Promise.allSettled(this.#running.values());
  }
}
