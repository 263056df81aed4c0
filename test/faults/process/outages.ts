import { ANNOUNCE, GRANT, SAVE, type Step } from './cases.ts';
import type { Moment, Strike } from './faultProxy.ts';

/** What the credential vault answers to writes once the grant is executed. */
export interface Outage {
  readonly name: string;
  readonly strike: Strike;
  readonly ms: number;
}

const answer = (status: number, headers: Record<string, string> = {}): Strike => ({
  kind: 'answer',
  status,
  headers,
});

export const OUTAGES: readonly Outage[] = [
  { name: '429 with Retry-After', strike: answer(429, { 'retry-after': '2' }), ms: 6_000 },
  { name: '503', strike: answer(503), ms: 6_000 },
  { name: '403: somebody took the right to write', strike: answer(403), ms: 6_000 },
  { name: '409', strike: answer(409), ms: 6_000 },
  { name: 'no answer', strike: { kind: 'lose' }, ms: 6_000 },
  { name: '403 for longer than a sweep waits', strike: answer(403), ms: 30_000 },
  { name: 'no answer for minutes', strike: { kind: 'lose' }, ms: 150_000 },
];

/** A process is told to end while a rotation is under way. */
export interface Drain {
  readonly when: string;
  readonly step: Step;
  readonly moment: Moment;
  /** Grants that are executed from then on. */
  readonly grants: number;
  /** Saves that the vault refuses from then on. */
  readonly refused: number;
}

const after: Moment = 'after_execution';

export const DRAINS: readonly Drain[] = [
  { when: 'before its grant is sent: none is', step: ANNOUNCE, moment: after, grants: 0, refused: 0 },
  {
    when: 'while its grant is answered: what comes is saved',
    step: GRANT,
    moment: after,
    grants: 1,
    refused: 0,
  },
  {
    when: 'while the vault refuses the save: it is saved in the end',
    step: SAVE,
    moment: 'before_forwarding',
    grants: 1,
    refused: 3,
  },
];
