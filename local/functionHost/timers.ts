import { nextRunOf, scheduleProblem } from '../../lib/config/schedule.ts';
import { type FunctionRegistry, type RegisteredFunction, triggerOf } from './coreApi.ts';

/** One timer function. It never overlaps itself: like the real listener, it skips a tick during a run. */
export interface FunctionTimer {
  /** Starts to tick. */
  start(): void;
  /** Stops to tick; resolves when the last run has ended. */
  stop(): Promise<void>;
}

/** The source of settings, usually `process.env`. */
type Settings = Readonly<Record<string, string | undefined>>;

/** Node fires a longer timeout immediately. */
const LONGEST_TIMEOUT_MS = 2 ** 31 - 1;

/** Runs the named function. If it rejects, it has logged the failure. */
type Run = (name: string) => Promise<void>;

/** The timers of all registered timer functions, not started. Throws if a schedule is not valid. */
export function createTimers(
  { functions }: Pick<FunctionRegistry, 'functions'>,
  settings: Settings,
  run: Run,
): FunctionTimer[] {
  return [...functions.values()].flatMap((fn) => {
    const { type, schedule = '' } = triggerOf(fn);
    return type?.toLowerCase() === 'timertrigger' ? [createTimer(fn, schedule, settings, run)] : [];
  });
}

function createTimer(
  { name }: RegisteredFunction,
  text: string,
  settings: Settings,
  run: Run,
): FunctionTimer {
  const schedule = text.replace(/%([^%]+)%/g, (_, setting: string) => settingOf(setting, settings, name));
  const nextRun = nextRunOf(schedule);
  if (nextRun(0) === undefined) {
    throw new Error(
      `Function "${name}": "${schedule}" is not a valid NCRONTAB schedule: ${scheduleProblem(schedule)}. Write six fields: second minute hour day month day-of-week.`,
    );
  }
  let timeout: NodeJS.Timeout | undefined;
  let running: Promise<void> | undefined;
  const arm = (after: number) => {
    const due = nextRun(after) ?? Number.POSITIVE_INFINITY;
    timeout = setTimeout(
      () => {
        const now = Date.now();
        if (now < due) return arm(after);
        // The next tick comes even after a failure.
        running ??= run(name)
          .catch(() => undefined)
          .finally(() => {
            running = undefined;
          });
        arm(now);
      },
      Math.min(due - Date.now(), LONGEST_TIMEOUT_MS),
    );
  };
  return {
    start: () => arm(Date.now()),
    async stop() {
      clearTimeout(timeout);
      await running;
    },
  };
}

function settingOf(setting: string, settings: Settings, name: string): string {
  const value = settings[setting];
  if (value) return value;
  throw new Error(
    `Function "${name}": the setting ${setting} is missing; set ${setting}, for example to "*/10 * * * * *".`,
  );
}
