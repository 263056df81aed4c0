/**
 * Writes infra/queries/rotatorEvents.kql from lib/logEvents.ts: the log lines as a table with typed columns, which every query of an
 * alarm begins with. With --check, it writes nothing and exits with 1 if the file is not current.
 */
import { LOG_EVENTS } from '../lib/logEvents.ts';
import { keepCurrent } from './keepCurrent.ts';

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

/** The functions print their lines to the console; the host forwards them as traces (category Host.Function.Console). */
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

keepCurrent('infra/queries/rotatorEvents.kql', prefix, 'npm run events');
