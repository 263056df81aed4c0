import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { type ErrorCode, errorCodes } from '../../lib/errors.ts';
import type { LogEvent } from '../../lib/log.ts';
import { LOG_EVENTS } from '../../lib/logEvents.ts';
import type { RotationResult } from '../../lib/rotation/core/outcome.ts';
import { analyze, kustoForTests } from './queriesKusto.ts';

const read = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');

const PREFIX = read('infra/queries/rotatorEvents.kql');
const NAMES = readdirSync(new URL('../../infra/queries', import.meta.url))
  .filter((file) => file.endsWith('.kql') && file !== 'rotatorEvents.kql')
  .map((file) => file.replace('.kql', ''));

interface WorkbookItem {
  readonly name: string;
  readonly content: { readonly query?: readonly string[] };
}

/** The workbook inserts its parameters as text. */
const workbook = (JSON.parse(read('infra/workbook.json')) as { items: WorkbookItem[] }).items.flatMap(
  ({ name, content }) =>
    content.query
      ? [[`workbook, ${name}`, content.query.join('\n').replaceAll('{TimeRange:grain}', '1h')]]
      : [],
) as [string, string][];
const alarmQueries = NAMES.map((name) => [name, read(`infra/queries/${name}.kql`)] as [string, string]);

/** The query text as the deployment assembles it. */
const whole = (query: string) => (query.includes('RotatorEvents') ? PREFIX + query : query);

/** The possible values of columns that contain names. The results of rotations are counted in fields of these names. */
const KNOWN: Readonly<Record<string, readonly string[]>> = {
  event: Object.keys(LOG_EVENTS),
  code: errorCodes,
  result: Object.keys(LOG_EVENTS.sweep_finished.fields),
  level: ['info', 'warn', 'error'],
};

const FIELDS = [...PREFIX.matchAll(/^ {4}(\w+) = /gm)].map(([, field]) => field ?? '');

/** The query, with a table in which a field has another name. */
const withRenamed = (field: string, query: string) =>
  PREFIX.replace(`    ${field} = `, `    ${field}Renamed = `) + query;

const misses = (field: string, query: string) =>
  analyze(withRenamed(field, query)).problems.some((each) => each.startsWith(`KS142 The name '${field}'`));

/** Fields that a query uses although no event that it names has them; other events may have them. */
function foreignFields(query: string): string[] {
  const named = analyze(whole(query)).comparisons.flatMap(({ column, words }) =>
    column === 'event' ? words : [],
  );
  if (named.length === 0) return [];
  const own = ['level', 'event'];
  for (const [event, { fields }] of Object.entries(LOG_EVENTS))
    if (named.includes(event)) own.push(...Object.keys(fields));
  const mentioned = FIELDS.filter(
    (field) => !own.includes(field) && new RegExp(`\\b${field}\\b`).test(query),
  );
  return mentioned.filter((field) => misses(field, query));
}

/** Words that a query looks for in a column although the program never writes them there. */
const unknownWords = (query: string) =>
  analyze(whole(query)).comparisons.flatMap(({ column, words }) =>
    words.filter((word) => KNOWN[column] && !KNOWN[column].includes(word)),
  );

const withoutKusto = !kustoForTests();

describe.skipIf(withoutKusto).each([...alarmQueries, ...workbook])('the query %s', (_, query) => {
  test('binds to the fields that the functions write', () => {
    expect(analyze(whole(query)).problems).toEqual([]);
  });

  test('looks for events, codes and results that exist', () => {
    expect(unknownWords(query)).toEqual([]);
  });

  test('uses fields of the events that it names', () => {
    expect(foreignFields(query)).toEqual([]);
  });
});

// A test cannot run a query, so it searches the query for the purpose of the alarm.
test.skipIf(withoutKusto).each<[string, string, RotationResult['result'] | LogEvent | ErrorCode]>([
  ['saveWaiting', 'result', 'rotated'],
  ['saveWaiting', 'result', 'blocked'],
  ['needsOperator', 'event', 'sweep_finished'],
  ['connectionsGone', 'event', 'configuration_loaded'],
  ['connectionsGone', 'event', 'sweep_finished'],
  ['needsOperator', 'code', 'configuration_invalid'],
])('%s contains the %s %s', (name, column, word) => {
  const { comparisons } = analyze(PREFIX + read(`infra/queries/${name}.kql`));
  expect(comparisons.flatMap((each) => (each.column === column ? each.words : []))).toContain(word);
});

describe.skipIf(withoutKusto)('a query is reported', () => {
  test.each([
    ['noSweep', 'event'],
    ['needsOperator', 'result'],
    ['needsOperator', 'invalid'],
    ['tokenOverdue', 'overdueConnections'],
    ['credentialExpiring', 'days'],
    ['vaultThrottled', 'message'],
    ['saveWaiting', 'attempts'],
    ['lateWriteUndone', 'late'],
  ])('%s, if the field %s has another name', (name, field) => {
    expect(misses(field, read(`infra/queries/${name}.kql`))).toBe(true);
  });

  test('if it uses a field of another event', () => {
    const [event] = Object.entries(LOG_EVENTS).find(([, { fields }]) => 'late' in fields) ?? [];
    const query = `RotatorEvents | where event == '${event}' | project late, days`;
    expect(foreignFields(query)).toEqual(['days']);
  });

  test.each([
    ["RotatorEvents | where evnt == 'any'", 'KS142'],
    ["RotatorEvent | where event == 'any'", 'KS204'],
    ["RotatorEvents | where overdue == 'many'", 'compares real with string'],
    ['RotatorEvents | where code > 3', 'KS106'],
    ['RotatorEvents | where', 'KS006'],
  ])('%s', (query, expected) => {
    expect(analyze(PREFIX + query).problems.join(' ')).toContain(expected);
  });

  test.each([
    ["RotatorEvents | where event == 'sweep_done'", 'sweep_done'],
    [`RotatorEvents | where event in ('${Object.keys(LOG_EVENTS)[0]}', 'sweep_done')`, 'sweep_done'],
    ["RotatorEvents | where code != 'vault_busy'", 'vault_busy'],
    ["RotatorEvents | where result !in ('rotated', 'stuck')", 'stuck'],
  ])('%s', (query, word) => expect(unknownWords(query)).toEqual([word]));
});

describe('the alarms', () => {
  const bicep = read('infra/modules/alarms.bicep');
  const documented = read('docs/alarms.md');
  const alarms = [
    ...bicep.matchAll(
      /^ {4}name: '(\w+)'$[^{}]*?\n {4}query: (.*)\n {4}severity: (\d)\n {4}window: '(\w+)'\n {4}frequency: '(\w+)'\n {4}dimensions: \[(.*)\]$/gm,
    ),
  ].map(([, name = '', query = '', severity = '', window = '', , dimensions = '']) => ({
    name,
    query,
    severity,
    window,
    dimensions: [...dimensions.matchAll(/'(\w+)'/g)].map(([, column]) => column ?? ''),
  }));

  test('exist for each query', () => {
    expect(alarms.map(({ name }) => name).toSorted()).toEqual(NAMES.toSorted());
    const loaded = [...bicep.matchAll(/queries\/(\w+)\.kql/g)].map(([, name]) => name ?? '');
    expect(loaded.toSorted()).toEqual([...NAMES, 'rotatorEvents'].toSorted());
  });

  test.each(alarms)('$name: starts with the definitions that its query needs', (alarm) => {
    const query = read(`infra/queries/${alarm.name}.kql`);
    const load = `loadTextContent('../queries/${alarm.name}.kql')`;
    expect(alarm.query).toBe(whole(query) === query ? load : `'\${events}\${${load}}'`);
  });

  test.skipIf(withoutKusto).each(alarms)('$name: its query has its dimensions', (alarm) => {
    const { columns } = analyze(whole(read(`infra/queries/${alarm.name}.kql`)));
    for (const dimension of alarm.dimensions) expect(columns).toHaveProperty(dimension, 'string');
  });

  test.each(alarms)('$name: the documentation says what to do', ({ name, severity }) => {
    expect(documented).toMatch(new RegExp(`^\\| \`${name}\` \\| ${severity} \\|`, 'm'));
  });

  test('miss no line: the host forwards each of them', () => {
    const { logging } = JSON.parse(read('host.json'));
    expect(logging.applicationInsights.samplingSettings).toEqual({ isEnabled: false });
    const { default: level, 'Host.Function.Console': console = level } = logging.logLevel;
    expect(console).toBe('Information');
  });

  test('remember an unsaved token for a day, even if its process stops logging', () => {
    expect(alarms.find(({ name }) => name === 'saveWaiting')?.window).toBe('P1D');
  });

  test('noSweep waits an hour for a rotator that has never run, and for no other', () => {
    const query = read('infra/queries/noSweep.kql');
    const [, placeholder = 'none'] = /datetime\(([^)]+)\)/.exec(query) ?? [];
    expect(bicep).toContain(`replace(alarm.query, '${placeholder}', deployedAt)`);
    expect(query).toContain('sweeps == 0 and (earlier > 0 or now() > DeployedAt + 1h)');
    // A shorter window would not show that it has run.
    expect(alarms.find(({ name }) => name === 'noSweep')?.window).toBe('P1D');
  });

  test('connectionsGone compares the configuration with what a process swept a day before, paused or not', () => {
    expect(alarms.find(({ name }) => name === 'connectionsGone')?.window).toBe('P1D');
    const query = read('infra/queries/connectionsGone.kql');
    // The number of a sweep leaves out paused connections, so it does not say that there are none.
    expect(query).toContain("event == 'configuration_loaded' and connections == 0");
    expect(query).toContain('earlier > 0 and isnotnull(emptied) and (isnull(filled) or emptied > filled)');
  });

  // Azure Monitor accepts no alert rules with these operators (Optimize log search alert queries, "Log query constraints").
  test.each(alarmQueries)('%s: uses neither search nor union', (_, query) => {
    expect(query).not.toMatch(/\b(union|search)\b/);
  });
});
