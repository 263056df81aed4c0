import type { TokenResponse } from '../../../lib/rotation/core/tokenRequest.ts';
import { ACCESS_TOKEN, REFRESH_TOKEN } from '../../unit/rotation/world/scenario.ts';
import type { Caller, World } from '../../unit/rotation/world.ts';
import { type Cause, causeOf, type Flight, isStray } from './flight.ts';
import { isLawfulRepetition } from './law.ts';

/** Sees everything that happens in a world, and knows what must never happen. */
export class Witness {
  readonly violations: string[] = [];
  grants = 0;
  /** Grants that were sent while another was in flight, and nobody could know better. */
  strayOverlaps = 0;
  readonly #world: World;
  readonly #flights: Flight[] = [];
  readonly #inFlight = new Set<Flight>();
  /** By refresh token: the first of its chain, which a person set. */
  readonly #roots = new Map<string, string>();
  /** By the root of a chain: why the provider revoked it. */
  readonly #deaths = new Map<string, Cause | undefined>();
  /** By refresh token: when a living process that had the lease heard that it is dead, by the world's clock. */
  readonly #heard = new Map<string, number>();
  readonly #savedWith = new Map<string, string>();
  /** The values of refresh tokens that the vault took while somebody waited for it. */
  readonly #saved = new Set<string>();

  constructor(world: World) {
    this.#world = world;
  }

  /** A grant leaves its sender. Invariant 2: never two at one time. */
  sends(sender: Caller, fault: Cause | undefined): Flight {
    const flight: Flight = { sender, fault, sent: undefined, received: undefined, deliveredAt: undefined };
    for (const other of this.#inFlight) {
      if (isStray(flight) || isStray(other)) this.strayOverlaps += 1;
      else this.violations.push('Two grants were in flight at one time.');
    }
    this.#flights.push(flight);
    this.#inFlight.add(flight);
    return flight;
  }

  /** The provider has executed it; the answer is on its way. Invariant 3: no token is sent twice outside the rules. */
  executed(flight: Flight, answer: TokenResponse): void {
    this.grants += 1;
    if (!this.#inFlight.has(flight)) this.strayOverlaps += this.#inFlight.size;
    flight.sent = this.#world.provider.sent.at(-1) ?? '';
    const before = this.#flights.filter((other) => other !== flight && other.sent === flight.sent);
    const mayHarm = before.length > 0 && this.#isInUse(this.#rootOf(flight.sent));
    if (mayHarm && !isStray(flight) && !isLawfulRepetition(this.#world))
      this.violations.push('A refresh token was sent again too early.');
    flight.received = answer.refreshToken;
    if (answer.refreshToken !== undefined) {
      this.#roots.set(answer.refreshToken, this.#rootOf(flight.sent));
      if (answer.accessToken) this.#savedWith.set(answer.accessToken.value, answer.refreshToken);
    }
    if (answer.failure?.class === 'reauthorization_required') this.#died(flight, before);
  }

  /** The answer has arrived, or its sender has given up. */
  ended(flight: Flight, arrived: boolean): void {
    this.#inFlight.delete(flight);
    if (!arrived) return;
    const now = this.#world.clock.monotonic();
    flight.deliveredAt = now;
    const { sent = '', received, sender } = flight;
    const isRefused = this.#deaths.has(this.#rootOf(sent)) && received === undefined && !isStray(flight);
    if (isRefused && !this.#heard.has(sent)) this.#heard.set(sent, Math.max(now, sender.frozenUntil));
  }

  /** Invariant 5: the refresh token is saved before the access token is published. */
  wrote(operation: string): void {
    if (operation === `put ${REFRESH_TOKEN}`)
      this.#saved.add(this.#world.credentials.latest(REFRESH_TOKEN)?.value ?? '');
    if (operation !== `put ${ACCESS_TOKEN}`) return;
    const refreshToken = this.#savedWith.get(this.#world.tokens.latest(ACCESS_TOKEN)?.value ?? '');
    if (refreshToken !== undefined && !this.#isSaved(refreshToken))
      this.violations.push('An access token was published before its refresh token was saved.');
  }

  /** A process that was told to end has ended: nothing that it received may be unsaved. */
  drained(process: Caller): void {
    const unsaved = this.#flights.filter(
      ({ sender, received }) => sender === process && this.#isLost(received),
    );
    if (unsaved.some(({ fault, deliveredAt }) => fault === undefined && deliveredAt !== undefined))
      this.violations.push('A process that drained took a refresh token with it.');
  }

  /** Why each refresh token that is not in the vault is not. Invariant 1: one that was received is lost only with its process. */
  losses(): Cause[] {
    return this.#flights.flatMap((flight) => {
      if (!this.#isLost(flight.received)) return [];
      const arrived = flight.deliveredAt !== undefined && flight.sender.alive;
      const cause = arrived ? undefined : causeOf(flight);
      if (!cause)
        this.violations.push(`${flight.received} was issued and never saved, and nothing explains it.`);
      return cause ?? [];
    });
  }

  /** Why the chain of a refresh token was revoked; undefined where it was not. */
  causeOfDeath(refreshToken: string): Cause | undefined {
    return this.#deaths.get(this.#rootOf(refreshToken));
  }

  /** Does the vault hold it although nobody waited for its write any more? Then no record tells that it was ever missed. */
  cameLate(refreshToken: string): boolean {
    return this.#flights.some(({ received }) => received === refreshToken) && this.#isLost(refreshToken);
  }

  /** Since when somebody could have told that this refresh token is dead, by the world's clock; undefined: never. */
  knownDeadSince(refreshToken: string): number | undefined {
    return this.#heard.get(refreshToken);
  }

  /** The first refusal of a chain needs a cause: this grant came at a time when none should, or what an earlier one brought is lost. */
  #died(flight: Flight, before: readonly Flight[]): void {
    const root = this.#rootOf(flight.sent ?? '');
    if (this.#deaths.has(root)) return;
    const cause = isStray(flight) ? flight.fault : before.map(causeOf).find((each) => each !== undefined);
    this.#deaths.set(root, cause);
    if (!cause) this.violations.push('The provider revoked a chain, and nothing explains it.');
  }

  /** Is the published access token one of this chain? One of another chain is not revoked with it. */
  #isInUse(root: string): boolean {
    const published = this.#world.tokens.latest(ACCESS_TOKEN)?.value ?? '';
    return this.#rootOf(this.#savedWith.get(published) ?? '') === root;
  }

  #rootOf(refreshToken: string): string {
    return this.#roots.get(refreshToken) ?? refreshToken;
  }

  #isLost(refreshToken: string | undefined): boolean {
    return refreshToken !== undefined && !this.#isSaved(refreshToken);
  }

  /** A write that arrives after its process was killed does not count: others may have taken the token for lost by then. */
  #isSaved(refreshToken: string): boolean {
    return this.#saved.has(refreshToken);
  }
}
