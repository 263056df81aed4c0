import { Cron } from 'croner';

/** A field of NCRONTAB: numbers, names, ranges, lists and steps. croner would also take L, W, # and ?, the host does not. */
const ITEM = /^(\*|(\d+|[a-z]{3})(-(\d+|[a-z]{3}))?)(\/\d+)?$/i;
const FIELDS = 6;

/** Where the runs are counted from. Fixed, so that one schedule always gives one tick. */
const REFERENCE = new Date('2026-01-01T00:00:00Z');

/** Enough for a whole minute of seconds. A schedule of more runs a day that stands still at night counts by its gap in the day. */
const RUNS = 61;

/**
 * The time between two runs of an NCRONTAB schedule of six fields
 * (`second minute hour day month day-of-week`), in UTC.
 * @returns the longest gap between the next runs in milliseconds: what a takeover may have to wait for; undefined where the
 *   text is no such schedule or never comes round twice
 */
export function longestGapMs(schedule: string): number | undefined {
  const runs = (cronOf(schedule)?.nextRuns(RUNS, REFERENCE) ?? []).map((run) => run.getTime());
  const gaps = runs.slice(1).map((run, index) => run - (runs[index] ?? run));
  return gaps.length > 0 ? Math.max(...gaps) : undefined;
}

/** The same schedule as a job that is not scheduled yet; undefined where the text is no such schedule. */
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
