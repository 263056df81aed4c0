import { expect } from 'vitest';
import type { Connection } from '../../../../lib/rotation/core/connection.ts';
import type { RotationResult } from '../../../../lib/rotation/core/outcome.ts';
import { isUnsentCopy, savedTags } from '../../../../lib/rotation/core/tags.ts';
import { World } from '../world.ts';
import { type ConnectionChanges, connectionNamed } from './connection.ts';
import type { Process } from './process.ts';

export const HOUR = 3_600_000;
export const REFRESH_TOKEN = 'crm-refresh-token';
export const ACCESS_TOKEN = 'crm-access-token';
export const CLIENT_SECRET = 'crm-client-secret';

/** A world with one connection, `crm`, and one process. */
export interface Scenario {
  readonly world: World;
  readonly connection: Connection;
  readonly process: Process;
}

/** An operator has set up everything, and nothing has been rotated yet. */
export function seeded(changes: ConnectionChanges = {}): Scenario {
  const world = new World();
  const connection = connectionNamed('crm', changes);
  world.connections = [connection];
  world.seed(connection);
  return { world, connection, process: world.process() };
}

/** The first rotation is over, and the second is due; operations and log lines are counted from zero. */
export async function due(changes: ConnectionChanges = {}): Promise<Scenario> {
  const scenario = seeded(changes);
  await mustRotate(scenario);
  await passToDue(scenario);
  scenario.world.operations.length = 0;
  scenario.world.log.length = 0;
  return scenario;
}

/** Lets time pass until the connection is due again, by a service that reports its time in whole seconds. */
export async function passToDue({ world }: Scenario): Promise<void> {
  const due = Math.ceil(world.record('crm').nextAttemptAt / 1000) * 1000;
  await world.clock.pass(Math.max(0, due - world.now()));
}

/** Rotates in the process, and expects success: the token family is alive. */
export async function mustRotate({ connection, process }: Pick<Scenario, 'connection' | 'process'>) {
  const result = await process.rotate(connection);
  expect(result).toMatchObject({ result: 'rotated' });
  return result as RotationResult;
}

/** What is always true: the vault has the valid end of the token family, the record matches it, and nothing leaked. */
export function expectHealthy({ world, connection }: Scenario): void {
  const latest = world.credentials.latest(REFRESH_TOKEN);
  const record = world.record('crm');
  expect(record).toMatchObject({ phase: { state: 'idle' }, version: latest?.version });
  expect(record).not.toHaveProperty('failure');
  if (connection.behavior.refreshTokenGraceMs === 0) expect(world.provider.accepts(latest?.value)).toBe(true);
  expect(world.tokens.latest(ACCESS_TOKEN)?.value).toMatch(/^access-token-/);
  expect(world.leaks()).toEqual([]);
}

/** The operator signs in again and sets the refresh token. @returns its value */
export function replaceByHand({ world }: Scenario): string {
  const value = world.provider.consent();
  world.credentials.set(REFRESH_TOKEN, value);
  return value;
}

/** Every older refresh token claims to be obtained with the latest one, by the rotator of `store`; the latest loses its own tags. */
export function forgeTags({ world: { credentials } }: Pick<Scenario, 'world'>, store: string): void {
  const versions = credentials.history(REFRESH_TOKEN);
  const latest = credentials.latest(REFRESH_TOKEN);
  // Without its tags, a late copy of a used token looks like a token that an operator has set, and nothing disproves it.
  if (!latest || isUnsentCopy(latest.tags)) return;
  for (const { version, createdAt } of versions) {
    // Within one second, nothing tells which is older.
    if (createdAt >= latest.createdAt) continue;
    const origin = { connection: 'crm', parent: latest.version, epoch: 999_999, generation: 1, store };
    credentials.tag(REFRESH_TOKEN, version, savedTags(origin, {}));
    credentials.enable(REFRESH_TOKEN, version);
  }
  credentials.tag(REFRESH_TOKEN, latest.version, {});
}
