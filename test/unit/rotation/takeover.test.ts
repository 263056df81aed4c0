import { describe, expect, test } from 'vitest';
import { tagsTakenOver, withIntent } from '../../../lib/rotation/core/tags.ts';
import { createRotator } from '../../../lib/rotator.ts';
import { STORE } from './world/connection.ts';
import { failure } from './world/fakeVault.ts';
import {
  ACCESS_TOKEN,
  due,
  expectHealthy,
  mustRotate,
  REFRESH_TOKEN,
  type Scenario,
} from './world/scenario.ts';

const OTHER = 'other.blob.example';

/** A connection that a rotator with another record store used last; this rotator has no record of it. */
async function foreign(): Promise<Scenario> {
  const scenario = await due();
  const { world } = scenario;
  const latest = world.credentials.latest(REFRESH_TOKEN);
  world.credentials.tag(REFRESH_TOKEN, latest?.version ?? '', { ...latest?.tags, store: OTHER });
  world.records.lose('crm');
  return scenario;
}

function rotatorOf({ world, process }: Scenario) {
  return createRotator(process.ports, world.now);
}

describe('taking over a connection of another record store', () => {
  test('names the owner, and afterwards rotates the connection like any other', async () => {
    const scenario = await foreign();
    const { world, process, connection } = scenario;
    const rotator = rotatorOf(scenario);
    expect(await process.rotate(connection)).toMatchObject({
      result: 'blocked',
      problem: { code: 'owned_elsewhere' },
    });
    expect(await rotator.owner('crm')).toEqual({ by: 'record_store', owner: OTHER, own: STORE });
    const versions = world.credentials.history(REFRESH_TOKEN).length;
    await world.settle(rotator.takeOver('crm', OTHER));
    expect(world.credentials.history(REFRESH_TOKEN)).toHaveLength(versions);
    expect(await rotator.owner('crm')).toEqual({ by: 'record_store', owner: undefined, own: STORE });
    expect(world.record('crm')).toMatchObject({ nextAttemptAt: 0 });
    expect(await mustRotate(scenario)).toMatchObject({ generation: 2 });
    expectHealthy(scenario);
  });

  test('does not repeat too early a token request that the other rotator may have in flight', async () => {
    const scenario = await foreign();
    const { world, process, connection } = scenario;
    const latest = world.credentials.latest(REFRESH_TOKEN);
    const intent = { startedAt: world.now(), epoch: 2, store: OTHER };
    world.credentials.tag(REFRESH_TOKEN, latest?.version ?? '', withIntent(latest?.tags ?? {}, intent));
    await world.settle(rotatorOf(scenario).takeOver('crm', OTHER));
    expect(await process.rotate(connection)).toMatchObject({ result: 'outcome_unknown' });
    expect(world.provider.sent).toHaveLength(1);
  });

  test('does not repeat it too early either if the other rotator had taken over from this one', async () => {
    const scenario = await due();
    const { world, process, connection } = scenario;
    const latest = world.credentials.latest(REFRESH_TOKEN);
    const intent = { startedAt: world.now(), epoch: 1, store: OTHER };
    const tags = withIntent({ ...latest?.tags, store: OTHER }, intent);
    world.credentials.tag(REFRESH_TOKEN, latest?.version ?? '', tags);
    await world.settle(rotatorOf(scenario).takeOver('crm', OTHER));
    expect(await process.rotate(connection)).toMatchObject({ result: 'outcome_unknown' });
    expect(world.provider.sent).toHaveLength(1);
  });

  test('can be repeated after a failure in the middle', async () => {
    const scenario = await foreign();
    const { world, process, connection } = scenario;
    const latest = world.credentials.latest(REFRESH_TOKEN);
    const intent = { startedAt: world.now(), epoch: 2, store: OTHER };
    world.credentials.tag(REFRESH_TOKEN, latest?.version ?? '', withIntent(latest?.tags ?? {}, intent));
    world.before(`get ${ACCESS_TOKEN}`, () => Promise.reject(failure('vault_forbidden')));
    const rotator = rotatorOf(scenario);
    const code = 'vault_forbidden';
    await expect(world.settle(rotator.takeOver('crm', OTHER))).rejects.toMatchObject({ code });
    await world.settle(rotator.takeOver('crm', OTHER));
    expect(await process.rotate(connection)).toMatchObject({ result: 'outcome_unknown' });
  });

  test('leaves a refresh token alone if its owner has changed', async () => {
    const scenario = await foreign();
    const { world } = scenario;
    const tags = world.credentials.latest(REFRESH_TOKEN)?.tags;
    await expect(
      world.settle(rotatorOf(scenario).takeOver('crm', 'third.blob.example')),
    ).rejects.toMatchObject({
      code: 'owned_elsewhere',
    });
    expect(world.credentials.latest(REFRESH_TOKEN)?.tags).toEqual(tags);
  });

  test('changes nothing while another rotation runs', async () => {
    const scenario = await foreign();
    const { world, process, connection } = scenario;
    await process.rotate(connection);
    world.records.acquireLease('crm');
    await expect(world.settle(rotatorOf(scenario).takeOver('crm', OTHER))).rejects.toMatchObject({
      code: 'in_progress',
    });
    expect(world.credentials.latest(REFRESH_TOKEN)?.tags).toMatchObject({ store: OTHER });
  });

  test('changes nothing if the process has lost its lease', async () => {
    const scenario = await foreign();
    const { world } = scenario;
    world.after(`get ${REFRESH_TOKEN}`, ({ caller }) => caller.freeze(60_000));
    await expect(world.settle(rotatorOf(scenario).takeOver('crm', OTHER))).rejects.toMatchObject({
      code: 'in_progress',
    });
    expect(world.credentials.latest(REFRESH_TOKEN)?.tags).toMatchObject({ store: OTHER });
  });

  test("changes only the tags that name a store, and does not mark an operator's version as managed", () => {
    expect(tagsTakenOver({ mine: 'yes' }, STORE)).toEqual({ mine: 'yes' });
    expect(tagsTakenOver({ 'intent-store': OTHER }, STORE)).toEqual({ 'intent-store': STORE });
  });
});
