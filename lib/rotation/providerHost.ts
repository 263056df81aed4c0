import type { Connection, TokenBehavior } from './core/connection.ts';
import { isRepeatable, probePause } from './core/times.ts';
import type { TokenRequestFailure } from './core/tokenRequest.ts';
import type { Ports } from './ports.ts';

type Surroundings = Pick<Ports, 'clock' | 'log' | 'scheduleIntervalMs'>;

/** How many rotations of one process may be between their token request and its save, for one host. */
export interface HostBounds {
  /** At a host of which nothing is known yet. Each good response allows one more. */
  readonly first: number;
  readonly most: number;
  /** Of those that no other process can repeat: if this process is killed, their refresh tokens are lost. */
  readonly mostSingleUse: number;
}

/** @public the benchmark compares with as many */
export const HOST_BOUNDS: HostBounds = { first: 8, most: 64, mostSingleUse: 8 };

/** One rotation, until the refresh token that its host may issue is saved: a kill would lose it. */
export interface Flight {
  /** The token request has been out for `SLOW_MS` without a response. */
  slow(): void;
  /** There was a response, or there will be none. Without `failure`: it was granted. */
  responded(failure: TokenRequestFailure | undefined): void;
  /** The refresh token still waits for its vault: no news is expected soon. */
  late(): void;
  /** What was received is saved, or nothing was. Calling it again has no effect. */
  end(): void;
}

/**
 * The host of token endpoints as this process has seen it: how many token requests it may have in flight there. A host that
 * responds well is asked more and more at a time. At one that responds slowly, or fails for more than one connection, each request may
 * cost a refresh token: there, one connection at a time tries whether it responds well again, and the others wait.
 */
export class ProviderHost {
  readonly #ports: Surroundings;
  readonly #name: string;
  readonly #bounds: HostBounds;
  readonly #inFlight = new Set<Flying>();
  /** The connections whose token requests failed since the last good response. */
  readonly #failed = new Set<string>();
  #width: number;
  #isSlow = false;
  #probe: Flying | undefined;
  /** How often it failed since then, each row of simultaneous failures counted once. */
  #failures = 0;
  /** The next connection may try by then, by the machine's clock. */
  #probeAt = 0;
  #changed = Promise.withResolvers<void>();

  /** @param name host and port */
  constructor(name: string, ports: Surroundings, bounds: HostBounds = HOST_BOUNDS) {
    this.#name = name;
    this.#ports = ports;
    this.#bounds = bounds;
    this.#width = bounds.first;
  }

  /**
   * Which of the waiting connections, by name, may begin now? At a slow host one that has not failed, and whose request may be repeated,
   * if there is one. `wait`: a request in flight will tell, see {@link changed}; `later`: none will for a while.
   */
  next(waiting: ReadonlyMap<string, Connection>): Connection | 'wait' | 'later' {
    const flying = [...this.#inFlight];
    // A request that is repeated within its grace period must not wait until that is over.
    const repeated = flying.find(({ name }) => waiting.has(name));
    const found = this.#fitting(waiting.values()) ?? (repeated && waiting.get(repeated.name));
    return found ?? (flying.some(({ isLate }) => !isLate) ? 'wait' : 'later');
  }

  /** @param forced an operator wants to know: the request is sent although the host is slow */
  mayBegin(connection: Connection, forced = false): boolean {
    const isRepeated = [...this.#inFlight].some(({ name }) => name === connection.name);
    return isRepeated || this.#fitting([connection], forced) !== undefined;
  }

  /** The first that has room; all of thousands may be asked after each response, so what is the same for all is asked once. */
  #fitting(connections: Iterable<Connection>, forced = false): Connection | undefined {
    const flying = [...this.#inFlight];
    if (flying.length >= this.#width) return undefined;
    const tries = !this.#probe && this.#ports.clock.monotonic() >= this.#probeAt;
    if (!forced && this.#isSlow && !tries) return undefined;
    const singleUse = flying.filter(({ isRepeatable }) => !isRepeatable).length;
    const hasRoom = singleUse < this.#bounds.mostSingleUse;
    const asked = this.#isSlow
      ? [...connections].sort((one, other) => this.#cost(one) - this.#cost(other))
      : connections;
    for (const connection of asked) if (hasRoom || this.#isRepeatable(connection.behavior)) return connection;
    return undefined;
  }

  /** What a try at a slow host may cost: least if the request may be repeated, and did not fail already. */
  #cost({ name, behavior }: Connection): number {
    return (this.#failed.has(name) ? 2 : 0) + (this.#isRepeatable(behavior) ? 0 : 1);
  }

  #isRepeatable(behavior: TokenBehavior): boolean {
    return isRepeatable(behavior, this.#ports.scheduleIntervalMs);
  }

  /** Resolves when what `next` says may have changed. */
  get changed(): Promise<void> {
    return this.#changed.promise;
  }

  /** A connection begins to rotate; {@link next} or {@link mayBegin} has been asked. */
  begin({ name, behavior }: Connection): Flight {
    const flying: Flying = { name, isRepeatable: this.#isRepeatable(behavior), isLate: false };
    this.#inFlight.add(flying);
    if (this.#isSlow) this.#probe ??= flying;
    return {
      slow: () => this.#slowedDown(flying),
      late: () => this.#isLate(flying),
      responded: (failure) => this.#responded(flying, failure),
      end: () => this.#ended(flying),
    };
  }

  #slowedDown(flying: Flying): void {
    this.#slow('slow');
    this.#isLate(flying);
  }

  #isLate(flying: Flying): void {
    flying.isLate = true;
    this.#tell();
  }

  #responded(flying: Flying, failure: TokenRequestFailure | undefined): void {
    const verdict = verdictOn(failure);
    if (verdict === 'failed') this.#failedFor(flying);
    else if (verdict === 'good' && !flying.isLate) this.#recovered();
    this.#tell();
  }

  #failedFor(flying: Flying): void {
    this.#failed.add(flying.name);
    // One connection alone may be faulty, and must not hold up others.
    if (this.#failed.size < 2 && !this.#isSlow) return;
    if (!this.#isSlow || this.#probe === flying) {
      this.#failures += 1;
      this.#probeAt = this.#ports.clock.monotonic() + probePause(this.#failures);
    }
    this.#slow('fails');
  }

  #slow(how: string): void {
    if (!this.#isSlow) this.#ports.log('warn', 'provider_slow', { host: this.#name, how });
    this.#isSlow = true;
    this.#width = this.#bounds.first;
  }

  #recovered(): void {
    if (this.#isSlow) this.#ports.log('info', 'provider_responds_well', { host: this.#name });
    else this.#width = Math.min(this.#bounds.most, this.#width + 1);
    this.#isSlow = false;
    this.#probe = undefined;
    this.#failures = 0;
    this.#failed.clear();
  }

  #ended(flying: Flying): void {
    this.#inFlight.delete(flying);
    if (this.#probe === flying) this.#probe = undefined;
    this.#tell();
  }

  #tell(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }
}

interface Flying {
  readonly name: string;
  readonly isRepeatable: boolean;
  /** Nothing is expected of it soon. */
  isLate: boolean;
}

/** A host that refuses a token, a client or a request works. What was not sent at our own wish says nothing. */
function verdictOn(failure: TokenRequestFailure | undefined): 'good' | 'failed' | undefined {
  if (failure?.class === 'outcome_unknown') return 'failed';
  if (failure?.class !== 'retrying') return 'good';
  return failure.code === 'address_refused' ? undefined : 'failed';
}
