import { describe, expect, test } from 'vitest';
import { createRotator } from '../../../lib/rotator.ts';
import { connectionNamed, INVALID } from './world/connection.ts';
import { failure } from './world/fakeVault.ts';
import { refusal } from './world/provider.ts';
import { due, mustRotate, REFRESH_TOKEN, type Scenario, seeded } from './world/scenario.ts';

async function planOf({ world, process }: Scenario, name?: string) {
  world.invalid = [INVALID];
  const before = world.operations.length;
  const planned = await world.settle(createRotator(process.ports, world.now).plan(name));
  const begun = world.operations.slice(before);
  expect(
    begun.filter((operation) => !/^(get|read|list|renew)/.test(operation)),
    'a plan only reads',
  ).toEqual([]);
  return planned;
}

describe('the plan of the next sweep', () => {
  test('reconciles a connection without a record before its first refresh', async () => {
    expect((await planOf(seeded()))[0]).toMatchObject({
      connection: 'crm',
      action: 'reconcile',
      reason: 'version_changed',
    });
  });

  test('skips a fresh connection and says when it is due again', async () => {
    const scenario = seeded();
    await mustRotate(scenario);
    const [crm] = await planOf(scenario);
    expect(crm).toMatchObject({
      action: 'skip',
      reason: 'not_due',
      until: scenario.world.record('crm').nextAttemptAt,
    });
  });

  test('refreshes a connection that is due', async () => {
    expect((await planOf(await due()))[0]).toMatchObject({ action: 'refresh', reason: 'due' });
  });

  test('says that a rotation is running, and does not take its request for a lost one', async () => {
    const scenario = await due();
    const { world, process, connection } = scenario;
    const responds = Promise.withResolvers<void>();
    const asked = new Promise<void>((resolve) =>
      world.before('grant crm', async () => {
        resolve();
        await responds.promise;
      }),
    );
    const rotation = process.rotate(connection);
    await world.settle(asked);
    expect((await planOf(scenario))[0]).toEqual({
      connection: 'crm',
      action: 'wait',
      reason: 'in_progress',
      message: 'A rotation of this connection is running, or a command works on it.',
    });
    responds.resolve();
    expect(await world.settle(rotation)).toMatchObject({ result: 'rotated' });
    expect((await planOf(scenario))[0]).toMatchObject({ action: 'skip', reason: 'not_due' });
  });

  test('shows one connection only, whether it is used or not', async () => {
    const scenario = await due();
    scenario.world.connections.push(connectionNamed('other'));
    expect(await planOf(scenario, 'crm')).toMatchObject([{ connection: 'crm', action: 'refresh' }]);
    expect(await planOf(scenario, 'broken')).toMatchObject([{ connection: 'broken', reason: 'invalid' }]);
    await expect(planOf(scenario, 'CRM')).rejects.toMatchObject({
      code: 'connection_unknown',
      fix: 'Write crm: names are case-sensitive.',
    });
  });

  test('skips a blocked connection until something changes', async () => {
    const scenario = await due();
    scenario.world.provider.script(refusal('reauthorization_required'));
    await scenario.process.rotate(scenario.connection);
    await scenario.world.clock.pass(60_000);
    expect((await planOf(scenario))[0]).toMatchObject({ action: 'skip', reason: 'blocked' });
    scenario.world.credentials.set(REFRESH_TOKEN, scenario.world.provider.consent());
    expect((await planOf(scenario))[0]).toMatchObject({ action: 'reconcile', reason: 'version_changed' });
  });

  test('ignores paused and invalid connections, and continues after a connection whose vault fails', async () => {
    const scenario = await due();
    scenario.world.connections.push(connectionNamed('paused', { enabled: false }));
    scenario.world.connections.push(connectionNamed('other'));
    scenario.world.before('get crm-refresh-token', () => Promise.reject(failure('vault_unavailable')));
    expect(await planOf(scenario)).toMatchObject([
      {
        connection: 'crm',
        action: 'fail',
        reason: 'unreadable',
        message: 'The world reports vault_unavailable.',
      },
      { connection: 'other', action: 'block', reason: 'secret_unusable' },
      { connection: 'paused', action: 'ignore', reason: 'paused' },
      { connection: 'broken', action: 'ignore', reason: 'invalid', message: INVALID.problem.message },
    ]);
  });
});
