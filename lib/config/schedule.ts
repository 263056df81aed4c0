/**
 * Schedules as NCrontab reads them, the parser of the Functions host: https://github.com/atifaziz/NCrontab. What it refuses never runs in
 * Azure. A test compares this file with NCrontab itself.
 */

interface Field {
  readonly name: string;
  readonly from: number;
  readonly to: number;
  readonly names?: readonly string[];
}

const MONTHS = 'January February March April May June July August September October November December'.split(
  ' ',
);
const DAYS_OF_WEEK = 'Sunday Monday Tuesday Wednesday Thursday Friday Saturday'.split(' ');
const FIELDS: readonly Field[] = [
  { name: 'second', from: 0, to: 59 },
  { name: 'minute', from: 0, to: 59 },
  { name: 'hour', from: 0, to: 23 },
  { name: 'day', from: 1, to: 31 },
  { name: 'month', from: 1, to: 12, names: MONTHS },
  { name: 'day of week', from: 0, to: 6, names: DAYS_OF_WEEK },
];

const SECOND_MS = 1000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
/** Until 2100, the calendar repeats after 28 years: each date then falls on the same day of the week. */
const CALENDAR_DAYS = 28 * 365.25;
const CALENDAR_START = Date.UTC(2026, 0, 1) / DAY_MS;
/** NCrontab counts in 32 bits and throws beyond them. */
const LARGEST_INTEGER = 2 ** 31 - 1;

/** The allowed values of the six fields, ascending. */
type Schedule = readonly (readonly number[])[];

/**
 * The time between two runs of an NCRONTAB schedule of six fields
 * (`second minute hour day month day-of-week`), in UTC.
 * @returns the longest gap between two neighbouring runs in milliseconds, which a takeover may have to wait; undefined if the text
 *   is not such a schedule or never runs
 */
export function longestGapMs(text: string): number | undefined {
  const { schedule } = parse(text);
  if (!schedule) return undefined;
  const days = [...runDays(schedule, CALENDAR_START, CALENDAR_DAYS)];
  const [first] = days;
  return first === undefined ? undefined : span(levels([...days, first + CALENDAR_DAYS], schedule)).gap;
}

/**
 * Reads a schedule once, to ask for its runs many times.
 * @returns finds the first run after a moment, both in milliseconds since the epoch; undefined if there is none
 */
export function nextRunOf(text: string): (after: number) => number | undefined {
  const { schedule } = parse(text);
  return (after) => {
    if (!schedule) return undefined;
    const days = runDays(schedule, Math.floor(after / DAY_MS), CALENDAR_DAYS + 1);
    return firstAfter(after, 0, levels(days, schedule));
  };
}

/** Why the host would not run a schedule, as a sentence that does not repeat its text. */
export function scheduleProblem(text: string): string {
  return parse(text).problem ?? 'no date matches it';
}

/** Of `count` days, numbered since the epoch, those on which a schedule runs: day of month and day of week must both match. */
function* runDays(
  [, , , days, months, daysOfWeek]: Schedule,
  start: number,
  count: number,
): Generator<number> {
  for (let day = start; day < start + count; day += 1) {
    const date = new Date(day * DAY_MS);
    const matches =
      days?.includes(date.getUTCDate()) &&
      months?.includes(date.getUTCMonth() + 1) &&
      daysOfWeek?.includes(date.getUTCDay());
    if (matches) yield day;
  }
}

/** A part of a time: ascending values, each of which stands for `unit` milliseconds. */
interface Level {
  readonly values: Iterable<number>;
  readonly unit: number;
}

/** From the coarsest to the finest. */
function levels(days: Iterable<number>, [seconds = [], minutes = [], hours = []]: Schedule): Level[] {
  return [
    { values: days, unit: DAY_MS },
    { values: hours, unit: HOUR_MS },
    { values: minutes, unit: MINUTE_MS },
    { values: seconds, unit: SECOND_MS },
  ];
}

function firstAfter(after: number, start: number, [level, ...finer]: readonly Level[]): number | undefined {
  if (!level) return start > after ? start : undefined;
  for (const value of level.values) {
    const at = start + value * level.unit;
    const run = at + level.unit > after ? firstAfter(after, at, finer) : undefined;
    if (run !== undefined) return run;
  }
  return undefined;
}

/** The first and the last run, and the longest gap between two neighbouring ones, in milliseconds. */
function span([level, ...finer]: readonly Level[]): { first: number; last: number; gap: number } {
  if (!level) return { first: 0, last: 0, gap: 0 };
  const { first, last, gap } = span(finer);
  const starts = [...level.values].map((value) => value * level.unit);
  const gaps = starts.slice(1).map((start, index) => start + first - (starts[index] ?? start) - last);
  return { first: (starts[0] ?? 0) + first, last: (starts.at(-1) ?? 0) + last, gap: Math.max(gap, ...gaps) };
}

type Parsed =
  | { readonly schedule: Schedule; readonly problem?: never }
  | { readonly schedule?: never; readonly problem: string };

function parse(text: string): Parsed {
  // Only spaces separate fields; a tab or a line break is part of its field.
  const words = text.split(' ').filter((word) => word !== '');
  if (words.length !== FIELDS.length) {
    const count = `${words.length} ${words.length === 1 ? 'field' : 'fields'}`;
    return { problem: `it has ${count} with spaces between them, not ${FIELDS.length}` };
  }
  const schedule: number[][] = [];
  for (const [index, field] of FIELDS.entries()) {
    const values = readField(words[index] ?? '', field);
    if (!values) return { problem: problemOf(field, index) };
    schedule.push(values);
  }
  return { schedule };
}

function problemOf({ name, from, to, names }: Field, index: number): string {
  const named = names ? ` and names from ${names[0]} to ${names.at(-1)}` : '';
  return `field ${index + 1} (${name}) takes numbers from ${from} to ${to}${named}, *, and their ranges, lists and steps`;
}

/** Undefined if the text is not valid. */
function readField(text: string, field: Field): number[] | undefined {
  const values = new Set<number>();
  for (const item of text.split(',')) {
    const accepted = readItem(item, field);
    if (!accepted) return undefined;
    for (const value of accepted) values.add(value);
  }
  return [...values].sort((one, other) => one - other);
}

/** A star, a value or a range, and perhaps a step. One value with a step begins a range; the wrong order of a range is put right. */
function readItem(text: string, field: Field): number[] | undefined {
  const [, values = '', stepText] = /^([^/]+)(?:\/(.*))?$/s.exec(text) ?? [];
  const step = stepText === undefined ? 1 : readStep(stepText);
  const ends = readEnds(values, field, stepText !== undefined);
  if (step === undefined || !ends) return undefined;
  const [low, high] = [Math.min(...ends), Math.max(...ends)];
  if (low < field.from || high > field.to || low - field.from + step > LARGEST_INTEGER) return undefined;
  const accepted: number[] = [];
  for (let value = low; value <= high; value += step) accepted.push(value);
  return accepted;
}

function readEnds(text: string, field: Field, hasStep: boolean): number[] | undefined {
  if (text === '*') return [field.from, field.to];
  const [, first = text, last] = /^([^-]+)-(.*)$/s.exec(text) ?? [];
  const low = readValue(first, field);
  const high = last === undefined ? (hasStep ? field.to : low) : readValue(last, field);
  return low === undefined || high === undefined ? undefined : [low, high];
}

/** A number, or the beginning of a name in any case: `J` is January. As .NET reads numbers, white space may follow. */
function readValue(text: string, { from, names = [] }: Field): number | undefined {
  if (/^\d+[\t-\r]*$/.test(text)) return Number.parseInt(text, 10);
  const index = names.findIndex((name) => text && name.toLowerCase().startsWith(text.toLowerCase()));
  return index < 0 ? undefined : from + index;
}

/** As .NET reads numbers: with a sign, and with white space around it. What is below 1 counts as 1. */
function readStep(text: string): number | undefined {
  const step = /^[\t-\r]*[+-]?\d+[\t-\r]*$/.test(text) ? Number(text) : Number.NaN;
  return step >= -LARGEST_INTEGER - 1 && step <= LARGEST_INTEGER ? Math.max(1, step) : undefined;
}
