import { problemOf, unknownConnection } from '../errors.ts';
import { type Connection, type Connections, findConnection } from './core/connection.ts';
import type { Decision, Reason } from './core/decide.ts';
import { writtenElsewhere } from './core/ownership.ts';
import { newRecord } from './core/record.ts';
import type { Ports, RecordList } from './ports.ts';
import { decideWithoutToken, decideWithToken } from './steps/gather.ts';

/** What the next sweep would do with one connection, and why. */
export interface Planned {
  readonly connection: string;
  /**
   * As a decision of the protocol; also `wait` while a rotation runs, `fail` if a vault or the record cannot be read, and `ignore` if
   * the entry keeps the connection out.
   */
  readonly action: Decision['action'] | 'fail' | 'ignore';
  readonly reason: Reason | 'in_progress' | 'paused' | 'invalid' | 'unreadable';
  /** One sentence. */
  readonly message: string;
  /** When it is looked at again where nothing is to be done now, milliseconds since the epoch. */
  readonly until?: number;
}

/**
 * Plays the decisions of the next sweep without taking a lease, writing or sending anything.
 * @param name of the only connection to look at; undefined: all
 * @throws RotatorError if the configuration or the list of records cannot be read, `connection_unknown`
 */
export async function planSweep(ports: Ports, name?: string): Promise<Planned[]> {
  const [connections, list] = await Promise.all([ports.connections(), ports.records.list()]);
  const { valid, invalid } = name === undefined ? connections : onlyOne(connections, name);
  const enabled = valid.filter(({ enabled }) => enabled);
  const planned = await Promise.all(enabled.map((connection) => planOne(connection, ports, list)));
  return [...planned, ...ignored({ valid, invalid })];
}

function onlyOne(connections: Connections, name: string): Connections {
  const found = findConnection(connections, name);
  if (found.kind === 'unknown') throw unknownConnection(name, found.otherCase);
  return found.kind === 'valid'
    ? { valid: [found.connection], invalid: [] }
    : { valid: [], invalid: [found.entry] };
}

const RUNNING = 'A rotation of this connection is running, or a command works on it.';

async function planOne(
  connection: Connection,
  ports: Ports,
  { now, leased }: Pick<RecordList, 'now' | 'leased'>,
): Promise<Planned> {
  const { name } = connection;
  if (leased.has(name)) return { connection: name, action: 'wait', reason: 'in_progress', message: RUNNING };
  try {
    const record = (await ports.records.read(name)) ?? newRecord(name);
    const problem = writtenElsewhere(connection, record);
    if (problem)
      return { connection: name, action: 'block', reason: 'owned_elsewhere', message: problem.message };
    const question = { connection, force: false, record, now: () => now };
    const decision = (await decideWithoutToken(question, ports)) ?? (await decideWithToken(question, ports));
    const { action, reason, message } = decision;
    return {
      connection: name,
      action,
      reason,
      message,
      ...('until' in decision && record.removedAt === undefined && { until: decision.until }),
    };
  } catch (thrown) {
    const { message } = problemOf(thrown);
    return { connection: name, action: 'fail', reason: 'unreadable', message };
  }
}

function ignored({ valid, invalid }: Connections): Planned[] {
  const paused = valid.filter(({ enabled }) => !enabled);
  return [
    ...paused.map(({ name }) => ({
      connection: name,
      action: 'ignore' as const,
      reason: 'paused' as const,
      message: 'It is paused by "enabled": false.',
    })),
    ...invalid.map(({ name, problem }) => ({
      connection: name,
      action: 'ignore' as const,
      reason: 'invalid' as const,
      message: problem.message,
    })),
  ];
}
