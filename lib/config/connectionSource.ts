import { type Problem, problemOf, RotatorError } from '../errors.ts';
import type { Log } from '../log.ts';
import type { Connection, Connections, ContestedSecret } from '../rotation/core/connection.ts';
import { safeCodeOf } from '../safeText.ts';
import { secretKey, usersOf } from './conflicts.ts';
import type { Settings } from './settings.ts';

/** A text with the stamp of its version: an ETag, or a stamp of the file. */
interface StampedText {
  readonly text: string;
  readonly stamp: string;
}

/**
 * Reads the text at an address or path.
 * @param stamp of the text that the caller has
 * @returns `unchanged` if the caller has the current text
 */
export type ReadText = (location: string, stamp?: string) => Promise<StampedText | 'unchanged'>;

/** The readers of external sources. */
export interface ConnectionReaders {
  readonly readFile: ReadText;
  /** The stamp is the ETag; one request, with `If-None-Match` if there is a stamp. */
  readonly readBlob: ReadText;
  /** The connections that a secret has belonged to so far; none if that is unknown. Throws if it cannot be found out now. */
  readonly ownersOf: (secret: ContestedSecret) => Promise<readonly string[]>;
}

/** The settings that a source depends on. */
export type SourceSettings = Pick<
  Settings,
  'connectionsSource' | 'credentialVaultUrl' | 'tokenVaultUrl' | 'allowLoopbackHttp' | 'limits'
>;

/** Reads at the first call, and checks for changes at later ones. */
export type ConnectionSource = () => Promise<Connections>;

/**
 * The current connections of the configuration. If a source fails or is not valid after the first successful read, the
 * last valid connections stay in use, with the reason as `stale`. It is logged once for each change, and so is its end.
 * @param now the wall clock in milliseconds
 * @returns a function that throws RotatorError (`configuration_invalid`, or what `readBlob` throws), with `since`, until it has read a
 *   valid text; concurrent calls share one read
 */
export function createConnectionSource(
  settings: SourceSettings,
  readers: ConnectionReaders,
  log: Log,
  now: () => number,
): ConnectionSource {
  const read = readerOf(settings, readers);
  const state: State = { isSettled: true };
  let flight: Promise<Connections> | undefined;
  const reload = async () => {
    let stamp = state.stamp;
    try {
      // An owner that could not be found out last time is looked up again.
      const answer = await read(state.isSettled ? stamp : undefined);
      if (answer === 'unchanged') return unchanged(state, log);
      const isNew = answer.stamp !== stamp;
      stamp = answer.stamp;
      const { connections, isSettled } = await resolve(answer.text, settings, readers, state.connections);
      report(connections, state, log, isNew);
      Object.assign(state, {
        connections,
        isSettled,
        wrong: undefined,
        complaint: undefined,
        since: undefined,
      });
      return connections;
    } catch (thrown) {
      const error = sourceError(thrown, settings);
      if (stamp !== state.stamp) state.wrong = problemOf(error);
      return lastGood(state, error, `${error.code} ${error.message} ${stamp}`, { log, now: now() });
    } finally {
      // The same invalid text is not parsed again each time, but only if there are valid connections to continue with.
      if (state.connections) state.stamp = stamp;
    }
  };
  return () => {
    flight ??= reload().finally(() => {
      flight = undefined;
    });
    return flight;
  };
}

interface State {
  /** The last valid connections. */
  connections?: Connections | undefined;
  /** Are the owners of all secrets in them known that could be known? */
  isSettled: boolean;
  /** The stamp of the last text that was checked, valid or not; undefined before the first valid one. */
  stamp?: string | undefined;
  /** The problem with the text of that stamp. */
  wrong?: Problem | undefined;
  /** When the first of the problems began that go on, milliseconds since the epoch. */
  since?: number | undefined;
  /** The last logged problem, so that it is logged once. */
  complaint?: string | undefined;
}

type Read = (stamp: string | undefined) => Promise<StampedText | 'unchanged'>;

function readerOf({ connectionsSource: source }: SourceSettings, readers: ConnectionReaders): Read {
  if (source.kind === 'file') return (stamp) => readers.readFile(source.path, stamp);
  if (source.kind === 'blob') return (stamp) => readers.readBlob(source.url, stamp);
  const inline: StampedText = { text: source.text, stamp: 'inline' };
  return async (stamp) => (stamp === inline.stamp ? 'unchanged' : inline);
}

/** A secret that several entries name stays with the connection that has used it, so that a new entry stops only itself. */
async function resolve(
  text: string,
  settings: SourceSettings,
  { ownersOf }: ConnectionReaders,
  before: Connections | undefined,
): Promise<{ connections: Connections; isSettled: boolean }> {
  // The schema is loaded with the first text, not at a cold start.
  const { readConnections } = await import('./parseConnections.ts');
  const { contested, resolve: resolveWith } = readConnections(text, settings);
  let isSettled = true;
  const owners = new Map(contested.length > 0 ? usersOf(before?.valid ?? []) : []);
  for (const secret of contested) {
    const key = secretKey(secret);
    // The last configuration is exact. Tags and records are for the first one of a process.
    if (secret.connections.some((name) => owners.get(key)?.has(name))) continue;
    const found = await ownersOf(secret).catch(() => {
      isSettled = false;
      return [];
    });
    owners.set(key, new Set(found));
  }
  return { connections: resolveWith(owners), isSettled };
}

/** A source that was unreadable in between is logged again when it fails the next time. */
function unchanged(state: State, log: Log): Connections {
  const connections = state.connections ?? { valid: [], invalid: [] };
  state.complaint = undefined;
  if (state.wrong) return { ...connections, stale: { ...state.wrong, since: state.since ?? 0 } };
  if (state.since !== undefined) report(connections, state, log, true);
  state.since = undefined;
  return connections;
}

function lastGood(
  state: State,
  error: RotatorError,
  complaint: string,
  { log, now }: { log: Log; now: number },
): Connections {
  state.since ??= now;
  const { since } = state;
  if (!state.connections) throw new RotatorError(error, { retryAfterMs: error.retryAfterMs, since });
  if (complaint !== state.complaint) {
    const message = `${error.message} The rotator keeps using the last valid connections.`;
    log('error', 'configuration_invalid', { code: error.code, message, fix: error.fix });
  }
  state.complaint = complaint;
  return { ...state.connections, stale: { ...problemOf(error), since } };
}

/** File system errors have a stable code; their text contains the path, so it is left out. */
function sourceError(thrown: unknown, { connectionsSource }: SourceSettings): RotatorError {
  if (thrown instanceof RotatorError) return thrown;
  const code = safeCodeOf(thrown);
  const reason = code === undefined ? '' : ` (${code})`;
  return new RotatorError({
    code: 'configuration_invalid',
    message: `The ${connectionsSource.kind} that CONNECTIONS names cannot be read${reason}.`,
    fix: `Make the ${connectionsSource.kind} readable for the rotator, or set CONNECTIONS to another one. The rotator detects changes of the content automatically.`,
  });
}

/** So many changes are logged one by one; they are all counted. */
const MOST_CHANGES = 50;

/** @param isNew is the text another one than before, or readable again? */
function report(after: Connections, { connections: before, since }: State, log: Log, isNew: boolean): void {
  const { valid, invalid } = after;
  const changes = before ? changesBetween(before, after) : [];
  if (!isNew && changes.length === 0) return;
  log('info', 'configuration_loaded', {
    connections: valid.length + invalid.length,
    valid: valid.length,
    paused: valid.filter(({ enabled }) => !enabled).length,
    invalid: invalid.length,
    ...(before && { changed: changes.length }),
    ...(since !== undefined && { unreadableSince: new Date(since).toISOString() }),
  });
  for (const change of changes.slice(0, MOST_CHANGES)) log('info', 'connection_changed', change);
  for (const { name, problem } of invalid)
    log('warn', 'connection_invalid', { connection: name, ...fields(problem) });
}

/** Connections that became invalid are left out: they have an event of their own. */
function changesBetween(
  before: Connections,
  after: Connections,
): { readonly connection: string; readonly change: string }[] {
  const old = new Map(before.valid.map((connection) => [connection.name, connection]));
  const broken = new Set(before.invalid.map(({ name }) => name));
  const names = new Set([...after.valid, ...after.invalid].map(({ name }) => name));
  const changed = after.valid.flatMap((connection) => {
    const change = changeOf(old.get(connection.name), connection, broken);
    return change ? [{ connection: connection.name, change }] : [];
  });
  const removed = [...old.keys(), ...broken].filter((name) => !names.has(name));
  return [...changed, ...removed.map((connection) => ({ connection, change: 'removed' }))];
}

function changeOf(
  old: Connection | undefined,
  connection: Connection,
  broken: ReadonlySet<string>,
): string | undefined {
  if (!old) return broken.has(connection.name) ? 'valid_again' : 'added';
  if (old.enabled !== connection.enabled) return connection.enabled ? 'resumed' : 'paused';
  return JSON.stringify(old) === JSON.stringify(connection) ? undefined : 'changed';
}

function fields({ code, message, fix }: Problem): { code: string; message: string; fix: string } {
  return { code, message, fix };
}
