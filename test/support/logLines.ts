import type { EventFields, Log, LogEvent, LogLevel } from '../../lib/log.ts';

/** One line of the log with the fields of its event. */
export type LogLine = {
  [E in LogEvent]: { readonly level: LogLevel; readonly event: E } & EventFields<E>;
}[LogEvent];

/** A line of one event. */
export type LineOf<E extends LogEvent> = Extract<LogLine, { readonly event: E }>;

/** A log that adds to a list. */
export function logInto(lines: LogLine[]): Log {
  return (level, event, fields) => void lines.push({ level, event, ...fields } as LogLine);
}

/** The lines of one event. The compiler rejects an unknown event, so a test that an event is absent fails after a rename. */
export function linesOf<E extends LogEvent>(lines: readonly LogLine[], event: E): LineOf<E>[] {
  return lines.filter((line): line is LineOf<E> => line.event === event);
}
