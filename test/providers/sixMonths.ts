import type { ProviderProfile } from '../../lib/oauth/providers/index.ts';
import type { TokenRequest, TokenResponse } from '../../lib/rotation/core/tokenRequest.ts';
import { pick, randomFrom } from '../faults/model/random.ts';
import { failure } from '../unit/rotation/world/fakeVault.ts';
import type { Process } from '../unit/rotation/world/process.ts';
import { ACCESS_TOKEN, REFRESH_TOKEN, type Scenario, seeded } from '../unit/rotation/world/scenario.ts';
import type { HookContext } from '../unit/rotation/world.ts';
import { AuthorizationServer } from './authorizationServer.ts';
import { behaviorOf, DAY_MS, HOUR_MS, MINUTE_MS } from './classes.ts';
import { readResponse } from './readResponse.ts';

/** What happens to a token request, or to what follows it. */
const FAULTS = [
  /** The provider executes the request, and its response is lost. */
  'response_lost',
  /** The process is killed before the request leaves, before the save, after it, or after the publication. */
  'killed_before_request',
  'killed_before_save',
  'killed_after_save',
  'killed_after_publication',
  /** The vaults refuse writes for some time, from the moment in which the response is on its way. */
  'credential_vault_out',
  'token_vault_out',
  /** The provider returns 503, or 429, for some time. */
  'provider_down',
  'provider_throttles',
] as const;

type Fault = (typeof FAULTS)[number];
/** Those that last. */
type Outage = 'credential_vault_out' | 'token_vault_out' | 'provider_down' | 'provider_throttles';

/** A fault every three days, on average. */
const FAULT_EVERY_MS = 3 * DAY_MS;
const INTERVAL_MS = 10_000;
const SLOWEST_RESPONSE_MS = 3_000;
/** An operator signs in again so long after the rotator reported that it must be done. */
const SIGN_IN_MS = HOUR_MS;
/** Without a report for so long, the connection is stuck. */
const STUCK_MS = 2 * DAY_MS;

/** A sign-in gives an access token as well, and a crash hides when the last one was issued: some renewals come too early. */
const MOST_TOO_EARLY = 0.02;

/** The rotator looks at a few versions back. */
const NEWEST_VERSIONS = 32;

/** How a connection of one profile fared. */
export interface Outcome {
  readonly profile: string;
  /** Does the connection have a valid refresh token in the end, and was it never stuck? */
  readonly kept: boolean;
  readonly requests: number;
  /** How often the provider refused a used refresh token. Only a request whose response was lost may lead to it. */
  readonly reusesRefused: number;
  /** How many refresh tokens reached a documented end, and the rotator had announced it. */
  readonly deadlinesMet: number;
  /** How often a new sign-in was needed after a loss that no client can avoid. */
  readonly unavoidable: number;
  /** Refresh tokens, or token families, that were lost without a reason. */
  readonly lost: number;
  readonly violations: readonly string[];
}

/** Plays the months of a connection of this profile against its behavior class, with faults that depend only on the seed. */
export async function play(profile: ProviderProfile, days: number, seed: number): Promise<Outcome> {
  const months = new Months(profile, seed);
  await months.pass(days);
  return months.outcome();
}

class Months {
  readonly #profile: ProviderProfile;
  readonly #scenario: Scenario;
  readonly #server: AuthorizationServer;
  readonly #random: () => number;
  readonly #violations: string[] = [];
  #process: Process;
  #nextFaultAt = 0;
  #fault: Fault | undefined;
  /** Until when the vaults or the provider are out, by the world's clock. */
  readonly #outUntil: Record<Outage, number> = {
    credential_vault_out: 0,
    token_vault_out: 0,
    provider_down: 0,
    provider_throttles: 0,
  };
  /** The refresh token that the last executed request brought, and why it may be missing in the vault. */
  #last: { readonly refreshToken: string; excuse: Fault | undefined } | undefined;
  #signIns = 0;
  /** Has the rotator announced the end of the current refresh token? */
  #announced = false;
  #deadlinesMet = 0;
  #lost = 0;

  constructor(profile: ProviderProfile, seed: number) {
    const { rules, recorded } = behaviorOf(profile.id);
    this.#profile = profile;
    this.#random = randomFrom(seed);
    this.#scenario = seeded({ provider: profile.id, behavior: profile.behavior });
    const { world } = this.#scenario;
    this.#server = new AuthorizationServer(rules, recorded, world.now);
    world.provider.behave = (request) => this.#answer(request);
    this.#process = world.process();
    this.#signIn();
    this.#nextFault();
    const always = Number.POSITIVE_INFINITY;
    world.before(/^(grant|put)/, (context) => this.#before(context), always);
    world.after(/^(grant|put)/, (context) => this.#after(context), always);
  }

  async pass(days: number): Promise<void> {
    const { world, connection } = this.#scenario;
    const end = world.clock.monotonic() + days * DAY_MS;
    for (let fine = world.clock.monotonic(); world.clock.monotonic() < end; ) {
      const record = world.records.read('crm');
      const { blocked, code } = record?.failure ?? {};
      if (blocked && code === 'reauthorization_required') {
        this.#judgeLoss(world.credentials.latest(REFRESH_TOKEN)?.value ?? '');
        await world.clock.pass(SIGN_IN_MS);
        this.#signIn();
      }
      if (world.clock.monotonic() - fine > STUCK_MS) {
        this.#violations.push(`The connection is stuck: ${record?.failure?.message}`);
        return;
      }
      const untilDue = this.#untilSweep(record?.nextAttemptAt);
      if (!record?.failure) fine += untilDue;
      await world.clock.pass(untilDue);
      if (!this.#process.alive) this.#process = world.process();
      await this.#process.rotate(connection);
      if (!world.records.read('crm')?.failure) fine = world.clock.monotonic();
      this.#forget();
    }
  }

  outcome(): Outcome {
    const { world } = this.#scenario;
    const stored = world.credentials.latest(REFRESH_TOKEN)?.value;
    const isWaiting = world.record('crm').failure !== undefined;
    if (!isWaiting && !this.#server.accepts(stored))
      this.#violations.push('The stored refresh token is not valid.');
    const { reuse, overLimit, tooEarly } = this.#server.refused;
    if (tooEarly > MOST_TOO_EARLY * this.#server.requests)
      this.#violations.push(`The provider refused ${tooEarly} renewals that came too early.`);
    if (overLimit > 0)
      this.#violations.push(`The provider refused ${overLimit} requests over its daily limit.`);
    return {
      profile: this.#profile.id,
      kept: this.#violations.length === 0,
      requests: this.#server.requests,
      reusesRefused: reuse,
      deadlinesMet: this.#deadlinesMet,
      unavoidable: this.#signIns - 1 - this.#deadlinesMet - this.#lost,
      lost: this.#lost,
      violations: this.#violations,
    };
  }

  /** A sweep comes every 10 s. Nothing happens in those before the connection is due, or its process is at work. */
  #untilSweep(dueAt = 0): number {
    const now = this.#scenario.world.now();
    const at = Math.max(dueAt, now + 1);
    return Math.ceil(at / INTERVAL_MS) * INTERVAL_MS - now;
  }

  /** The operator sets the refresh token of a new sign-in. */
  #signIn(): void {
    this.#signIns += 1;
    this.#last = undefined;
    this.#scenario.world.credentials.set(REFRESH_TOKEN, this.#server.consent());
  }

  #nextFault(): void {
    const { clock } = this.#scenario.world;
    this.#nextFaultAt = clock.monotonic() + 2 * this.#random() * FAULT_EVERY_MS;
  }

  /** The rotator reports that the provider refuses the refresh token. Is there a reason? */
  #judgeLoss(stored: string): void {
    if (this.#server.hasEnded(stored)) {
      if (this.#announced) this.#deadlinesMet += 1;
      else this.#violations.push('The refresh token reached a deadline that the rotator had not announced.');
      this.#announced = false;
      return;
    }
    const isMissing = this.#last && !this.#isStored(this.#last.refreshToken);
    if (isMissing && this.#last?.excuse) return;
    this.#lost += 1;
    this.#violations.push('The token family is lost without a reason.');
  }

  #isStored(refreshToken: string): boolean {
    return this.#scenario.world.credentials
      .history(REFRESH_TOKEN)
      .some(({ value }) => value === refreshToken);
  }

  #answer(request: TokenRequest): TokenResponse {
    const { world } = this.#scenario;
    const now = world.clock.monotonic();
    if (now < this.#outUntil.provider_down) return this.#read(request, { status: 503, body: {} });
    if (now < this.#outUntil.provider_throttles) return this.#read(request, { status: 429, body: {} });
    // A request that is repeated uses up the reason why the response to an earlier one was lost.
    const { status, body, refreshToken } = this.#server.request(request.refreshToken);
    if (refreshToken !== undefined) {
      const isNew = refreshToken !== request.refreshToken;
      if (this.#last && !this.#last.excuse && isNew && !this.#isStored(this.#last.refreshToken)) {
        this.#lost += 1;
        this.#violations.push('A refresh token that had arrived was not saved.');
      }
      this.#last = isNew ? { refreshToken, excuse: undefined } : undefined;
    }
    return this.#read(request, { status, body });
  }

  #read({ connection }: TokenRequest, answer: { status: number; body: object }): TokenResponse {
    return readResponse(connection, answer, this.#scenario.world.now());
  }

  async #before({ operation, caller }: HookContext): Promise<void> {
    const { clock } = this.#scenario.world;
    const now = clock.monotonic();
    if (operation.startsWith('grant')) {
      if (now >= this.#nextFaultAt) {
        this.#fault = pick(this.#random, FAULTS);
        this.#nextFault();
      }
      if (this.#strikes('killed_before_request')) caller.crash();
      if (this.#strikes('provider_down')) this.#goesOut('provider_down');
      if (this.#strikes('provider_throttles')) this.#goesOut('provider_throttles');
      await clock.sleep(Math.floor(this.#random() * SLOWEST_RESPONSE_MS));
      return;
    }
    const isCredential = operation === `put ${REFRESH_TOKEN}`;
    if (isCredential && now < this.#outUntil.credential_vault_out) throw failure('vault_unavailable');
    if (operation === `put ${ACCESS_TOKEN}` && now < this.#outUntil.token_vault_out)
      throw failure('vault_unavailable');
  }

  #after({ operation, caller, result }: HookContext): void {
    if (operation.startsWith('grant')) {
      const isExecuted = (result as TokenResponse).accessToken !== undefined;
      if (!isExecuted) return;
      if (this.#strikes('response_lost')) {
        if (this.#last) this.#last.excuse = 'response_lost';
        throw failure('provider_unavailable');
      }
      if (this.#strikes('killed_before_save')) {
        if (this.#last) this.#last.excuse = 'killed_before_save';
        caller.crash();
      }
      if (this.#strikes('credential_vault_out')) this.#goesOut('credential_vault_out');
      if (this.#strikes('token_vault_out')) this.#goesOut('token_vault_out');
    }
    if (operation === `put ${REFRESH_TOKEN}` && this.#strikes('killed_after_save')) caller.crash();
    if (operation === `put ${ACCESS_TOKEN}` && this.#strikes('killed_after_publication')) caller.crash();
  }

  /** Is it time for this fault? It happens once. */
  #strikes(fault: Fault): boolean {
    if (this.#fault !== fault) return false;
    this.#fault = undefined;
    return true;
  }

  #goesOut(what: Outage): void {
    this.#outUntil[what] = this.#scenario.world.clock.monotonic() + 5 * MINUTE_MS + this.#random() * HOUR_MS;
  }

  /** Six months of everything would not fit into the memory. */
  #forget(): void {
    const { world } = this.#scenario;
    this.#announced ||= world.log.some(({ event }) => event === 'credential_expiring');
    world.log.length = 0;
    world.operations.length = 0;
    world.provider.sent.length = 0;
    if (this.#server.requests % NEWEST_VERSIONS !== 0) return;
    for (const vault of [world.credentials, world.tokens]) vault.forget(NEWEST_VERSIONS);
  }
}
