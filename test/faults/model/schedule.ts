import { pick, randomFrom } from './random.ts';

/** What befalls one operation. */
export const FAULT_KINDS = [
  /** The process ends before the service executes the operation, or after it did and before it answers. */
  'kill_before',
  'kill_after',
  /** Its caller is told of a failure, and the service never saw it, executed it, or executes it later. */
  'lost_request',
  'lost_response',
  'late_execution',
  /** The process stands still while the request is on its way, after a grant was cleared for sending, or before the answer arrives. */
  'freeze_before',
  'freeze_between',
  'freeze_after',
  /** 429 or 503 with Retry-After. */
  'throttled',
  /** 409. */
  'conflict',
  /** 5xx at once, though the service executed it. */
  'failed_after',
  /** A person sets another refresh token in this very moment. */
  'operator_replaces',
  /** The process is told to end: it finishes what it does. */
  'drain',
] as const;

export type FaultKind = (typeof FAULT_KINDS)[number];

export interface Fault {
  readonly kind: FaultKind;
  /** How late, how long frozen, or how long to wait with the next attempt. */
  readonly ms: number;
}

/** What happens between two sweeps. */
export type Event = 'operator_replaces_token' | 'record_lost' | 'record_copied' | 'record_restored';

/** A history to play: the same seed gives the same one. */
export interface Schedule {
  readonly seed: number;
  /** How long a used refresh token stays usable; Infinity: always. */
  readonly graceMs: number;
  readonly racers: number;
  /** By the number of the operation, counted over all processes. */
  readonly faults: ReadonlyMap<number, Fault>;
  /** By the number of the tick. */
  readonly events: ReadonlyMap<number, Event>;
  /** From this tick the credential vault takes no writes, for so many ticks. */
  readonly readOnly: { readonly from: number; readonly ticks: number } | undefined;
}

const OPERATIONS = 160;
export const INTERVAL_MS = 10_000;
/** Intervals with faults; at 10 s each they cover three lives of an access token. */
export const INTERVALS = 90;

export function scheduleOf(seed: number): Schedule {
  const random = randomFrom(seed);
  const below = (limit: number) => Math.floor(random() * limit);
  const graceMs = pick(random, [0, 0, 30_000, 60_000, 1_800_000, Number.POSITIVE_INFINITY]);
  const racers = pick(random, [1, 1, 2, 2, 8]);
  const faults = new Map<number, Fault>();
  for (let left = below(6); left > 0; left--) {
    faults.set(below(OPERATIONS), {
      kind: pick(random, FAULT_KINDS),
      ms: pick(random, [3_000, 20_000, 70_000]),
    });
  }
  const events = new Map<number, Event>();
  if (random() < 0.2) events.set(below(INTERVALS), 'operator_replaces_token');
  if (random() < 0.2) events.set(below(INTERVALS), 'record_lost');
  const readOnly = random() < 0.15 ? { from: below(INTERVALS), ticks: 1 + below(20) } : undefined;
  if (random() < 0.15) {
    const copied = below(INTERVALS);
    events.set(copied, 'record_copied');
    events.set(copied + 1 + below(30), 'record_restored');
  }
  return { seed, graceMs, racers, faults, events, readOnly };
}
