import { LOG_EVENTS } from '../../../lib/logEvents.ts';
import type { LogLine } from '../../support/logLines.ts';

/** The log lines in the output: JSON objects with a level, which responses do not have. */
export function logLines(output: readonly string[]): LogLine[] {
  return output
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line))
    .filter((line) => 'level' in line);
}

/** One sentence for each deviation of the log lines from the table of events. */
export function misfits(output: readonly string[]): string[] {
  return [...new Set(logLines(output).flatMap(misfitsOf))];
}

function misfitsOf({ time, level, event, ...fields }: LogLine & { time?: string }): string[] {
  const kinds = new Map<string, string>(
    Object.entries(Object.entries(LOG_EVENTS).find(([name]) => name === event)?.[1].fields ?? {}),
  );
  if (kinds.size === 0) return [`${event} is not an event.`];
  const unknown = Object.entries(fields).filter(
    ([name, value]) => kinds.get(name)?.replace('?', '') !== typeof value,
  );
  const missing = [...kinds].filter(([name, kind]) => !kind.endsWith('?') && !(name in fields));
  return [
    ...unknown.map(([name, value]) => `${event} has ${name}, a ${typeof value}.`),
    ...missing.map(([name]) => `${event} lacks ${name}.`),
    ...(Number.isNaN(Date.parse(String(time))) ? [`${event} has no time.`] : []),
    ...(['info', 'warn', 'error'].includes(String(level)) ? [] : [`${event} has the level ${level}.`]),
  ];
}
