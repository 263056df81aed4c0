import type { Problem } from '../../../lib/errors.ts';
import type { LogEvent } from '../../../lib/log.ts';
import type { Connection, InvalidConnection } from '../../../lib/rotation/core/connection.ts';
import type { ConnectionRecord } from '../../../lib/rotation/core/record.ts';
import { type LineOf, type LogLine, linesOf } from '../../support/logLines.ts';
import { FakeRecords } from './world/fakeRecords.ts';
import { FakeVault } from './world/fakeVault.ts';
import { Process } from './world/process.ts';
import { Provider } from './world/provider.ts';
import { VirtualClock } from './world/virtualClock.ts';

/** When the world begins by the service's clock. */
const BEGINNING = Date.parse('2026-01-01T00:00:00Z');

type Verb =
  | 'get'
  | 'put'
  | 'tag'
  | 'disable'
  | 'versions'
  | 'list'
  | 'read'
  | 'create'
  | 'lease'
  | 'renew'
  | 'release'
  | 'write'
  | 'grant'
  | 'take';

/** An operation as hooks and lists name it: what is done, and to which secret or connection: `put crm-refresh-token`. */
export type Operation = `${Verb} ${string}`;

/** What a hook may look at. */
export interface HookContext {
  readonly operation: Operation;
  readonly caller: Caller;
  /** What the operation gave; undefined before it. */
  readonly result: unknown;
  /** Does what the operation does, for a hook that lets it happen late. */
  readonly execute: () => unknown;
}

/** The process that asks, as hooks see it. */
export interface Caller {
  readonly alive: boolean;
  /** Until when it stands still, by the world's clock, in milliseconds; 0 where it never did. */
  readonly frozenUntil: number;
  crash(): void;
  freeze(ms: number): void;
  /** Starts no more grants; resolves when everything that it does has ended. */
  drain(): Promise<void>;
}

interface Hook {
  readonly matches: (operation: Operation) => boolean;
  readonly when: 'before' | 'between' | 'after';
  /** May throw, wait, crash the process, or give another result. */
  readonly act: (context: HookContext) => unknown;
  left: number;
}

/** Everything outside the protocol, in memory and without chance: as many processes as a test wants share it. */
export class World {
  readonly clock = new VirtualClock();
  /** The services' clock, in milliseconds; no machine's clock has anything to do with it. */
  readonly now = () => BEGINNING + this.clock.monotonic();
  readonly credentials = new FakeVault(this.now);
  readonly tokens = new FakeVault(this.now);
  readonly records = new FakeRecords(this.now);
  readonly provider = new Provider(this.now);
  readonly log: LogLine[] = [];
  /** Every operation that was begun. */
  readonly operations: Operation[] = [];
  /** What the configuration says. */
  connections: Connection[] = [];
  invalid: InvalidConnection[] = [];
  stale: Problem | undefined;
  #hooks: Hook[] = [];
  #processes = 0;

  /** Fails, delays or crashes an operation before it is executed; `times` is 1 unless told. */
  before(operation: Operation | RegExp, act: (context: HookContext) => unknown, times = 1): void {
    this.#hooks.push({ matches: matcher(operation), when: 'before', act, left: times });
  }

  /** The same for a grant that was cleared for sending, and is not sent yet: nothing checks the lease any more. */
  between(operation: RegExp, act: (context: HookContext) => unknown, times = 1): void {
    this.#hooks.push({ matches: matcher(operation), when: 'between', act, left: times });
  }

  /** The same when it was executed, and before its caller learns of it; what is returned replaces the result. */
  after(operation: Operation | RegExp, act: (context: HookContext) => unknown, times = 1): void {
    this.#hooks.push({ matches: matcher(operation), when: 'after', act, left: times });
  }

  /** Undoes all hooks. */
  calm(): void {
    this.#hooks = [];
  }

  /** A new process: it remembers nothing. */
  process(): Process {
    this.#processes += 1;
    return new Process(this, this.#processes * 1_000_000);
  }

  /** A person sets up a connection: consents, and stores the client secret and the first refresh token. */
  seed(connection: Connection): void {
    this.provider.graceMs = connection.behavior.refreshTokenGraceMs;
    for (const name of connection.secrets.clientSecrets) this.credentials.set(name, 'client-secret-one');
    this.credentials.set(connection.secrets.refreshToken, this.provider.consent());
  }

  settle<T>(promise: Promise<T>): Promise<T> {
    return this.clock.settle(promise);
  }

  /** How often operations like this were begun. */
  count(operation: RegExp): number {
    return this.operations.filter((each) => operation.test(each)).length;
  }

  events<E extends LogEvent>(event: E): LineOf<E>[] {
    return linesOf(this.log, event);
  }

  record(name: string): ConnectionRecord {
    const record = this.records.read(name);
    if (!record) throw new Error(`There is no record of ${name}.`);
    return record;
  }

  /** The values of secrets that stand in the log, in a record or in a tag. */
  leaks(): string[] {
    const stored = [...this.credentials.all(), ...this.tokens.all()];
    const shown = JSON.stringify([
      this.log,
      [...this.records.list().summaries.keys()].map((name) => this.records.read(name)),
      stored.map(({ tags }) => tags),
    ]);
    const secrets = new Set(stored.map(({ value }) => value).filter((value) => value.length > 8));
    return [...secrets].filter((value) => shown.includes(value));
  }

  /** @param refusal the caller's last word: what it answers itself instead of sending */
  async perform<T>(
    operation: Operation,
    execute: () => T,
    caller: Caller,
    refusal: () => T | undefined = () => undefined,
  ): Promise<T> {
    this.operations.push(operation);
    await this.#fire('before', { operation, caller, result: undefined, execute });
    if (!caller.alive) return new Promise<never>(() => {});
    const refused = refusal();
    if (refused !== undefined) return refused;
    await this.#fire('between', { operation, caller, result: undefined, execute });
    if (!caller.alive) return new Promise<never>(() => {});
    const result = execute();
    return ((await this.#fire('after', { operation, caller, result, execute })) ?? result) as T;
  }

  async #fire(when: Hook['when'], context: HookContext): Promise<unknown> {
    const fits = (each: Hook) => each.when === when && each.left > 0 && each.matches(context.operation);
    const hook = this.#hooks.find(fits);
    if (!hook) return undefined;
    hook.left -= 1;
    return hook.act(context);
  }
}

function matcher(operation: Operation | RegExp): Hook['matches'] {
  return typeof operation === 'string' ? (each) => each === operation : (each) => operation.test(each);
}
