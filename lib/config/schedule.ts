import { Cron } from 'croner';

/** A field of NCRONTAB: numbers, names, ranges, lists and steps. croner also accepts L, W, # and ?; the host does not. */
const ITEM = /^(\*|(\d+|[a-z]{3})(-(\d+|[a-z]{3}))?)(\/\d+)?$/i;
const FIELDS = 6;

/** The start of the counted runs. Fixed, so that a schedule always gives the same schedule interval. */
const REFERENCE = new Date('2026-01-01T00:00:00Z');

/** Enough for a whole minute of seconds. If a schedule with more runs a day pauses at night, only its gap by day counts. */
const RUNS = 61;

/**
 * The time between two runs of an NCRONTAB schedule of six fields
 * (`second minute hour day month day-of-week`), in UTC.
 * @returns the longest gap between the next runs in milliseconds, which a takeover may have to wait; undefined if the text
 *   is not such a schedule or does not run twice
 */
export function longestGapMs(schedule: string): number | undefined {
  const runs = (cronOf(schedule)?.nextRuns(RUNS, REFERENCE) ?? []).map((run) => run.getTime());
  const gaps = runs.slice(1).map((run, index) => run - (runs[index] ?? run));
  return gaps.length > 0 ? Math.max(...gaps) : undefined;
}

/** The schedule as a job that is not started; undefined if the text is not such a schedule. */
export function cronOf(schedule: string): Cron | undefined {
  const fields = schedule.trim().split(/\s+/);
  const isWellFormed = fields.every((field) => field.split(',').every((item) => ITEM.test(item)));
  if (fields.length !== FIELDS || !isWellFormed) return undefined;
  // In NCRONTAB "5/10" runs from 5 to the end, and day of month and day of week must both match.
  const options = { mode: '6-part', timezone: 'UTC', sloppyRanges: true, domAndDow: true } as const;
  try {
    return new Cron(fields.join(' '), options);
  } catch {
    return undefined;
  }
}
