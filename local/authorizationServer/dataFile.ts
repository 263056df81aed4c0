import { readOwnFile } from '../../cli/ownFile.ts';
import { replaceFile } from '../../cli/replaceFile.ts';
import type { ServerKeys } from './keys.ts';
import type { StoreSnapshot } from './tokenStore.ts';

const FORMAT = 1;

/** The state that survives a restart. */
export interface ServerState {
  keys: ServerKeys;
  models: StoreSnapshot;
}

/** The state in the file; undefined if there is no file yet. */
export function readState(path: string): ServerState | undefined {
  const text = readOwnFile(path);
  if (text === undefined) return undefined;
  const state = parseState(text);
  if (!state)
    throw new Error(
      `${path} does not contain the state of the authorization server. Delete the file to start again.`,
    );
  return state;
}

function parseState(text: string): ServerState | undefined {
  try {
    const value = JSON.parse(text) as ServerState & { format: number };
    return value.format === FORMAT && value.keys && value.models ? value : undefined;
  } catch {
    // The parser's message quotes the file, which contains tokens.
    return undefined;
  }
}

/** Replaces the state in the file. */
export function writeState(path: string, state: ServerState): Promise<void> {
  return replaceFile(path, JSON.stringify({ format: FORMAT, ...state }));
}

/** Saves after changes; changes that arrive together share a write. */
export interface Saver {
  changed(): void;
  /** Resolves when every change up to now is in the file. */
  flush(): Promise<void>;
  /** The last flush. Later changes are dropped, because the file may belong to the next process by then. */
  close(): Promise<void>;
}

/** A saver that never runs two calls of `write` at the same time, and calls it only after a change. */
export function createSaver(write: () => Promise<void>): Saver {
  let dirty = false;
  let closed = false;
  let running: Promise<void> = Promise.resolve();
  let queued: Promise<void> | undefined;

  const writeNow = (): Promise<void> => {
    queued = undefined;
    dirty = false;
    running = write().catch((error: unknown) => {
      dirty = true;
      throw error;
    });
    return running;
  };
  const flush = (): Promise<void> => {
    if (!dirty || closed) return running;
    queued ??= running.catch(() => undefined).then(writeNow);
    return queued;
  };
  return {
    changed: () => {
      dirty = true;
    },
    flush,
    close: () => {
      const last = flush();
      closed = true;
      return last;
    },
  };
}
