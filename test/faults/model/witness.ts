import type { GrantAnswer } from '../../../lib/rotation/grant.ts';
import { ACCESS_TOKEN, REFRESH_TOKEN } from '../../unit/rotation/world/scenario.ts';
import type { Caller, World } from '../../unit/rotation/world.ts';

/**
 * Why a refresh token that a provider issued never came into the vault, or came too late: its receiver stood still beyond its
 * lease, another process had to take it for lost, and a provider without grace answers the repetition by revoking all.
 */
export type LossCause = 'answer_lost' | 'killed_before_save' | 'receiver_frozen';

interface Issued {
  readonly refreshToken: string;
  readonly receiver: Caller;
  delivered: boolean;
  /** Its receiver was stopped for longer than its lease while the answer was on its way. */
  heldUp: boolean;
}

/** Sees everything that happens in a world, and knows what must never happen. */
export class Witness {
  readonly violations: string[] = [];
  grants = 0;
  overlaps = 0;
  readonly #world: World;
  readonly #issued: Issued[] = [];
  readonly #savedWith = new Map<string, string>();
  /** The values of refresh tokens that the vault took while somebody waited for it. */
  readonly #saved = new Set<string>();
  #inFlight = 0;

  constructor(world: World) {
    this.#world = world;
  }

  /** Has a grant reached the provider since the last that was counted? One that was not sent counts for nothing. */
  sawGrant(): boolean {
    return this.#world.provider.sent.length > this.grants;
  }

  /** The provider has answered; the answer is on its way. */
  granted(answer: GrantAnswer, receiver: Caller): Issued | undefined {
    this.grants += 1;
    this.#inFlight += 1;
    if (this.#inFlight > 1) this.overlaps += 1;
    const { refreshToken, accessToken } = answer;
    if (refreshToken === undefined) return undefined;
    if (accessToken) this.#savedWith.set(accessToken.value, refreshToken);
    const issued = { refreshToken, receiver, delivered: false, heldUp: false };
    this.#issued.push(issued);
    return issued;
  }

  /** The answer has arrived, or its caller has given up. */
  grantEnded(): void {
    this.#inFlight -= 1;
  }

  /** Invariant 5: the refresh token is saved before the access token is published. */
  executed(operation: string): void {
    if (operation === `put ${REFRESH_TOKEN}`)
      this.#saved.add(this.#world.credentials.latest(REFRESH_TOKEN)?.value ?? '');
    if (operation !== `put ${ACCESS_TOKEN}`) return;
    const refreshToken = this.#savedWith.get(this.#world.tokens.latest(ACCESS_TOKEN)?.value ?? '');
    if (refreshToken !== undefined && !this.#isSaved(refreshToken))
      this.violations.push('An access token was published before its refresh token was saved.');
  }

  /** What was lost, each with its cause; invariant 1: a received token is lost only with its process. */
  losses(): LossCause[] {
    for (const { delivered, receiver, refreshToken } of this.#issued) {
      if (delivered && receiver.alive && !this.#isSaved(refreshToken))
        this.violations.push(`${refreshToken} arrived and was never saved.`);
    }
    return this.#issued.flatMap((issued) => this.#causeOf(issued) ?? []);
  }

  /** Why the chain died: what became of the last refresh token that was issued; undefined where that one is well. */
  causeOfDeath(): LossCause | undefined {
    const last = this.#issued.at(-1);
    return last && this.#causeOf(last);
  }

  #causeOf({ refreshToken, delivered, heldUp }: Issued): LossCause | undefined {
    if (heldUp) return 'receiver_frozen';
    if (this.#isSaved(refreshToken)) return undefined;
    return delivered ? 'killed_before_save' : 'answer_lost';
  }

  /** A write that arrives after its process was killed does not count: others may have taken the token for lost by then. */
  #isSaved(refreshToken: string): boolean {
    return this.#saved.has(refreshToken);
  }
}
