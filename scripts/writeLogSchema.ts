/**
 * Writes what the table of log events in lib/logEvents.ts gives: infra/queries/rotatorEvents.kql, the log lines as a table with
 * typed columns that every query of an alarm begins with, and the list of events in docs/alarms.md. With --check it writes nothing
 * and exits with 1 where one of them is not current.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { LOG_EVENTS } from '../lib/logEvents.ts';

const BEGIN = '<!-- the events: written by scripts/writeLogSchema.ts -->';
const END = '<!-- end of the events -->';
const CONVERSIONS = { string: 'tostring', number: 'toreal', boolean: 'tobool' } as const;
type Kind = keyof typeof CONVERSIONS;

/** Every field of every event, once, with its kind. */
function columns(): Map<string, Kind> {
  const kinds = new Map<string, Kind>([
    ['level', 'string'],
    ['event', 'string'],
  ]);
  for (const { fields } of Object.values(LOG_EVENTS))
    for (const [name, optionalKind] of Object.entries(fields)) {
      const kind = optionalKind.replace('?', '') as Kind;
      if ((kinds.get(name) ?? kind) !== kind) throw new Error(`The field ${name} has two kinds.`);
      kinds.set(name, kind);
    }
  return kinds;
}

/** The functions print their lines to the console; the host passes them on as traces (category Host.Function.Console). */
function prefix(): string {
  const projected = [...columns()].map(([name, kind]) => `    ${name} = ${CONVERSIONS[kind]}(Line.${name})`);
  return `// Written by scripts/writeLogSchema.ts from lib/logEvents.ts: the lines that the functions print, one column per field.
let RotatorEvents = AppTraces
| where Message startswith '{'
| extend Line = parse_json(Message)
| where isnotempty(Line.event)
| project
    TimeGenerated,
${projected.join(',\n')};
`;
}

function eventList(): string {
  const rows = Object.entries(LOG_EVENTS).map(([event, { means, fields }]) => {
    const names = Object.entries(fields).map(([name, kind]) => (kind.endsWith('?') ? `_${name}_` : name));
    return `| \`${event}\` | ${means} | ${names.join(', ')} |`;
  });
  return ['| event | means | fields, _not always_ |', '| --- | --- | --- |', ...rows].join('\n');
}

function withEventList(document: string): string {
  const [before, rest] = document.split(BEGIN);
  const [, after] = (rest ?? '').split(END);
  if (before === undefined || after === undefined)
    throw new Error(`docs/alarms.md lacks ${BEGIN} or ${END}.`);
  return `${before}${BEGIN}\n\n${eventList()}\n\n${END}${after}`;
}

/** A checkout on Windows may have other line ends. */
function read(path: string): string {
  try {
    return readFileSync(path, 'utf8').replaceAll('\r\n', '\n');
  } catch {
    return '';
  }
}

function keep(file: string, wantedFrom: (current: string) => string): void {
  const path = fileURLToPath(new URL(`../${file}`, import.meta.url));
  const current = read(path);
  const wanted = wantedFrom(current);
  if (!process.argv.includes('--check')) writeFileSync(path, wanted);
  else if (current !== wanted) {
    console.error(`${file} is not current; run "node scripts/writeLogSchema.ts" and commit the file.`);
    process.exitCode = 1;
  }
}

keep('infra/queries/rotatorEvents.kql', prefix);
keep('docs/alarms.md', withEventList);
