import type { Connection } from './core/connection.ts';
import type { RotationResult } from './core/outcome.ts';
import type { RecordedFailure } from './core/record.ts';
import type { Ports, ReadClientKey } from './ports.ts';
import { ProviderHost } from './providerHost.ts';
import { RecordView } from './recordView.ts';

/** What a client proves its identity with, as it was read from the vault: a client secret, a key, or neither. */
export interface ClientProof {
  /** Of the secret or key, or the name of the method if it needs neither. */
  readonly version: string;
  readonly secret?: string;
  readonly key?: ReadClientKey;
  /** Of the secret or key, in milliseconds since the epoch. */
  readonly expiresAt?: number;
}

/** Client credentials as they were read from the vault. */
export interface RememberedCredentials {
  readonly clientId: string;
  /** In the order in which they are tried; at least one. */
  readonly proofs: readonly ClientProof[];
  /** The secrets and keys that all this was read from, with their versions. */
  readonly sources: RecordedFailure['clearedBy'];
}

/** A rotation that goes on after its caller was told this result. */
interface GoingOn {
  readonly connection: string;
  /** Of the refresh token. */
  readonly vault: string;
  readonly result: Extract<RotationResult['result'], 'saving' | 'awaiting_response'>;
}

/** What one process remembers beside the ports: rotations under way, and client credentials read before. */
export class ProcessMemory {
  /** By fingerprint of the connection: a changed entry reads them anew. */
  readonly credentials = new Map<string, RememberedCredentials>();
  /** By connection: the version of the refresh token that this process sent or saved last. */
  readonly refreshTokens = new Map<string, string>();
  readonly records: RecordView;
  /** Names of the connections whose provider did not replace the refresh token the last time. */
  readonly kept = new Set<string>();
  readonly #running = new Set<Promise<unknown>>();
  /** Rotations whose callers have an answer, while they go on. */
  readonly #goingOn = new Map<object, GoingOn>();
  readonly #hosts = new Map<string, ProviderHost>();
  #draining = false;

  constructor(records = new RecordView()) {
    this.records = records;
  }

  /** No new grants: the process is about to end. */
  get draining(): boolean {
    return this.#draining;
  }

  /** What a rotation of this connection that goes on in this process waits for; undefined if there is none. */
  goingOn(name: string): GoingOn['result'] | undefined {
    return [...this.#goingOn.values()].find(({ connection }) => connection === name)?.result;
  }

  /** How many refresh tokens wait for this vault. */
  waitingSaves(vault: string): number {
    return [...this.#goingOn.values()].filter((each) => each.vault === vault && each.result === 'saving')
      .length;
  }

  /** @param rotation stands for the one that goes on, until {@link ended} */
  goesOn(rotation: object, what: GoingOn): void {
    this.#goingOn.set(rotation, what);
  }

  ended(rotation: object): void {
    this.#goingOn.delete(rotation);
  }

  /** The host of a connection's token endpoint, as this process has seen it. */
  hostOf({ tokenUri }: Connection, ports: Pick<Ports, 'clock' | 'log' | 'scheduleIntervalMs'>): ProviderHost {
    const { host } = new URL(tokenUri);
    const known = this.#hosts.get(host) ?? new ProviderHost(host, ports);
    this.#hosts.set(host, known);
    return known;
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
