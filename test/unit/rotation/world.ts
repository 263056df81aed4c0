import type { LogEvent } from '../../../lib/log.ts';
import type { Connection, InvalidConnection, LastingProblem } from '../../../lib/rotation/core/connection.ts';
import type { ConnectionRecord } from '../../../lib/rotation/core/record.ts';
import type { VaultKey } from '../../../lib/rotation/ports.ts';
import { type LineOf, type LogLine, linesOf } from '../../support/logLines.ts';
import { OTHER_STORE } from './world/connection.ts';
import { FakeRecords } from './world/fakeRecords.ts';
import { FakeVault } from './world/fakeVault.ts';
import { Process } from './world/process.ts';
import { Provider } from './world/provider.ts';
import { VirtualClock } from './world/virtualClock.ts';

/** The time of the services' clock when the world begins. */
const BEGINNING = Date.parse('2026-01-01T00:00:00Z');

type Verb =
  | 'get'
  | 'put'
  | 'tag'
  | 'disable'
  | 'enable'
  | 'revoke'
  | 'versions'
  | 'list'
  | 'note'
  | 'read'
  | 'create'
  | 'lease'
  | 'renew'
  | 'release'
  | 'write'
  | 'grant'
  | 'sign'
  | 'federate'
  | 'take';

/** An operation as hooks and lists name it, with its secret or connection: `put crm-refresh-token`. */
export type Operation = `${Verb} ${string}`;

/** What a hook can read. */
export interface HookContext {
  readonly operation: Operation;
  readonly caller: Caller;
  /** The result of the operation; undefined before it is executed. */
  readonly result: unknown;
  /** Executes the operation, for a hook that delays it. */
  readonly execute: () => unknown;
}

/** The process that calls the operation, as hooks see it. */
export interface Caller {
  readonly alive: boolean;
  /** The record store of its deployment. */
  readonly records: FakeRecords;
  /** When it thaws, by the world's clock in milliseconds; 0 if it was never frozen. */
  readonly frozenUntil: number;
  crash(): void;
  freeze(ms: number): void;
  /** Starts no further token requests; resolves when all its work has ended. */
  drain(): Promise<void>;
}

interface Hook {
  readonly matches: (operation: Operation) => boolean;
  readonly when: 'before' | 'between' | 'after';
  /** May throw, wait, crash the process, or return another result. */
  readonly act: (context: HookContext) => unknown;
  left: number;
}

/** Everything outside the protocol, in memory and deterministic. Any number of processes can share it. */
export class World {
  readonly clock = new VirtualClock();
  /** The services' clock, in milliseconds; it is independent of the machine's clock. */
  readonly now = () => BEGINNING + this.clock.monotonic();
  /** For how long the sweeps of a process use one list of the records, in milliseconds; undefined: as the protocol decides. */
  listAgeMs: number | undefined;
  readonly credentials = new FakeVault(this.now);
  readonly tokens = new FakeVault(this.now);
  readonly records = new FakeRecords(this.now);
  /** The record store of another deployment that has the same vaults and connections. */
  readonly otherRecords = new FakeRecords(this.now, OTHER_STORE);
  readonly provider = new Provider(this.now);
  /** The keys of the credential vault, by name. */
  readonly keys = new Map<string, VaultKey>();
  /** The assertions that were made, in order: each is the name of its key, or of the method, with a number. */
  readonly asserted: string[] = [];
  readonly log: LogLine[] = [];
  /** Every operation that has begun. */
  readonly operations: Operation[] = [];
  /** The connections of the configuration. */
  connections: Connection[] = [];
  invalid: InvalidConnection[] = [];
  stale: LastingProblem | undefined;
  /** Called with the `execute` of a token request when its sender waits no longer for the response. */
  onGivenUp: (execute: object) => void = () => undefined;
  #hooks: Hook[] = [];
  #processes = 0;

  /** Runs `act` before the next `times` matching operations are executed: it may fail or delay them, or crash the process. */
  before(operation: Operation | RegExp, act: (context: HookContext) => unknown, times = 1): void {
    this.#hooks.push({ matches: matcher(operation), when: 'before', act, left: times });
  }

  /** Runs `act` after the last check of the lease and before the token request is sent. */
  between(operation: RegExp, act: (context: HookContext) => unknown, times = 1): void {
    this.#hooks.push({ matches: matcher(operation), when: 'between', act, left: times });
  }

  /** Runs `act` after an operation is executed and before its caller gets the result; a value that it returns replaces the result. */
  after(operation: Operation | RegExp, act: (context: HookContext) => unknown, times = 1): void {
    this.#hooks.push({ matches: matcher(operation), when: 'after', act, left: times });
  }

  /** Removes all hooks. */
  calm(): void {
    this.#hooks = [];
  }

  /** A new process, without any memory, of the deployment that has these records. */
  process(records = this.records): Process {
    this.#processes += 1;
    return new Process(this, this.#processes * 1_000_000, records);
  }

  /** Sets up a connection as an operator does: consents, and stores the client secret and the first refresh token. */
  seed(connection: Connection): void {
    this.provider.graceMs = connection.behavior.refreshTokenGraceMs;
    for (const name of connection.secrets.clientSecrets) this.credentials.set(name, 'client-secret-one');
    this.credentials.set(connection.secrets.refreshToken, this.provider.consent());
  }

  settle<T>(promise: Promise<T>): Promise<T> {
    return this.clock.settle(promise);
  }

  /** The number of operations that match and have begun. */
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

  /** The values of secrets that appear in the log, in a record or in a tag. */
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

  /** @param refusal the caller's last check: returns the response to use if it does not send */
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
