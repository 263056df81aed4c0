import type { LOG_EVENTS } from './logEvents.ts';

/** How serious a line is; the log writer decides where each level goes. */
export type LogLevel = 'info' | 'warn' | 'error';

export type LogEvent = keyof typeof LOG_EVENTS;

type Fields<E extends LogEvent> = (typeof LOG_EVENTS)[E]['fields'];
type ValueOf<Kind> = Kind extends 'boolean' ? boolean : Kind extends `number${string}` ? number : string;

/**
 * The fields of one event, from its entry in `LOG_EVENTS`. Values are never a token, a secret or a part of one.
 * @public tests check their expectations with it
 */
export type EventFields<E extends LogEvent> = {
  readonly [F in keyof Fields<E> as Fields<E>[F] extends `${string}?` ? never : F]: ValueOf<Fields<E>[F]>;
} & {
  readonly [F in keyof Fields<E> as Fields<E>[F] extends `${string}?` ? F : never]?:
    | ValueOf<Fields<E>[F]>
    | undefined;
};

/** Writes one event with its fields. */
export type Log = <E extends LogEvent>(level: LogLevel, event: E, fields: EventFields<E>) => void;

/** The events about one connection. */
type ConnectionEvent = {
  [E in LogEvent]: 'connection' extends keyof Fields<E> ? E : never;
}[LogEvent];

/** Writes an event of one connection; `fields` are all its other fields. */
export type ConnectionLog = <E extends ConnectionEvent>(
  level: LogLevel,
  event: E,
  fields: Omit<EventFields<E>, 'connection'>,
) => void;

/** The log of one connection: each line names it. */
export function logOf(log: Log, connection: string): ConnectionLog {
  return (level, event, fields) => log(level, event, { connection, ...fields } as EventFields<typeof event>);
}

/**
 * A log that writes one JSON line per event.
 * @param write receives the level and the line, without a line end
 * @param now the wall clock in milliseconds, for the line's `time` only
 */
export function jsonLog(write: (level: LogLevel, line: string) => void, now: () => number): Log {
  return (level, event, fields) =>
    write(level, JSON.stringify({ time: new Date(now()).toISOString(), level, event, ...fields }));
}
