import type { GrantAnswer } from '../../../lib/rotation/grant.ts';
import { LEASE_MS } from '../../../lib/rotation/timing.ts';
import { failure } from '../../unit/rotation/world/fakeVault.ts';
import { REFRESH_TOKEN } from '../../unit/rotation/world/scenario.ts';
import type { HookContext, World } from '../../unit/rotation/world.ts';
import { randomFrom } from './random.ts';
import { type Fault, type Schedule, TICK_MS } from './schedule.ts';
import type { Witness } from './witness.ts';

const LONGEST_LATENCY_MS = 40;
const LONGEST_GRANT_MS = 3_000;
const GRANT_DEADLINE_MS = 8_000;
/** A reader that was told of a failure does nothing with a late answer. */
const READS = /^(get|versions|read|list)/;
/** What a vault refuses while it is read-only. */
const VAULT_WRITES = [`put ${REFRESH_TOKEN}`, `tag ${REFRESH_TOKEN}`];

/** Brings the delays and faults of a schedule down on every operation in a world, and shows them to the witness. */
export class Disturbance {
  kills = 0;
  readonly #world: World;
  readonly #schedule: Schedule;
  readonly #witness: Witness;
  readonly #random: () => number;
  /** Faults that come after the execution, by the operation's `execute`. */
  readonly #pending = new Map<object, Fault>();
  #operations = 0;
  #over = false;

  constructor(world: World, schedule: Schedule, witness: Witness) {
    this.#world = world;
    this.#schedule = schedule;
    this.#witness = witness;
    this.#random = randomFrom(schedule.seed + 1);
    world.before(/./, (context) => this.#before(context), Number.POSITIVE_INFINITY);
    world.after(/./, (context) => this.#after(context), Number.POSITIVE_INFINITY);
  }

  /** No more faults; what was begun late still arrives. */
  end(): void {
    this.#over = true;
  }

  async #before(context: HookContext): Promise<void> {
    const fault = this.#over ? undefined : this.#schedule.faults.get(this.#operations++);
    await this.#wait(1 + this.#random() * LONGEST_LATENCY_MS);
    if (this.#isReadOnly(context)) throw failure('vault_unavailable');
    if (!fault) return;
    this.#pending.set(context.execute, fault);
    this.#beforeExecution(context, fault);
  }

  #beforeExecution(context: HookContext, { kind, ms }: Fault): void {
    const { operation, caller, execute } = context;
    if (kind === 'kill_before') this.#kill(context);
    if (kind === 'lost_request') throw noAnswer(operation);
    // Between the check of the lease and the send nobody can help: the design counts that apart.
    if (isGrant(operation)) return;
    if (kind === 'freeze_before') caller.freeze(ms);
    if (kind !== 'late_execution' || READS.test(operation)) return;
    void this.#wait(ms).then(() => quietly(execute));
    throw noAnswer(operation);
  }

  async #after(context: HookContext): Promise<void> {
    const { operation, caller, result, execute } = context;
    this.#witness.executed(operation);
    const sent = isGrant(operation) && this.#witness.sawGrant();
    const issued = sent ? this.#witness.granted(result as GrantAnswer, caller) : undefined;
    const fault = this.#pending.get(execute);
    try {
      await this.#wait(this.#random() * (sent ? LONGEST_GRANT_MS : LONGEST_LATENCY_MS));
      if (fault?.kind === 'kill_after') this.#kill(context);
      if (fault?.kind === 'freeze_after') caller.freeze(fault.ms);
      if (fault?.kind === 'freeze_after' && issued) issued.heldUp = fault.ms > LEASE_MS;
      if (fault?.kind === 'lost_answer') await this.#loseAnswer(operation);
      if (issued && caller.alive) issued.delivered = true;
    } finally {
      if (sent) this.#witness.grantEnded();
    }
  }

  async #loseAnswer(operation: string): Promise<never> {
    if (isGrant(operation)) await this.#wait(GRANT_DEADLINE_MS - LONGEST_GRANT_MS);
    throw noAnswer(operation);
  }

  #isReadOnly({ operation }: HookContext): boolean {
    const { readOnly } = this.#schedule;
    if (!readOnly || this.#over || !VAULT_WRITES.includes(operation)) return false;
    const tick = this.#world.clock.monotonic() / TICK_MS;
    return tick >= readOnly.from && tick < readOnly.from + readOnly.ticks;
  }

  #kill({ caller }: HookContext): void {
    caller.crash();
    this.kills += 1;
  }

  #wait(ms: number): Promise<void> {
    return this.#world.clock.sleep(Math.floor(ms));
  }
}

function isGrant(operation: string): boolean {
  return operation.startsWith('grant');
}

/** What the adapters make of a service that does not answer. */
function noAnswer(operation: string) {
  if (isGrant(operation)) return failure('provider_unavailable');
  return failure(/^(get|put|tag|versions)/.test(operation) ? 'vault_unavailable' : 'storage_unavailable');
}

/** Nobody hears how it ended: the caller was told long ago that it failed. */
function quietly(execute: () => unknown): void {
  try {
    execute();
  } catch {}
}
