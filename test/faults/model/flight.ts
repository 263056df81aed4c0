import type { Caller } from '../../unit/rotation/world.ts';

/**
 * Why the vault never received a refresh token that a provider issued, received it too late, or holds a revoked one. No
 * protocol can rule these causes out; design, section 5.
 *
 * - `response_lost`: the token response never arrived
 * - `killed_before_response`, `killed_before_save`: the receiver was killed before the vault stored the token
 * - `receiver_frozen`: the receiver was frozen, so other processes had to assume that the token was lost, and repeated the token request
 * - `frozen_before_send`: the sender was frozen between its check of the lease and the send, and sent after other processes had continued
 * - `lost_by_vault`: the vault acknowledged the save, and lost it when it failed over to another region
 * - `expired`: the refresh token reached its deadline
 * - `late_execution`: the provider executed the request after its sender had given up
 */
export type Cause =
  | 'response_lost'
  | 'killed_before_response'
  | 'killed_before_save'
  | 'receiver_frozen'
  | 'frozen_before_send'
  | 'lost_by_vault'
  | 'late_execution'
  | 'expired';

/** One token request, from the send until its response has arrived or its sender has given up. */
export interface Flight {
  readonly sender: Caller;
  /** By the world's clock in milliseconds. */
  readonly sentAt: number;
  /** The injected fault. */
  fault: Cause | undefined;
  /** The refresh token that was sent; undefined until the provider executed the request. */
  sent: string | undefined;
  /** The refresh token that the provider issued in return. */
  received: string | undefined;
  /** Does the sender wait no longer for the response? */
  givenUp: boolean;
  /** When the response arrived, by the world's clock in milliseconds. */
  deliveredAt: number | undefined;
}

/** Two overlapping token requests are unavoidable if one of them was sent, or executed, later than its sender could know. */
export function isStray({ fault }: Flight): boolean {
  return fault === 'frozen_before_send' || fault === 'late_execution';
}

/**
 * Why the vault did not receive the refresh token of a token response in time.
 * @returns undefined if no fault explains it: that is a defect of the protocol
 */
export function causeOf({ fault, sender, deliveredAt }: Flight): Cause | undefined {
  if (fault) return fault;
  if (deliveredAt === undefined) return sender.alive ? undefined : 'killed_before_response';
  if (!sender.alive) return 'killed_before_save';
  return sender.frozenUntil >= deliveredAt ? 'receiver_frozen' : undefined;
}
