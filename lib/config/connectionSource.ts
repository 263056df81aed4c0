import { type Problem, problemOf, RotatorError } from '../errors.ts';
import type { Log } from '../log.ts';
import type { Connections } from '../rotation/core/connection.ts';
import { safeCodeOf } from '../safeText.ts';
import { parseConnections } from './parseConnections.ts';
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
 * last valid connections stay in use, with the reason as `stale`. It is logged once for each change.
 * @returns a function that throws RotatorError (`configuration_invalid`, or what `readBlob` throws) until it has read a
 *   valid text; concurrent calls share one read
 */
export function createConnectionSource(
  settings: SourceSettings,
  readers: ConnectionReaders,
  log: Log,
): ConnectionSource {
  const read = readerOf(settings, readers);
  const state: State = { connections: undefined, stamp: undefined, wrong: undefined, complaint: undefined };
  let flight: Promise<Connections> | undefined;
  return () => {
    flight ??= reload(state, read, settings, log).finally(() => {
      flight = undefined;
    });
    return flight;
  };
}

interface State {
  /** The last valid connections. */
  connections: Connections | undefined;
  /** The stamp of the last text that was checked, valid or not; undefined before the first valid one. */
  stamp: string | undefined;
  /** The problem with the text of that stamp. */
  wrong: Problem | undefined;
  /** The last logged problem, so that it is logged once. */
  complaint: string | undefined;
}

type Read = (stamp: string | undefined) => Promise<StampedText | 'unchanged'>;

function readerOf({ connectionsSource: source }: SourceSettings, readers: ConnectionReaders): Read {
  if (source.kind === 'file') return (stamp) => readers.readFile(source.path, stamp);
  if (source.kind === 'blob') return (stamp) => readers.readBlob(source.url, stamp);
  const inline: StampedText = { text: source.text, stamp: 'inline' };
  return async (stamp) => (stamp === inline.stamp ? 'unchanged' : inline);
}

async function reload(state: State, read: Read, settings: SourceSettings, log: Log): Promise<Connections> {
  let stamp = state.stamp;
  try {
    const answer = await read(state.stamp);
    if (answer === 'unchanged') return unchanged(state);
    stamp = answer.stamp;
    state.connections = parseConnections(answer.text, settings);
    state.wrong = undefined;
    state.complaint = undefined;
    report(state.connections, log);
    return state.connections;
  } catch (thrown) {
    const error = sourceError(thrown, settings);
    if (stamp !== state.stamp) state.wrong = problemOf(error);
    return lastGood(state, error, stamp, log);
  } finally {
    // The same invalid text is not parsed again each time, but only if there are valid connections to continue with.
    if (state.connections) state.stamp = stamp;
  }
}

/** A source that was readable in between is logged again when it fails the next time. */
function unchanged(state: State): Connections {
  state.complaint = undefined;
  const connections = state.connections ?? { valid: [], invalid: [] };
  return state.wrong ? { ...connections, stale: state.wrong } : connections;
}

function lastGood(state: State, error: RotatorError, stamp: string | undefined, log: Log): Connections {
  if (!state.connections) throw error;
  const complaint = `${error.code} ${error.message} ${stamp}`;
  if (complaint !== state.complaint) {
    const message = `${error.message} The rotator keeps using the last valid connections.`;
    log('error', 'configuration_invalid', { code: error.code, message, fix: error.fix });
  }
  state.complaint = complaint;
  return { ...state.connections, stale: problemOf(error) };
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

function report({ valid, invalid }: Connections, log: Log): void {
  const paused = valid.filter(({ enabled }) => !enabled).length;
  log('info', 'configuration_loaded', {
    connections: valid.length + invalid.length,
    valid: valid.length,
    paused,
    invalid: invalid.length,
  });
  for (const { name, problem } of invalid)
    log('warn', 'connection_invalid', { connection: name, ...fields(problem) });
}

function fields({ code, message, fix }: Problem): { code: string; message: string; fix: string } {
  return { code, message, fix };
}
