import type { Caller } from '../../unit/rotation/world.ts';

/**
 * Why a refresh token that a provider issued never came into the vault, came too late, or was revoked. Nobody can rule
 * these out; design, section 5.
 *
 * - `response_lost`: the answer never arrived
 * - `killed_before_response`, `killed_before_save`: the receiver was killed before the vault took the token
 * - `receiver_frozen`: the receiver stood still, others had to take the token for lost, and repeated the grant
 * - `frozen_before_send`: the sender stood still between its check of the lease and the send, and sent when others had gone on
 * - `late_execution`: the provider executed the request when its sender had given it up
 */
export type Cause =
  | 'response_lost'
  | 'killed_before_response'
  | 'killed_before_save'
  | 'receiver_frozen'
  | 'frozen_before_send'
  | 'late_execution';

/** One grant, from the send until its answer has arrived or its sender has given up. */
export interface Flight {
  readonly sender: Caller;
  /** What was brought down on it. */
  fault: Cause | undefined;
  /** The refresh token that was sent; undefined until the provider executed it. */
  sent: string | undefined;
  /** The refresh token that was issued for it. */
  received: string | undefined;
  /** When the answer arrived, by the world's clock in milliseconds. */
  deliveredAt: number | undefined;
}

/** Two grants at one time are nobody's fault where one of them was sent, or executed, later than its sender could know. */
export function isStray({ fault }: Flight): boolean {
  return fault === 'frozen_before_send' || fault === 'late_execution';
}

/**
 * Why what a grant brought did not come into the vault in time.
 * @returns undefined where nothing explains it: that is a defect of the protocol
 */
export function causeOf({ fault, sender, deliveredAt }: Flight): Cause | undefined {
  if (fault) return fault;
  if (deliveredAt === undefined) return undefined;
  if (!sender.alive) return 'killed_before_save';
  return sender.frozenUntil >= deliveredAt ? 'receiver_frozen' : undefined;
}
