import { type Problem, RotatorError } from '../errors.ts';
import type { EventFields, LogEvent, LogLevel } from '../log.ts';
import type { Connection } from './connection.ts';
import type { Lease } from './lease.ts';
import type { OutcomeContext } from './outcome.ts';
import type { Ports, SecretVault } from './ports.ts';
import type { ProcessState } from './processState.ts';
import type { ConnectionRecord } from './record.ts';

/** How a rotation ended. Logs, answers and `rotator rotate` show these names; docs/reference.md is written from this table. */
export const RESULTS = {
  rotated: 'A new access token is published.',
  not_due: 'The access token is still fresh enough; nothing was done.',
  cooldown: 'The last forced rotation was a moment ago; nothing was done.',
  in_progress: 'Another rotation of the connection holds the lease.',
  saving: 'The vault has not accepted the new refresh token yet. The process keeps trying to save it.',
  waiting: 'The outcome of a token request is unknown. A later rotation finds out or repeats the request.',
  blocked: 'An operator must act. The problem says what to do.',
  failed: 'The rotation failed. The rotator tries again automatically.',
  draining: 'The process is about to end and starts no rotation.',
} as const;

/** What a rotation came to. */
export interface RotationResult {
  readonly result: keyof typeof RESULTS;
  readonly connection: string;
  readonly reason?: string;
  readonly problem?: Problem;
  readonly generation?: number;
  /** When the published access token expires, milliseconds since the epoch. */
  readonly expiresAt?: number;
  /** When asking again makes sense, in milliseconds from now. */
  readonly retryAfterMs?: number;
}

/** One rotation of one connection under its lease. */
export interface Run {
  readonly connection: Connection;
  readonly force: boolean;
  readonly ports: Ports;
  readonly state: ProcessState;
  readonly lease: Lease;
  /** Versions of the refresh token that a look at the vault found to be of no use any more. */
  readonly superseded: Set<string>;
  /** Called when the refresh token still waits for its vault after the patience of the caller is over. */
  readonly onSlowSave: () => void;
}

export function credentialVault({ connection, ports }: Pick<Run, 'connection' | 'ports'>): SecretVault {
  return ports.vault(connection.vaults.credential);
}

export function outcomeContext({ connection, lease, ports }: Run): OutcomeContext {
  return { connection, now: lease.now(), tickMs: ports.tickMs };
}

/** Logs an event of the run's connection; `fields` are all its other fields. */
export function logRun<E extends LogEvent>(
  { connection, ports }: Run,
  level: LogLevel,
  event: E,
  fields: Omit<EventFields<E>, 'connection'>,
): void {
  ports.log(level, event, { connection: connection.name, ...fields } as EventFields<E>);
}

/** How long the service behind an error asked us to stay away. */
export function retryAfterOf(thrown: unknown): number {
  return thrown instanceof RotatorError ? (thrown.retryAfterMs ?? 0) : 0;
}

/** Stores a record with a failure and tells of it. */
export async function finish(
  run: Run,
  record: ConnectionRecord,
  result: RotationResult['result'],
): Promise<RotationResult> {
  await run.lease.write(record);
  const retryAfterMs = Math.max(0, Math.ceil(record.nextAttemptAt - run.lease.now()));
  return { result, connection: run.connection.name, ...problemIn(record), retryAfterMs };
}

/** The problem that a record tells of, where it tells of one. */
export function problemIn({ failure }: ConnectionRecord): { problem?: Problem } {
  return failure ? { problem: { code: failure.code, message: failure.message, fix: failure.fix } } : {};
}
