import { isManaged } from '../../../lib/rotation/core/tags.ts';
import type { TokenResponse } from '../../../lib/rotation/core/tokenRequest.ts';
import { failure } from '../../unit/rotation/world/fakeVault.ts';
import { refusal } from '../../unit/rotation/world/provider.ts';
import {
  ACCESS_TOKEN,
  REFRESH_TOKEN,
  replaceByHand,
  type Scenario,
} from '../../unit/rotation/world/scenario.ts';
import type { Caller, HookContext, World } from '../../unit/rotation/world.ts';
import type { Flight } from './flight.ts';
import { randomFrom } from './random.ts';
import { type Fault, type FaultKind, INTERVAL_MS, type Schedule } from './schedule.ts';
import type { Witness } from './witness.ts';

const LONGEST_LATENCY_MS = 40;
const LONGEST_REQUEST_MS = 3_000;
/** A caller whose read failed ignores a late response. */
const READS = /^(get|versions|read|list)/;
/** The operations that a read-only vault refuses. */
const VAULT_WRITES = ['put', 'tag', 'disable'].map((verb) => `${verb} ${REFRESH_TOKEN}`);

/** Injects the delays and faults of a schedule into every operation in a world, and reports them to the witness. */
export class Disturbance {
  /** How often each kind of fault was injected. */
  readonly struck = new Map<FaultKind, number>();
  /** Versions of the access token that arrived after their writer had given up. */
  readonly lateWrites = new Set<string>();
  /** When the last fault stopped having an effect, or the last event happened, by the world's clock in milliseconds. */
  struckUntil = 0;
  readonly #scenario: Scenario;
  readonly #world: World;
  readonly #schedule: Schedule;
  readonly #witness: Witness;
  readonly #random: () => number;
  /** By the operation's `execute`: the fault to inject into it, and its token request if it is one. */
  readonly #pending = new Map<object, Fault>();
  readonly #flights = new Map<object, Flight>();
  #operations = 0;
  #over = false;

  constructor(scenario: Scenario, schedule: Schedule, witness: Witness) {
    this.#scenario = scenario;
    this.#world = scenario.world;
    this.#schedule = schedule;
    this.#witness = witness;
    this.#random = randomFrom(schedule.seed + 1);
    const always = Number.POSITIVE_INFINITY;
    this.#world.before(/./, (context) => this.#before(context), always);
    this.#world.between(/^grant/, (context) => this.#between(context), always);
    this.#world.after(/./, (context) => this.#after(context), always);
    this.#world.onGivenUp = (execute) => this.#givenUp(execute);
  }

  /** An event happens now. */
  happens(): void {
    this.struckUntil = Math.max(this.struckUntil, this.#world.clock.monotonic());
  }

  /** Injects no more faults. Delayed requests still arrive. */
  end(): void {
    this.#over = true;
  }

  async #before(context: HookContext): Promise<void> {
    const fault = this.#over ? undefined : this.#schedule.faults.get(this.#operations++);
    await this.#wait(1 + this.#random() * LONGEST_LATENCY_MS);
    if (this.#isReadOnly(context.operation)) throw failure('vault_unavailable');
    if (context.operation.startsWith('renew') && this.#slow?.renewed === false)
      throw failure('storage_unavailable');
    if (!fault) return;
    this.struck.set(fault.kind, (this.struck.get(fault.kind) ?? 0) + 1);
    this.struckUntil = Math.max(this.struckUntil, this.#world.clock.monotonic() + fault.ms);
    this.#pending.set(context.execute, fault);
    await this.#beforeExecution(context, fault);
  }

  async #beforeExecution({ operation, caller, execute }: HookContext, { kind, ms }: Fault): Promise<void> {
    if (kind === 'kill_before') caller.crash();
    if (kind === 'operator_replaces' && !this.#isTie()) replaceByHand(this.#scenario);
    if (kind === 'drain') void this.#drain(caller);
    if (kind === 'freeze_before') caller.freeze(ms);
    if (isTokenRequest(operation)) {
      // A frozen process sends its token request only when it continues; its other requests are already on their way.
      if (kind === 'freeze_before') await this.#wait(ms);
      return;
    }
    if (kind === 'lost_request') throw noResponse(operation);
    if (kind === 'throttled') throw noResponse(operation, ms);
    if (kind === 'conflict') throw failure(isVault(operation) ? 'vault_rejected' : 'storage_unavailable');
    if (kind !== 'late_execution' || READS.test(operation)) return;
    void this.#wait(ms).then(() => this.#executeLate(operation, execute));
    throw noResponse(operation);
  }

  /** The process has passed its last check before it sends the token request. */
  async #between({ operation, caller, execute }: HookContext): Promise<void> {
    const fault = this.#pending.get(execute);
    if (fault?.kind === 'freeze_between') {
      caller.freeze(fault.ms);
      await this.#wait(fault.ms);
    }
    const stray = fault?.kind === 'freeze_between' ? 'frozen_before_send' : undefined;
    const flight = this.#witness.sends(caller, fault?.kind === 'late_execution' ? 'late_execution' : stray);
    this.#flights.set(execute, flight);
    if (!fault || !['lost_request', 'late_execution', 'throttled'].includes(fault.kind)) return;
    if (fault.kind === 'late_execution')
      void this.#wait(fault.ms).then(() => this.#witness.executed(flight, execute() as TokenResponse));
    const throttled = fault.kind === 'throttled';
    await this.#wait(throttled ? LONGEST_LATENCY_MS : fault.ms);
    this.#witness.ended(flight, false);
    throw noResponse(operation, throttled ? fault.ms : undefined);
  }

  async #after(context: HookContext): Promise<unknown> {
    const { operation, caller, execute, result } = context;
    this.#witness.wrote(operation);
    if (isLease(result)) this.#witness.leased(caller, result.leaseId);
    const flight = this.#flights.get(execute);
    if (flight) this.#witness.executed(flight, result as TokenResponse);
    const fault = this.#pending.get(execute);
    try {
      await this.#respond(context, fault, flight);
    } catch (thrown) {
      if (flight) flight.fault ??= 'response_lost';
      throw thrown;
    } finally {
      if (flight) this.#land(flight);
    }
    return flight && fault?.kind === 'cut_off' ? cutOff(result as TokenResponse) : undefined;
  }

  async #respond({ operation, caller }: HookContext, fault: Fault | undefined, flight: Flight | undefined) {
    if (fault?.kind === 'failed_after') throw noResponse(operation);
    const usual = this.#random() * (flight ? LONGEST_REQUEST_MS : LONGEST_LATENCY_MS);
    await this.#wait(flight ? (this.#slow?.ms ?? usual) : usual);
    if (fault?.kind === 'kill_after') caller.crash();
    if (fault?.kind === 'freeze_after') caller.freeze(fault.ms);
    if (fault?.kind !== 'lost_response') return;
    if (flight) await this.#wait(fault.ms);
    throw noResponse(operation);
  }

  /** The sender of a token request waits no longer for the response. */
  #givenUp(execute: object): void {
    const flight = this.#flights.get(execute);
    if (!flight) return;
    flight.givenUp = true;
    flight.fault ??= 'response_lost';
    this.#witness.ended(flight, false);
  }

  #land(flight: Flight): void {
    const { sender } = flight;
    if (!sender.alive) flight.fault ??= 'killed_before_response';
    if (sender.frozenUntil > this.#world.clock.monotonic()) flight.fault ??= 'receiver_frozen';
    this.#witness.ended(flight, sender.alive && !flight.givenUp && flight.fault !== 'response_lost');
  }

  /** Of two tokens that an operator sets within one second, two deployments cannot agree which is the newer one. */
  #isTie(): boolean {
    const { createdAt, tags } = this.#world.credentials.latest(REFRESH_TOKEN) ?? {};
    const isOfThisSecond = createdAt !== undefined && this.#world.now() < createdAt + 1_000;
    return this.#schedule.twoStores && isOfThisSecond && !isManaged(tags ?? {});
  }

  async #drain(caller: Caller): Promise<void> {
    await caller.drain();
    if (!caller.alive) return;
    this.#witness.drained(caller);
    caller.crash();
  }

  #executeLate(operation: string, execute: () => unknown): void {
    // A vault that refuses writes also refuses those that were on their way when it failed over.
    if (this.#isReadOnly(operation)) return;
    quietly(execute);
    if (operation === `put ${ACCESS_TOKEN}`)
      this.lateWrites.add(this.#world.tokens.latest(ACCESS_TOKEN)?.version ?? '');
  }

  get #slow(): Schedule['slow'] {
    const { slow } = this.#schedule;
    const interval = this.#world.clock.monotonic() / INTERVAL_MS;
    const isNow = slow && !this.#over && interval >= slow.from && interval < slow.from + slow.intervals;
    return isNow ? slow : undefined;
  }

  #isReadOnly(operation: string): boolean {
    const { readOnly } = this.#schedule;
    if (!readOnly || this.#over || !VAULT_WRITES.includes(operation)) return false;
    const interval = this.#world.clock.monotonic() / INTERVAL_MS;
    return interval >= readOnly.from && interval < readOnly.from + readOnly.intervals;
  }

  #wait(ms: number): Promise<void> {
    return this.#world.clock.sleep(Math.floor(ms));
  }
}

function isTokenRequest(operation: string): boolean {
  return operation.startsWith('grant');
}

function isLease(result: unknown): result is { readonly leaseId: string } {
  return typeof result === 'object' && result !== null && 'leaseId' in result;
}

/** Only the refresh token has arrived, or nothing usable. */
function cutOff({ refreshToken }: TokenResponse): TokenResponse {
  return { ...(refreshToken !== undefined && { refreshToken }), ...refusal('outcome_unknown') };
}

function isVault(operation: string): boolean {
  return /^(get|put|tag|disable|versions)/.test(operation);
}

/** The failure that the adapters report for a service that does not respond, or asks for a delay (milliseconds). */
function noResponse(operation: string, retryAfterMs?: number) {
  if (isTokenRequest(operation))
    return failure(retryAfterMs ? 'provider_throttled' : 'provider_unavailable', retryAfterMs);
  return failure(isVault(operation) ? 'vault_unavailable' : 'storage_unavailable', retryAfterMs);
}

/** Drops the error: the caller received a failure long ago. */
function quietly(execute: () => unknown): void {
  try {
    execute();
  } catch {}
}
