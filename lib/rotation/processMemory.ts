import type { RecordedFailure } from './core/record.ts';
import type { Secret } from './ports.ts';

/** Client credentials as they were read from the vault. */
export interface RememberedCredentials {
  readonly clientId: string;
  readonly clientSecrets: readonly Secret[];
  /** The secrets that all this was read from, with their versions. */
  readonly sources: RecordedFailure['clearedBy'];
}

/** What one process remembers beside the ports: rotations under way, and client credentials read before. */
export class ProcessMemory {
  /** By fingerprint of the connection: a changed entry reads them anew. */
  readonly credentials = new Map<string, RememberedCredentials>();
  /** By connection: the version of the refresh token that this process sent or saved last. */
  readonly refreshTokens = new Map<string, string>();
  readonly #running = new Set<Promise<unknown>>();
  /** Connection names by the rotation that saves: others of the same connection may come and go meanwhile. */
  readonly #saving = new Map<object, string>();
  #draining = false;

  /** No new grants: the process is about to end. */
  get draining(): boolean {
    return this.#draining;
  }

  /** Is a received refresh token of this connection waiting for its vault in this process? */
  isSaving(name: string): boolean {
    return [...this.#saving.values()].includes(name);
  }

  /** @param rotation stands for the one that saves, until {@link saveEnded} */
  saveIsSlow(rotation: object, name: string): void {
    this.#saving.set(rotation, name);
  }

  saveEnded(rotation: object): void {
    this.#saving.delete(rotation);
  }

  /** Remembers a rotation until it ends, so that {@link drain} can wait for it. */
  track<T>(rotation: Promise<T>): Promise<T> {
    this.#running.add(rotation);
    return rotation.finally(() => this.#running.delete(rotation));
  }

  /** Starts no more grants and resolves when every rotation under way has ended and saved what it received. */
  async drain(): Promise<void> {
    this.#draining = true;
    while (this.#running.size > 0) await Promise.allSettled(this.#running);
  }
}
