import { cronOf } from '../../lib/config/schedule.ts';
import { type FunctionRegistry, type RegisteredFunction, triggerOf } from './coreApi.ts';

/** One timer function. It never overlaps itself: a tick during a run is skipped, as by the real listener. */
export interface FunctionTimer {
  /** Begins to tick. */
  start(): void;
  /** No more ticks; resolves when the last run has ended. */
  stop(): Promise<void>;
}

/** Where settings come from, usually `process.env`. */
type Settings = Readonly<Record<string, string | undefined>>;

/** Runs the named function; it has logged the failure where it rejects. */
type Run = (name: string) => Promise<void>;

/** The timers of all registered timer functions, not started. Throws where a schedule cannot be read. */
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
      `Function "${name}": "${schedule}" is no NCRONTAB expression; write six fields: second minute hour day month day-of-week.`,
    );
  }
  let running: Promise<void> | undefined;
  return {
    start: () =>
      void cron.schedule(() => {
        // The next tick comes all the same after a failure.
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
