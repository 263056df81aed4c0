import type { Connection } from './core/connection.ts';
import type { RotationResult } from './core/outcome.ts';
import type { Ports } from './ports.ts';
import type { ProcessMemory } from './processMemory.ts';
import { Rotation } from './steps/rotation.ts';
import { giveBackWrites, reserveWrites } from './steps/writes.ts';

/** If so many refresh tokens wait for a vault, no more are requested for it: a kill would lose each of them. */
const MOST_WAITING_SAVES = 8;

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
  await reserveWrites(order.connection, ports.pacer, memory.kept);
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
  const refusal = notNow(connection, memory);
  if (refusal) {
    giveBackWrites(connection, ports.pacer, memory.kept);
    return refusal;
  }
  const { name } = connection;
  const { credential: vault } = connection.vaults;
  // A response or a save may take longer than the caller can wait: it is answered, and the rotation goes on.
  const early = Promise.withResolvers<RotationResult>();
  const goOn = (result: 'saving' | 'awaiting_response') => {
    memory.goesOn(early, { connection: name, vault, result });
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
    onSlowSave: () => {
      flight.late();
      goOn('saving');
    },
    onHandover: () => memory.ended(early),
  };
  const rotation = new Rotation(call, ports, memory).run().finally(() => {
    flight.end();
    memory.ended(early);
  });
  return Promise.race([memory.track(rotation), early.promise]);
}

/** Why this process begins no rotation of the connection now; undefined if it may. */
function notNow(
  { name, vaults: { credential } }: Connection,
  memory: ProcessMemory,
): RotationResult | undefined {
  const goingOn = memory.goingOn(name);
  if (goingOn) return { result: goingOn, connection: name };
  if (memory.waitingSaves(credential) >= MOST_WAITING_SAVES) {
    const problem = {
      code: 'vault_unavailable',
      message: `Nothing was sent for ${name}: ${credential} has not accepted the refresh tokens of several other connections yet.`,
      fix: 'See the log event refresh_token_save_waiting for the reason, and remove it. The rotation is tried again automatically.',
    } as const;
    return { result: 'retrying', connection: name, problem };
  }
  return memory.draining ? { result: 'draining', connection: name } : undefined;
}
