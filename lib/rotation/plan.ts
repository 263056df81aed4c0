import { problemOf } from '../errors.ts';
import type { Connection, Connections } from './core/connection.ts';
import type { Decision, Reason } from './core/decide.ts';
import { writtenElsewhere } from './core/ownership.ts';
import { newRecord } from './core/record.ts';
import type { Ports } from './ports.ts';
import { decideWithoutToken, decideWithToken } from './steps/gather.ts';

/** What the next sweep would do with one connection, and why. */
export interface Planned {
  readonly connection: string;
  /** As a decision of the protocol; `fail` where a vault or the record cannot be read, `ignore` where the entry keeps it out. */
  readonly action: Decision['action'] | 'fail' | 'ignore';
  readonly reason: Reason | 'paused' | 'invalid' | 'unreadable';
  /** One sentence. */
  readonly message: string;
  /** When it is looked at again where nothing is to be done now, milliseconds since the epoch. */
  readonly until?: number;
}

/**
 * Plays the decisions of the next sweep without taking a lease, writing or sending anything.
 * @throws RotatorError if the configuration or the list of records cannot be read
 */
export async function planSweep(ports: Ports): Promise<Planned[]> {
  const [connections, { now }] = await Promise.all([ports.connections(), ports.records.list()]);
  const enabled = connections.valid.filter(({ enabled }) => enabled);
  const planned = await Promise.all(enabled.map((connection) => planOne(connection, ports, now)));
  return [...planned, ...ignored(connections)];
}

async function planOne(connection: Connection, ports: Ports, now: number): Promise<Planned> {
  const { name } = connection;
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
      ...('until' in decision && { until: decision.until }),
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
