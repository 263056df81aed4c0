import * as z from 'zod';
import { readOwnFile } from '../../cli/ownFile.ts';
import { replaceFile } from '../../cli/replaceFile.ts';
import type { StoredSecret } from './vaultStore.ts';

const time = z.int();

const versionSchema = z.object({
  id: z.string().regex(/^[0-9a-f]{32}$/),
  value: z.string(),
  contentType: z.string().exactOptional(),
  tags: z.record(z.string(), z.string()).exactOptional(),
  enabled: z.boolean(),
  nbf: time.exactOptional(),
  exp: time.exactOptional(),
  created: time,
  updated: time,
});

const fileSchema = z.object({
  format: z.literal(1),
  secrets: z.array(
    z.object({
      name: z.string(),
      versions: z.array(versionSchema).min(1),
      deleted: z.object({ deletedDate: time, scheduledPurgeDate: time }).exactOptional(),
    }),
  ),
});

/** Saves a vault; `idle` settles when all writes have ended. */
export interface Persistence {
  save(): Promise<void>;
  idle(): Promise<void>;
}

/** Reads the secrets of a data file; a missing file is an empty vault. */
export function loadSecrets(file: string): StoredSecret[] {
  const text = readOwnFile(file);
  if (text === undefined) return [];
  const parsed = fileSchema.safeParse(parseJson(text));
  if (parsed.success) return parsed.data.secrets;
  const where = parsed.error.issues[0]?.path.join('.') || 'its top';
  // The message quotes neither the text nor the parser's message, because the file contains secrets.
  throw new Error(
    `The vault's data file ${file} is not valid (at ${where}). Repair the file or move it away.`,
  );
}

/** Saves snapshots to a file; changes that arrive during a write share the next write. */
export function createPersistence(file: string, snapshot: () => StoredSecret[]): Persistence {
  let tail: Promise<void> = Promise.resolve();
  let next: Promise<void> | undefined;
  const write = () => {
    next = undefined;
    return replaceFile(file, JSON.stringify({ format: 1, secrets: snapshot() }));
  };
  return {
    save() {
      if (next === undefined) {
        next = tail.then(write, write);
        tail = next;
      }
      return next;
    },
    idle: () => tail.catch(() => undefined),
  };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
