import { ANNOUNCE, GRANT, SAVE, type Step } from './cases.ts';
import type { Moment, Strike } from './faultProxy.ts';

/** How the credential vault responds to writes after the provider executed the token request. */
export interface Outage {
  readonly name: string;
  readonly strike: Strike;
  readonly ms: number;
}

const respond = (status: number, headers: Record<string, string> = {}): Strike => ({
  kind: 'answer',
  status,
  headers,
});

export const OUTAGES: readonly Outage[] = [
  { name: '429 with Retry-After', strike: respond(429, { 'retry-after': '2' }), ms: 6_000 },
  { name: '503', strike: respond(503), ms: 6_000 },
  { name: '403 because the permission to write was removed', strike: respond(403), ms: 6_000 },
  { name: '409', strike: respond(409), ms: 6_000 },
  { name: 'no response', strike: { kind: 'lose' }, ms: 6_000 },
  { name: '403 for longer than a sweep waits', strike: respond(403), ms: 30_000 },
  { name: 'no response for minutes', strike: { kind: 'lose' }, ms: 150_000 },
];

/** A process gets the signal to end during a rotation. */
export interface Drain {
  readonly when: string;
  readonly step: Step;
  readonly moment: Moment;
  /** How many token requests the provider executes from then on. */
  readonly tokenRequests: number;
  /** How many saves the vault refuses from then on. */
  readonly refused: number;
  /** How long the proxy delays the request during which the process gets the signal, in milliseconds. */
  readonly heldMs: number;
}

const after: Moment = 'after_execution';

export const DRAINS: readonly Drain[] = [
  {
    when: 'before it sends the token request: sends none',
    step: ANNOUNCE,
    moment: after,
    tokenRequests: 0,
    refused: 0,
    heldMs: 1_500,
  },
  {
    when: 'while the token response arrives: saves the refresh token',
    step: GRANT,
    moment: after,
    tokenRequests: 1,
    refused: 0,
    heldMs: 1_500,
  },
  {
    when: 'while a slow provider takes 20 s for the token response: saves the refresh token',
    step: GRANT,
    moment: after,
    tokenRequests: 1,
    refused: 0,
    heldMs: 20_000,
  },
  {
    when: 'while the vault refuses the save: saves the refresh token in the end',
    step: SAVE,
    moment: 'before_forwarding',
    tokenRequests: 1,
    refused: 3,
    heldMs: 1_500,
  },
];
