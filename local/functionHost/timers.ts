import type { Cron } from 'croner';
import { type FunctionRegistry, type RegisteredFunction, triggerOf } from './coreApi.ts';
import type { RpcBindingInfo, RpcTypedData } from './rpc.ts';
import { parseSchedule, resolveSettings, type Settings } from './schedule.ts';

/** One timer function. It never overlaps itself: a tick during a run is skipped, as by the real listener. */
export interface FunctionTimer {
  readonly name: string;
  /** The schedule after its settings were put in. */
  readonly schedule: string;
  readonly runOnStartup: boolean;
  /** The next run after the given time, or undefined where there is none. */
  nextRun(after?: Date): Date | undefined;
  /** Begins to tick. */
  start(): void;
  /** A tick of the schedule: runs, or is skipped while a run is under way. Never rejects; false means skipped. */
  tick(): Promise<boolean>;
  /** Runs now, after a run that is under way; rejects with what the handler threw. */
  runNow(): Promise<void>;
  /** No more ticks; resolves when the last run has ended. */
  stop(): Promise<void>;
}

/** Runs the named function with the timer's data. */
export type TimerInvoker = (name: string, timer: RpcTypedData) => Promise<unknown>;

/** The timers of all registered timer functions, not started. Throws where a schedule cannot be read. */
export function createTimers(
  { functions }: Pick<FunctionRegistry, 'functions'>,
  settings: Settings,
  invoke: TimerInvoker,
): FunctionTimer[] {
  return [...functions.values()].flatMap((fn) => {
    const trigger = triggerOf(fn);
    return trigger.type?.toLowerCase() === 'timertrigger' ? [createTimer(fn, trigger, settings, invoke)] : [];
  });
}

function createTimer(
  fn: RegisteredFunction,
  trigger: RpcBindingInfo,
  settings: Settings,
  invoke: TimerInvoker,
): FunctionTimer {
  const { schedule, cron } = readSchedule(fn.name, trigger.schedule ?? '', settings);
  const runs = createRuns(invocation(fn.name, cron, trigger, invoke));
  async function tick(): Promise<boolean> {
    if (runs.busy()) return false;
    // The invoker has logged the failure; the next tick comes all the same.
    await runs.begin().catch(() => undefined);
    return true;
  }
  return {
    name: fn.name,
    schedule,
    runOnStartup: trigger.runOnStartup === true,
    nextRun: (after) => cron.nextRun(after) ?? undefined,
    start: () => void cron.schedule(() => void tick()),
    tick,
    async runNow() {
      await runs.idle();
      if (cron.isStopped()) throw new Error(`The timer of "${fn.name}" is stopped.`);
      await runs.begin();
    },
    async stop() {
      cron.stop();
      await runs.idle();
    },
  };
}

/** One run after the other. */
function createRuns(run: () => Promise<void>): {
  busy(): boolean;
  begin(): Promise<void>;
  idle(): Promise<void>;
} {
  let running: Promise<void> | undefined;
  return {
    busy: () => running !== undefined,
    begin() {
      const current = run().finally(() => {
        running = undefined;
      });
      running = current;
      return current;
    },
    async idle() {
      // Whoever waited as well may have begun the next run meanwhile.
      while (running !== undefined) await running.catch(() => undefined);
    },
  };
}

/** Invokes the function with the data of its timer, which tells of the run before. */
function invocation(
  name: string,
  cron: Cron,
  trigger: RpcBindingInfo,
  invoke: TimerInvoker,
): () => Promise<void> {
  const monitored = trigger.useMonitor ?? !runsWithinAMinute(cron);
  let last: Date | undefined;
  return async () => {
    const data = timerData(cron, monitored, last);
    last = new Date();
    await invoke(name, data);
  };
}

function readSchedule(name: string, text: string, settings: Settings): { schedule: string; cron: Cron } {
  try {
    const schedule = resolveSettings(text, settings);
    return { schedule, cron: parseSchedule(schedule) };
  } catch (error) {
    throw new Error(`Function "${name}": schedule "${text}": ${(error as Error).message}`);
  }
}

/** The host keeps no status of schedules that run more often than once a minute. */
function runsWithinAMinute(cron: Cron): boolean {
  const runs = cron.nextRuns(5).map((run) => run.getTime());
  return runs.some((run, index) => index > 0 && run - (runs[index - 1] ?? 0) < 60_000);
}

/** TimerInfo as the host serializes it. */
function timerData(cron: Cron, monitored: boolean, last: Date | undefined): RpcTypedData {
  const status = {
    Last: last?.toISOString() ?? '0001-01-01T00:00:00+00:00',
    Next: cron.nextRun()?.toISOString(),
    LastUpdated: last?.toISOString() ?? '0001-01-01T00:00:00+00:00',
  };
  const timer = {
    Schedule: { AdjustForDST: true },
    ScheduleStatus: monitored ? status : null,
    IsPastDue: false,
  };
  return { json: JSON.stringify(timer) };
}
