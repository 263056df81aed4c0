import { Cron } from 'croner';

/** Where settings come from, usually `process.env`. */
export type Settings = Readonly<Record<string, string | undefined>>;

/** NCRONTAB knows numbers, names, ranges, lists and steps; croner would also take L, W, #, ? and nicknames. */
const FIELD = /^(\*|(\d+|[a-z]{3,9})(-(\d+|[a-z]{3,9}))?)(\/\d+)?$/i;

/** Puts settings in the place of `%NAME%`; throws where one is missing or empty. */
export function resolveSettings(text: string, settings: Settings): string {
  return text.replace(/%([^%]+)%/g, (_, name: string) => {
    const value = settings[name];
    if (value) return value;
    throw new Error(`the setting ${name} is missing; set ${name}, for example to "*/10 * * * * *".`);
  });
}

/**
 * An NCRONTAB expression of six fields (`second minute hour day month day-of-week`) as a croner job that is not
 * scheduled yet, in UTC as in Azure. Throws with the fix in its message.
 */
export function parseSchedule(expression: string): Cron {
  const fields = expression.trim().split(/\s+/);
  if (fields.length !== 6 || !fields.every((field) => field.split(',').every((item) => FIELD.test(item)))) {
    throw new Error(
      `"${expression}" is no NCRONTAB expression; write six fields: second minute hour day month day-of-week.`,
    );
  }
  try {
    // In NCRONTAB "5/10" runs from 5 to the end, and day of month and day of week must both match.
    return new Cron(fields.join(' '), {
      mode: '6-part',
      timezone: 'UTC',
      sloppyRanges: true,
      domAndDow: true,
    });
  } catch (error) {
    throw new Error(`"${expression}" is no NCRONTAB expression: ${(error as Error).message}`);
  }
}
