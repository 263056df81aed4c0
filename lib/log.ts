/** How serious a line is; the log writer decides where each level goes. */
export type LogLevel = 'info' | 'warn' | 'error';

/** The fields of one log line. Values are never a token, a secret or a part of one. */
export type LogFields = Readonly<Record<string, string | number | boolean | undefined>>;

/** Writes one event. Events have stable names: alarms and dashboards are built on them. */
export type Log = (level: LogLevel, event: string, fields?: LogFields) => void;

/**
 * A log that gives one JSON line per event.
 * @param write receives the level and the line, without a line end
 * @param now the wall clock in milliseconds, for the line's `time` only
 */
export function jsonLog(write: (level: LogLevel, line: string) => void, now: () => number): Log {
  return (level, event, fields = {}) =>
    write(level, JSON.stringify({ time: new Date(now()).toISOString(), level, event, ...fields }));
}
