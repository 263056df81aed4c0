import { expect, test } from 'vitest';
import { CREDENTIAL_VAULT } from '../../unit/rotation/world/connection.ts';
import { refusal } from '../../unit/rotation/world/provider.ts';
import { REFRESH_TOKEN, seeded } from '../../unit/rotation/world/scenario.ts';
import { Disturbance } from './disturbance.ts';
import { INTERVAL_MS, scheduleOf } from './schedule.ts';
import { Witness } from './witness.ts';

test.each([
  ['arrives late', undefined, 2],
  ['is refused if the vault has become read-only meanwhile', { from: 1, intervals: 10, lostMs: 0 }, 1],
])('a write whose execution is delayed %s', async (_, readOnly, versions) => {
  const scenario = seeded();
  const { world, process } = scenario;
  const faults = new Map([[0, { kind: 'late_execution', ms: 2 * INTERVAL_MS } as const]]);
  const schedule = { ...scheduleOf(1), faults, readOnly, slow: undefined };
  new Disturbance(scenario, schedule, new Witness(world, refusal('reauthorization_required')));
  const put = process.ports.vault(CREDENTIAL_VAULT).put(REFRESH_TOKEN, 'late', { tags: {} });
  await expect(world.settle(put)).rejects.toMatchObject({ code: 'vault_unavailable' });
  await world.clock.pass(3 * INTERVAL_MS);
  expect(world.credentials.history(REFRESH_TOKEN)).toHaveLength(versions);
});
