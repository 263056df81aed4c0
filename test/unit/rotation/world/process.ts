import { type AdaptivePacer, createWritePacer } from '../../../../lib/azure/writePacer.ts';
import { RotatorError } from '../../../../lib/errors.ts';
import type { Connection } from '../../../../lib/rotation/core/connection.ts';
import type { RotationResult } from '../../../../lib/rotation/core/outcome.ts';
import type { TokenEndpoint, TokenResponse } from '../../../../lib/rotation/core/tokenRequest.ts';
import type { Clock, Ports, RecordStore, SecretVault } from '../../../../lib/rotation/ports.ts';
import { ProcessMemory } from '../../../../lib/rotation/processMemory.ts';
import { RecordView } from '../../../../lib/rotation/recordView.ts';
import { rotate } from '../../../../lib/rotation/rotate.ts';
import { logInto } from '../../../support/logLines.ts';
import type { Operation, World } from '../world.ts';
import { CREDENTIAL_VAULT } from './connection.ts';
import type { FakeRecords } from './fakeRecords.ts';
import type { FakeVault } from './fakeVault.ts';
import { type Provider, refusal } from './provider.ts';

/** The default of the setting `VAULT_WRITES_PER_10_SECONDS`. */
export const WRITES_PER_10_SECONDS = 297;

/** One process of the rotator. After a crash, none of its calls ever returns. */
export class Process {
  readonly ports: Ports & { readonly pacer: AdaptivePacer };
  readonly state: ProcessMemory;
  readonly records: FakeRecords;
  readonly #world: World;
  readonly #crashed = Promise.withResolvers<'crashed'>();
  #dead = false;
  #frozenUntil = 0;

  /**
   * @param bootedAt the time of the machine's clock when the world began
   * @param records its deployment's record store
   */
  constructor(world: World, bootedAt: number, records = world.records) {
    this.#world = world;
    const { listAgeMs } = world;
    this.state = new ProcessMemory(listAgeMs === undefined ? undefined : new RecordView(() => listAgeMs));
    this.records = records;
    const clock: Clock = {
      monotonic: () => bootedAt + world.clock.monotonic(),
      sleep: (ms, signal) => this.#alive(world.clock.sleep(ms, signal)),
    };
    const [credentials, tokens] = [this.#vault(world.credentials), this.#vault(world.tokens)];
    this.ports = {
      vault: (url) => (url === CREDENTIAL_VAULT ? credentials : tokens),
      records: this.#records(records),
      tokenEndpoint: this.#tokenEndpoint(world.provider),
      revoke: (request) =>
        this.#call(`revoke ${request.connection.name}`, () => world.provider.revoke(request)),
      assertions: {
        read: (_, { kind, name }) => this.#call(`get ${kind} ${name}`, () => world.keys.get(name)),
        sign: (_, _id, { key }) => this.#call(`sign ${key.name}`, () => asserted(world, key.name)),
        federate: ({ name }) => this.#call(`federate ${name}`, () => asserted(world, 'federated')),
      },
      connections: async () => ({
        valid: world.connections,
        invalid: world.invalid,
        ...(world.stale && { stale: world.stale }),
      }),
      clock,
      pacer: createWritePacer(WRITES_PER_10_SECONDS, clock),
      log: logInto(world.log),
      scheduleIntervalMs: 10_000,
      nextSweep: (after) => (Math.floor(after / 10_000) + 1) * 10_000,
    };
  }

  get alive(): boolean {
    return !this.#dead;
  }

  get frozenUntil(): number {
    return this.#frozenUntil;
  }

  get frozen(): boolean {
    return this.#frozenUntil > this.#world.clock.monotonic();
  }

  /** For this long, the process receives nothing that it waits for: no response, and no end of a sleep. */
  freeze(ms: number): void {
    this.#frozenUntil = this.#world.clock.monotonic() + ms;
  }

  crash(): void {
    this.#dead = true;
    this.#crashed.resolve('crashed');
  }

  drain(): Promise<void> {
    return this.state.drain();
  }

  /** Rotates, and lets time pass until the rotation has ended or the process has crashed. */
  rotate(connection: Connection, force = false): Promise<RotationResult | 'crashed'> {
    return this.#world.settle(this.start(connection, force));
  }

  /** Begins to rotate; call `settle` or `clock.pass` to let time pass. */
  start(connection: Connection, force = false): Promise<RotationResult | 'crashed'> {
    const order = { connection, force, patient: true };
    return Promise.race([rotate(order, this.ports, this.state), this.#crashed.promise]);
  }

  async #call<T>(operation: Operation, execute: () => T, refusal?: () => T | undefined): Promise<T> {
    if (this.#dead) return new Promise<never>(() => {});
    return this.#alive(this.#world.perform(operation, execute, this, refusal));
  }

  /** Settles with the promise, but never if the process has crashed, and only after a freeze is over. */
  #alive<T>(promise: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      promise.then(
        (value) => this.#thawed(() => resolve(value)),
        (error) => this.#thawed(() => reject(error)),
      );
    });
  }

  #thawed(resume: () => void): void {
    const ms = this.#frozenUntil - this.#world.clock.monotonic();
    if (this.#dead) return;
    if (ms <= 0) resume();
    else void this.#world.clock.sleep(ms).then(() => this.#thawed(resume));
  }

  #vault(vault: FakeVault): SecretVault {
    /** The values that this process has written with `skipIdentical`, by name in lower case. */
    const written = new Map<string, { readonly value: string; readonly version: string }>();
    return {
      get: (name, version) => this.#call(`get ${name}`, () => vault.get(name, version)),
      put: async (name, value, properties) => {
        const { skipIdentical = false } = properties;
        const last = skipIdentical ? written.get(name.toLowerCase()) : undefined;
        const same = last?.value === value ? last.version : undefined;
        const stored = await this.#call(`put ${name}`, () => vault.put(name, value, properties, same));
        if (skipIdentical) written.set(name.toLowerCase(), { value, version: stored.version });
        return stored;
      },
      tag: (name, version, tags, expiresAt) =>
        this.#call(`tag ${name}`, () => vault.tag(name, version, tags, expiresAt)),
      disable: (name, version) => this.#call(`disable ${name}`, () => vault.disable(name, version)),
      enable: (name, version) => this.#call(`enable ${name}`, () => vault.enable(name, version)),
      versions: (name) => this.#call(`versions ${name}`, () => vault.versions(name)),
    };
  }

  #records(records: FakeRecords): RecordStore {
    return {
      host: records.host,
      list: () => this.#call('list records', () => records.list()),
      noteSweep: () => this.#call('note sweep', () => records.noteSweep()),
      read: (name) => this.#call(`read ${name}`, () => records.read(name)),
      create: (record) => this.#call(`create ${record.connection}`, () => records.create(record)),
      acquireLease: (name) => this.#call(`lease ${name}`, () => records.acquireLease(name)),
      renewLease: (name, id) => this.#call(`renew ${name}`, () => records.renewLease(name, id)),
      releaseLease: (name, id) => this.#call(`release ${name}`, () => records.releaseLease(name, id)),
      write: (record, id) => this.#call(`write ${record.connection}`, () => records.write(record, id)),
    };
  }

  #tokenEndpoint(provider: Provider): TokenEndpoint {
    return {
      send: (request, { mayStillSend, waitMs }) => {
        const execute = () => provider.grant(request);
        const response = this.#call<TokenResponse>(`grant ${request.connection.name}`, execute, () =>
          mayStillSend() ? undefined : refusal('retrying', { code: 'provider_unavailable' }),
        ).catch((thrown) => {
          // The token endpoint never throws: if a hook takes the response away, the outcome is unknown.
          if (!(thrown instanceof RotatorError)) throw thrown;
          const { code, retryAfterMs } = thrown;
          if (code === 'provider_unavailable') return refusal('outcome_unknown');
          if (code !== 'provider_throttled') throw thrown;
          return refusal('retrying', retryAfterMs === undefined ? {} : { retryAfterMs });
        });
        const responded = new AbortController();
        const pause = (ms: number) => this.#alive(this.#world.clock.sleep(ms, responded.signal));
        // The endpoint looks once more, so what arrived while the process was frozen counts.
        const timeIsOver = pause(waitMs).then(() => pause(0));
        const givenUp = timeIsOver.then(() => {
          if (!responded.signal.aborted) this.#world.onGivenUp(execute);
          return refusal('outcome_unknown');
        });
        return Promise.race([response, givenUp]).finally(() => responded.abort());
      },
    };
  }
}

function asserted({ asserted }: World, by: string): string {
  const assertion = `${by} ${asserted.length + 1}`;
  asserted.push(assertion);
  return assertion;
}
