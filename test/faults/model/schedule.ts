import { LONGEST_LIST_AGE_MS } from '../../../lib/rotation/core/times.ts';
import type { Deadline } from '../../unit/rotation/world/provider.ts';
import { pick, randomFrom } from './random.ts';

/** The faults of one operation. */
export const FAULT_KINDS = [
  /** The process is killed before the service executes the operation, or after that and before the response arrives. */
  'kill_before',
  'kill_after',
  /** The caller gets a failure; the service never receives the request, executed it, or executes it later. */
  'lost_request',
  'lost_response',
  'late_execution',
  /** The process freezes while the request is on its way, after the last check before a token request, or before the response arrives. */
  'freeze_before',
  'freeze_between',
  'freeze_after',
  /** 429 or 503 with Retry-After. */
  'throttled',
  /** 409. */
  'conflict',
  /** An immediate 5xx although the service executed the operation. */
  'failed_after',
  /** An operator sets another refresh token at this moment. */
  'operator_replaces',
  /** The process gets the signal to end, and finishes its current work. */
  'drain',
  /** A token response ends after its refresh token. */
  'cut_off',
] as const;

/** What the model plays beside the faults of single requests, as rows of the failure matrix: what follows for each kind of provider. */
export const MODEL_ROWS: readonly (readonly [
  step: string,
  fault: string,
  strict: string,
  grace: string,
  reusable: string,
])[] = [
  ['read the refresh token', 'a listing or a GET shows a write up to 40 s later', 'fresh', 'fresh', 'fresh'],
  [
    'send the token request',
    'responses take 5 to 55 s, with and without a lease that can be renewed',
    'fresh',
    'fresh',
    'fresh',
  ],
  ['send the token request', 'the response ends after its refresh token', 'fresh', 'fresh', 'fresh'],
  [
    'send the token request',
    'the provider refuses a valid refresh token once',
    'fresh, once the access token has expired',
    'fresh, once the access token has expired',
    'fresh, after a minute',
  ],
  ['send the token request', 'the refresh token has a deadline from each refresh', 'fresh', 'fresh', 'fresh'],
  [
    'send the token request',
    'the refresh token has a deadline from the sign-in',
    'reported at its end',
    'reported at its end',
    'reported at its end',
  ],
  [
    'read the refresh token',
    'two deployments find a token that an operator set',
    'fresh, and the other reports `owned_elsewhere`',
    'the same',
    'the same',
  ],
  [
    'save the refresh token',
    'the vault fails over and loses its last writes',
    '**lost, reported**',
    '**lost, reported**, unless the grace period outlasts it',
    'fresh',
  ],
  ['read the record', 'sweeps use a list of the records that is up to 50 s old', 'fresh', 'fresh', 'fresh'],
  [
    'read the record',
    'forged times in the record, or forged tags at the versions',
    'fresh',
    'fresh',
    'fresh',
  ],
];

export type FaultKind = (typeof FAULT_KINDS)[number];

export interface Fault {
  readonly kind: FaultKind;
  /** The delay, the time that the process is frozen, or the time to wait before the next attempt. */
  readonly ms: number;
}

/** What happens between two sweeps. An attacker may write records, or the tags of refresh tokens. */
export type Event =
  | 'operator_replaces_token'
  | 'record_lost'
  | 'record_copied'
  | 'record_restored'
  | 'record_forged'
  | 'tags_forged';

/** A history to play. The same seed always gives the same history. */
export interface Schedule {
  readonly seed: number;
  /** How long a used refresh token stays usable; Infinity means always. */
  readonly graceMs: number;
  readonly racers: number;
  /** By the number of the operation, counted across all processes. */
  readonly faults: ReadonlyMap<number, Fault>;
  /** By the number of the schedule interval. */
  readonly events: ReadonlyMap<number, Event>;
  /**
   * The credential vault refuses writes from schedule interval `from` on, for `intervals` of them. If `lostMs` is not 0, it has failed over
   * to another region, which did not receive the writes of that time.
   */
  readonly readOnly:
    | { readonly from: number; readonly intervals: number; readonly lostMs: number }
    | undefined;
  /** How much later listings of the credential vault, and GETs of a latest version, show a write. */
  readonly lag: { readonly listingLagMs: number; readonly latestLagMs: number } | undefined;
  /**
   * From schedule interval `from` on, for `intervals` of them, each token response takes `ms` milliseconds. `renewed`: whether
   * leases can be renewed meanwhile.
   */
  readonly slow:
    | { readonly from: number; readonly intervals: number; readonly ms: number; readonly renewed: boolean }
    | undefined;
  /** Sweeps use a list of the records for so long, as with many connections. */
  readonly listAgeMs: number | undefined;
  /** The provider refuses this one of the token requests that repeat no other, although the refresh token is valid. */
  readonly refused: number | undefined;
  /** Refresh tokens live this long, from each refresh or from the consent. */
  readonly deadline: Deadline | undefined;
  /** A second deployment has the same vaults and connections, and its own record store. */
  readonly twoStores: boolean;
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
  const outage = random() < 0.15 ? { from: below(INTERVALS), intervals: 1 + below(20) } : undefined;
  if (random() < 0.15) {
    const copied = below(INTERVALS);
    events.set(copied, 'record_copied');
    events.set(copied + 1 + below(30), 'record_restored');
  }
  const lag =
    random() < 0.3
      ? { listingLagMs: pick(random, [2_000, 30_000, 40_000]), latestLagMs: pick(random, [0, 0, 3_000]) }
      : undefined;
  // A lost record does not know of the refusal either.
  const isRecordLost = [...events.values()].some((event) => event.startsWith('record'));
  const refused = random() < 0.1 && !isRecordLost ? 1 + below(5) : undefined;
  const slow =
    random() < 0.15
      ? {
          from: below(INTERVALS),
          intervals: 6 + below(30),
          ms: pick(random, [5_000, 20_000, 37_000, 55_000]),
          renewed: random() < 0.5,
        }
      : undefined;
  // The tags are what remains if the record is lost, so only one of the two may be untrue. A refusal is known from the record alone.
  if (random() < 0.3 && !isRecordLost) {
    const forged =
      refused === undefined ? pick(random, ['record_forged', 'tags_forged'] as const) : 'tags_forged';
    events.set(below(INTERVALS), forged);
  }
  const readOnly = outage && { ...outage, lostMs: pick(random, [0, 0, 1_000, 5_000, 20_000, 60_000]) };
  // Copies that a listing does not show yet cannot be compared, and only the owner of a token knows of a refusal.
  const twoStores = random() < 0.15 && !lag && refused === undefined;
  // The access token lives for 300 s: the first deadline is earlier than its renewal.
  const deadline =
    random() < 0.1
      ? pick<Deadline>(random, [
          { kind: 'idle', ms: 180_000 },
          { kind: 'idle', ms: 900_000 },
          { kind: 'absolute', ms: 1_500_000 },
        ])
      : undefined;
  const listAgeMs = random() < 0.3 ? LONGEST_LIST_AGE_MS : undefined;
  return {
    seed,
    graceMs,
    racers,
    faults,
    events,
    readOnly,
    lag,
    refused,
    slow,
    twoStores,
    deadline,
    listAgeMs,
  };
}
