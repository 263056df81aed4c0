import type { Connection } from './core/connection.ts';
import type { RotationResult } from './core/outcome.ts';
import type { Ports } from './ports.ts';
import type { ProcessMemory } from './processMemory.ts';
import { Rotation } from './steps/rotation.ts';
import { giveBackWrites, reserveWrites } from './steps/writes.ts';

/** What is rotated, and for whom. */
export interface Order {
  readonly connection: Connection;
  /** Rotate although it is not due or is blocked. */
  readonly force: boolean;
  /** Whether the caller waits for a slow provider. A sweep does not: other connections are due. */
  readonly patient: boolean;
}

/**
 * Takes one connection through the rotation protocol (ARCHITECTURE.md), under its lease.
 * @returns how it ended; never throws
 */
export async function rotate(order: Order, ports: Ports, memory: ProcessMemory): Promise<RotationResult> {
  await reserveWrites(order.connection, ports.pacer);
  return rotateReserved(order, ports, memory);
}

/**
 * The same after `reserveWrites`.
 * @returns how it ended; never throws
 */
export async function rotateReserved(
  { connection, force, patient }: Order,
  ports: Ports,
  memory: ProcessMemory,
): Promise<RotationResult> {
  const { name } = connection;
  const goingOn = memory.goingOn(name);
  if (memory.draining || goingOn) {
    giveBackWrites(connection, ports.pacer);
    return { result: goingOn ?? 'draining', connection: name };
  }
  // A response or a save may take longer than the caller can wait: it is answered, and the rotation goes on.
  const early = Promise.withResolvers<RotationResult>();
  const goOn = (result: 'saving' | 'awaiting_response') => {
    memory.goesOn(early, { connection: name, result });
    early.resolve({ result, connection: name });
  };
  const flight = memory.hostOf(connection, ports).begin(connection);
  const onSlowResponse = () => {
    flight.slow();
    if (!patient) goOn('awaiting_response');
  };
  const call = {
    connection,
    force,
    flight,
    onSlowResponse,
    onSlowSave: () => goOn('saving'),
    onHandover: () => memory.ended(early),
  };
  const rotation = new Rotation(call, ports, memory).run().finally(() => {
    flight.end();
    memory.ended(early);
  });
  return Promise.race([memory.track(rotation), early.promise]);
}
