import { cronOf } from '../../lib/config/schedule.ts';
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
  const cron = cronOf(schedule);
  if (!cron) {
    throw new Error(
      `Function "${name}": "${schedule}" is not a valid NCRONTAB expression; write six fields: second minute hour day month day-of-week.`,
    );
  }
  let running: Promise<void> | undefined;
  return {
    start: () =>
      void cron.schedule(() => {
        // The next tick comes even after a failure.
        running ??= run(name)
          .catch(() => undefined)
          .finally(() => {
            running = undefined;
          });
      }),
    async stop() {
      cron.stop();
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
