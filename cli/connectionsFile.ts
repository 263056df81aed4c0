import { readFile, rm, stat, writeFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseConnections } from '../lib/config/parseConnections.ts';
import type { Settings } from '../lib/config/settings.ts';
import { RotatorError } from '../lib/errors.ts';
import { findConnection } from '../lib/rotation/core/connection.ts';
import type { Entry } from './connection.ts';
import { replaceFile } from './replaceFile.ts';

const PAUSE_MS = 50;
/** Another command holds the lock for milliseconds only. */
const PATIENCE_MS = 5_000;

/**
 * Adds an entry to the connections file in one step: a concurrent reader sees either the old file or the new one. Concurrent
 * commands wait for each other.
 * @throws RotatorError if CONNECTIONS does not name a file, or the file would be invalid with the entry
 */
export async function appendEntry(name: string, entry: Entry, settings: Settings): Promise<string> {
  const { connectionsSource: source } = settings;
  if (source.kind !== 'file') throw noFile();
  const { path } = source;
  const { mode } = await stat(path);
  const lock = await takeLock(path);
  try {
    await replaceFile(path, withEntry(await readFile(path, 'utf8'), name, entry, settings), mode);
  } finally {
    await rm(lock, { force: true });
  }
  return path;
}

function withEntry(text: string, name: string, entry: Entry, settings: Settings): string {
  const file = JSON.parse(text) as { connections: Record<string, unknown> };
  const next = `${JSON.stringify({ ...file, connections: { ...file.connections, [name]: entry } }, null, 2)}\n`;
  const before = parseConnections(text, settings).invalid.length;
  const connections = parseConnections(next, settings);
  const found = findConnection(connections, name);
  const wrong = found.kind === 'invalid' ? found.entry : connections.invalid.at(-1);
  if (wrong && connections.invalid.length > before) throw new RotatorError(wrong.problem);
  return next;
}

/**
 * Creates the lock file next to `path`, which only one command at a time can create.
 * @returns its path; removing it lets the next command continue
 */
async function takeLock(path: string): Promise<string> {
  const lock = `${path}.lock`;
  const until = Date.now() + PATIENCE_MS;
  for (;;) {
    try {
      await writeFile(lock, '', { flag: 'wx' });
      return lock;
    } catch (thrown) {
      if ((thrown as NodeJS.ErrnoException).code !== 'EEXIST') throw thrown;
      if (Date.now() > until) throw stillThere(lock);
      await sleep(PAUSE_MS);
    }
  }
}

function stillThere(lock: string): RotatorError {
  return new RotatorError({
    code: 'in_progress',
    message: `The lock ${lock} exists: another command is writing the connections file, or ended before it removed the lock.`,
    fix: 'Run the command again. If no other command is running, remove the lock file first.',
  });
}

function noFile(): RotatorError {
  return new RotatorError({
    code: 'configuration_invalid',
    message: 'CONNECTIONS does not name a file, so the command cannot add the entry.',
    fix: 'Add the entry manually.',
  });
}
