import type { TokenResponse } from '../../../lib/rotation/core/tokenRequest.ts';
import { ACCESS_TOKEN, REFRESH_TOKEN } from '../../unit/rotation/world/scenario.ts';
import type { Caller, World } from '../../unit/rotation/world.ts';
import { type Cause, causeOf, type Flight, isStray } from './flight.ts';
import { isRepeatAllowed, mayOverlap } from './law.ts';

/** With so much of its lease left, a process can surely write a record. */
const TIME_TO_WRITE_MS = 1_000;

/** Observes everything that happens in a world, and checks the invariants. */
export class Witness {
  readonly violations: string[] = [];
  tokenRequests = 0;
  /** How many token requests overlapped in a way that no process could know of. */
  strayOverlaps = 0;
  readonly #world: World;
  readonly #flights: Flight[] = [];
  readonly #inFlight = new Set<Flight>();
  /** By refresh token: the first of its token family, which an operator set. */
  readonly #roots = new Map<string, string>();
  /** By the first refresh token of a token family: why the provider revoked the family. */
  readonly #deaths = new Map<string, Cause | undefined>();
  /** By process: its last lease. */
  readonly #leases = new Map<Caller, string>();
  /** By refresh token: when a living process that held the lease received its refusal, by the world's clock. */
  readonly #heard = new Map<string, number>();
  /** The token requests whose refresh token the vault lost after it had acknowledged the save. */
  readonly #lostByVault = new Set<Flight>();
  readonly #savedWith = new Map<string, string>();
  /** The values of refresh tokens that the vault stored while their writer waited for the response. */
  readonly #saved = new Set<string>();

  /** Did a record forget which tokens were refused? */
  #isForgotten = false;
  /** The refusal of a token that is valid. */
  readonly #transient: TokenResponse;

  constructor(world: World, transient: TokenResponse) {
    this.#world = world;
    this.#transient = transient;
  }

  /** A process got a lease. */
  leased(caller: Caller, id: string): void {
    this.#leases.set(caller, id);
  }

  /** A process sends a token request. Invariant 2: never two at the same time, unless the provider allows it. */
  sends(sender: Caller, fault: Cause | undefined): Flight {
    const flight: Flight = {
      sender,
      sentAt: this.#world.clock.monotonic(),
      fault,
      sent: undefined,
      received: undefined,
      givenUp: false,
      deliveredAt: undefined,
    };
    for (const other of this.#inFlight) {
      if (!other.sender.alive || mayOverlap(this.#world, other.sentAt)) continue;
      if (isStray(flight) || isStray(other)) this.strayOverlaps += 1;
      else this.violations.push('Two token requests were in flight at the same time.');
    }
    this.#flights.push(flight);
    this.#inFlight.add(flight);
    return flight;
  }

  /** The provider has executed the request; the response is on its way. Invariant 3: no token is sent twice outside the rules. */
  executed(flight: Flight, response: TokenResponse): void {
    this.tokenRequests += 1;
    if (!this.#inFlight.has(flight)) this.strayOverlaps += this.#inFlight.size;
    flight.sent = this.#world.provider.sent.at(-1) ?? '';
    const before = this.#flights.filter((other) => other !== flight && other.sent === flight.sent);
    const [first] = before;
    // A token that expired, or whose family is revoked, is refused again, without any other effect. A lost record does not know of the first time.
    const isRefused = before.some((other) => other.deliveredAt !== undefined && other.received === undefined);
    const isDead = this.#isForgotten && this.#deaths.has(this.#rootOf(flight.sent));
    const isOver = isRefused && (isDead || this.#world.provider.isExpired(flight.sent));
    const mayHarm = first !== undefined && !isOver && this.#isInUse(this.#rootOf(flight.sent));
    const isUnknown = before.some((other) => this.#lostByVault.has(other));
    if (mayHarm && !isUnknown && !isStray(flight) && !isRepeatAllowed(this.#world, first.sentAt))
      this.violations.push('A process sent a refresh token again too early.');
    flight.received = response.refreshToken;
    if (response.refreshToken !== undefined) {
      this.#roots.set(response.refreshToken, this.#rootOf(flight.sent));
      if (response.accessToken) this.#savedWith.set(response.accessToken.value, response.refreshToken);
    }
    if (response !== this.#transient && response.failure?.class === 'reauthorization_required')
      this.#died(flight, before);
  }

  /** The response has arrived, or the sender has given up. */
  ended(flight: Flight, arrived: boolean): void {
    this.#inFlight.delete(flight);
    if (!arrived) return;
    const now = this.#world.clock.monotonic();
    flight.deliveredAt = now;
    const { sent = '', received, sender } = flight;
    // A refusal may come after the lease, and then only the next process can report it.
    const left = sender.records.leaseLeft('crm', this.#leases.get(sender) ?? '');
    const isRefused =
      this.#deaths.has(this.#rootOf(sent)) &&
      received === undefined &&
      !isStray(flight) &&
      left >= TIME_TO_WRITE_MS;
    if (isRefused && !this.#heard.has(sent)) this.#heard.set(sent, Math.max(now, sender.frozenUntil));
  }

  /** Invariant 5: the refresh token is saved before the access token is published. */
  wrote(operation: string): void {
    if (operation === `put ${REFRESH_TOKEN}`)
      this.#saved.add(this.#world.credentials.latest(REFRESH_TOKEN)?.value ?? '');
    if (operation !== `put ${ACCESS_TOKEN}`) return;
    const refreshToken = this.#savedWith.get(this.#world.tokens.latest(ACCESS_TOKEN)?.value ?? '');
    if (refreshToken !== undefined && !this.#isSaved(refreshToken))
      this.violations.push('A process published an access token before it saved the refresh token.');
  }

  /** A record was lost, or restored from a copy. */
  forgets(): void {
    this.#isForgotten = true;
  }

  /** The vault no longer has these refresh tokens, whose save it acknowledged. */
  lostByVault(refreshTokens: readonly string[]): void {
    for (const flight of this.#flights) {
      if (flight.received === undefined || !refreshTokens.includes(flight.received)) continue;
      this.#lostByVault.add(flight);
      flight.fault ??= 'lost_by_vault';
    }
  }

  /** A process has drained. It must have saved every refresh token that it received. */
  drained(process: Caller): void {
    const unsaved = this.#flights.filter(
      ({ sender, received }) => sender === process && this.#isLost(received),
    );
    if (unsaved.some(({ fault, deliveredAt }) => fault === undefined && deliveredAt !== undefined))
      this.violations.push('A process drained without saving a refresh token.');
  }

  /** One cause for each refresh token that is not in the vault. Invariant 1: a received one is lost only if its process is killed. */
  losses(): Cause[] {
    return this.#flights.flatMap((flight) => {
      if (!this.#isLost(flight.received)) return [];
      const arrived = flight.deliveredAt !== undefined && flight.sender.alive;
      const cause = arrived ? undefined : causeOf(flight);
      if (!cause)
        this.violations.push(
          `The refresh token ${flight.received} was never saved, and no fault explains it.`,
        );
      return cause ?? [];
    });
  }

  /** Why the provider revoked the family of a refresh token; undefined if it did not. */
  causeOfDeath(refreshToken: string): Cause | undefined {
    return this.#deaths.get(this.#rootOf(refreshToken));
  }

  /** Who sent this refresh token last, or else received it. */
  lastHolder(refreshToken: string): Caller | undefined {
    const holds = ({ sent, received }: Flight) => sent === refreshToken || received === refreshToken;
    return this.#flights.findLast(holds)?.sender;
  }

  /** Whether the vault stored it after its writer had given up. Then no record shows that it was ever missing. */
  cameLate(refreshToken: string): boolean {
    return this.#flights.some(({ received }) => received === refreshToken) && this.#isLost(refreshToken);
  }

  /** Since when a process could know that this refresh token is revoked, by the world's clock; undefined means never. */
  knownDeadSince(refreshToken: string): number | undefined {
    return this.#heard.get(refreshToken);
  }

  /**
   * The first refusal of a token family needs a cause: this token request was sent or executed too late, or the refresh token of
   * an earlier response is lost.
   */
  #died(flight: Flight, before: readonly Flight[]): void {
    const root = this.#rootOf(flight.sent ?? '');
    if (this.#deaths.has(root)) return;
    if (this.#world.provider.isExpired(flight.sent)) return void this.#deaths.set(root, 'expired');
    // A request that brought no refresh token has not used up the one that it sent. And if the successor of this one was saved, but the
    // vault lost it, then no other response was missing.
    const causes = before.filter(({ received }) => received !== undefined).map(causeOf);
    const isLostByVault = before.some((other) => this.#lostByVault.has(other));
    const cause = isLostByVault ? 'lost_by_vault' : causes.find((each) => each !== undefined);
    this.#deaths.set(root, isStray(flight) ? flight.fault : cause);
    if (!this.#deaths.get(root))
      this.violations.push('The provider revoked a token family, and no fault explains it.');
  }

  /** Whether the published access token belongs to this token family. The provider does not revoke those of other families. */
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

  /** A write that arrives after its process was killed does not count: other processes may already assume that the token is lost. */
  #isSaved(refreshToken: string): boolean {
    return this.#saved.has(refreshToken);
  }
}
