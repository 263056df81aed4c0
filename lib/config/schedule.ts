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
  const fields = schedule.trim().split(/\s+/);
  const wellFormed = fields.length === FIELDS && fields.every((field) => field.split(',').every(isItem));
  if (!wellFormed) return undefined;
  const runs = nextRuns(fields.join(' '));
  const gaps = runs.slice(1).map((run, index) => run - (runs[index] ?? run));
  return gaps.length > 0 ? Math.max(...gaps) : undefined;
}

function isItem(item: string): boolean {
  return ITEM.test(item);
}

/** In NCRONTAB "5/10" runs from 5 to the end, and day of month and day of week must both match. */
function nextRuns(schedule: string): readonly number[] {
  const options = { mode: '6-part', timezone: 'UTC', sloppyRanges: true, domAndDow: true } as const;
  try {
    return new Cron(schedule, options).nextRuns(RUNS, REFERENCE).map((run) => run.getTime());
  } catch {
    return [];
  }
}
