import { pick } from '../model/random.ts';
import type { Moment, Passing, Strike } from '../process/faultProxy.ts';

/** The faults of single requests, by the moment at which they are injected. */
const REQUEST_FAULTS = {
  before_forwarding: ['kill', 'freeze', 'lost request', 'late execution', '429', '503', '409'],
  after_execution: ['kill', 'freeze', 'lost response', '500 after execution', 'truncated', 'dripping'],
  after_response: ['kill', 'freeze'],
} as const satisfies Record<Moment, readonly [string, ...string[]]>;

export type RequestFault = (typeof REQUEST_FAULTS)[Moment][number];

/** The faults that affect all connections. */
export const OUTAGES = [
  'credential vault read-only',
  'storage outage',
  'slow provider',
  'lagging list of versions',
  'drain',
  'forced rotation',
] as const;

/** Chooses a fault for about one of `every` requests; undefined for the others. */
export function chooseFault(random: () => number, moment: Moment, every: number): RequestFault | undefined {
  if (random() * every > 1 / 3) return undefined;
  return pick<RequestFault>(random, REQUEST_FAULTS[moment]);
}

/** What the proxy does for a fault that does not affect the whole process. */
export function strikeOf(
  fault: RequestFault,
  { service }: Passing,
  random: () => number,
): Strike | undefined {
  switch (fault) {
    case 'lost request':
    case 'lost response':
      return { kind: 'lose' };
    case 'late execution':
      return { kind: 'late', ms: 3_000 + random() * 17_000 };
    case '429':
      return { kind: 'answer', status: 429, headers: { 'retry-after': '2' } };
    case '503':
      return { kind: 'answer', status: 503, headers: { 'retry-after': '1' } };
    case '409':
      return service === 'token_endpoint' ? undefined : { kind: 'answer', status: 409 };
    case '500 after execution':
      return { kind: 'answer', status: 500 };
    case 'truncated':
      return { kind: 'truncate' };
    case 'dripping':
      return service === 'token_endpoint' ? { kind: 'drip', everyMs: 40 } : undefined;
    default:
      return undefined;
  }
}
