import { describe, expect, test } from 'vitest';
import { type ErrorCode, RotatorError } from '../../../lib/errors.ts';
import { createRotator } from '../../../lib/rotator.ts';
import { problemWith } from '../../support/problem.ts';
import { connectionNamed, INVALID } from './world/connection.ts';
import { failure } from './world/fakeVault.ts';
import { seeded } from './world/scenario.ts';

function rotatorOf({ world, process } = seeded()) {
  world.connections.push(connectionNamed('paused', { enabled: false }));
  world.invalid = [INVALID];
  return { world, ports: process.ports, rotator: createRotator(process.ports, world.now) };
}

describe('the rotator', () => {
  test('rotates by name', async () => {
    const { world, rotator } = rotatorOf();
    expect(await world.settle(rotator.rotate('crm', false))).toMatchObject({ result: 'rotated' });
    expect(await world.settle(rotator.rotate('crm', false))).toMatchObject({ result: 'not_due' });
    expect(await world.settle(rotator.rotate('crm', true))).toMatchObject({ reason: 'forced' });
  });

  test.each<[string, ErrorCode]>([
    ['unknown', 'connection_unknown'],
    ['CRM', 'connection_unknown'],
    ['broken', 'connection_invalid'],
    ['paused', 'connection_paused'],
  ])('refuses %s: %s', async (name, code) => {
    const { world, rotator } = rotatorOf();
    await expect(rotator.rotate(name, true)).rejects.toMatchObject({ code });
    expect(world.operations).toEqual([]);
  });

  test.each([
    ['CRM', 'Write crm: names are case-sensitive.'],
    ['Broken', 'Write broken: names are case-sensitive.'],
    ['unknown', expect.stringMatching(/^Use one of the names that rotator status/)],
  ])('names the existing connection, or the command that lists them, for %s', async (name, fix) => {
    const { rotator } = rotatorOf();
    const problem = { code: 'connection_unknown' as const, fix };
    await expect(rotator.rotate(name, false)).rejects.toMatchObject(problem);
    await expect(rotator.status(name)).rejects.toMatchObject(problem);
  });

  test('does not repeat a name that is not valid', async () => {
    const { rotator } = rotatorOf();
    const message = 'There is no connection of that name.';
    await expect(rotator.rotate('<script>', false)).rejects.toMatchObject({ message });
    await expect(rotator.status('a b')).rejects.toMatchObject({ code: 'connection_unknown', message });
  });

  test('sweeps', async () => {
    const { world, rotator } = rotatorOf();
    expect(await world.settle(rotator.sweep())).toMatchObject({
      connections: 1,
      invalid: 1,
      results: { rotated: 1 },
    });
  });

  test('logs a sweep that could not run', async () => {
    const { world, rotator } = rotatorOf();
    world.before('list records', () => Promise.reject(failure('storage_unavailable')));
    await expect(rotator.sweep()).rejects.toMatchObject({ code: 'storage_unavailable' });
    expect(world.events('sweep_failed')).toMatchObject([{ level: 'error', code: 'storage_unavailable' }]);
  });

  test('returns the status of all connections, and of one', async () => {
    const { world, rotator } = rotatorOf();
    await world.settle(rotator.rotate('crm', false));
    const { connections: all } = await rotator.overview();
    expect(all.map(({ name, state }) => [name, state])).toEqual([
      ['crm', 'fresh'],
      ['paused', 'paused'],
      ['broken', 'invalid'],
    ]);
    expect(await rotator.status('crm')).toEqual(all[0]);
    expect(await rotator.status('paused')).toMatchObject({ state: 'paused' });
    const { code: reason, fix } = INVALID.problem;
    expect(await rotator.status('broken')).toMatchObject({ state: 'invalid', reason, fix });
    await world.clock.pass(3_600_000);
    expect(await rotator.status('crm')).toMatchObject({ state: 'expired' });
  });

  test('is ready if the records can be read', async () => {
    const { world, rotator } = rotatorOf();
    expect(await rotator.readiness()).toEqual({ checkedAt: world.now(), isReady: true });
    world.before('list records', () => Promise.reject(failure('storage_forbidden')));
    await world.clock.pass(10_000);
    expect(await rotator.readiness()).toEqual({ checkedAt: world.now(), isReady: false });
  });

  test('lists the records once for all checks within ten seconds, because every caller may check', async () => {
    const { world, rotator } = rotatorOf();
    const { checkedAt } = await rotator.readiness();
    for (let check = 0; check < 50; check++) {
      await world.clock.pass(100);
      expect(await rotator.readiness()).toMatchObject({ checkedAt });
    }
    expect(world.count(/^list records/)).toBe(1);
  });

  test('stays ready with the last valid connections, and says since when the configuration is unreadable', async () => {
    const { world, rotator } = rotatorOf();
    const since = Date.parse('2026-01-01T00:00:00Z');
    world.stale = { ...problemWith('configuration_invalid'), since };
    const configuration = { ...problemWith('configuration_invalid'), since: '2026-01-01T00:00:00.000Z' };
    expect(await rotator.readiness()).toMatchObject({ isReady: true, configuration });
    const overview = await rotator.overview();
    expect(overview.configuration).toEqual(configuration);
    expect(overview.connections).toHaveLength(3);
  });

  test('lists the connections with a record if the configuration was never readable', async () => {
    const { world, ports, rotator } = rotatorOf();
    await world.settle(rotator.rotate('crm', false));
    const unreadable = new RotatorError(problemWith('configuration_invalid'), { since: 0 });
    const blind = createRotator({ ...ports, connections: () => Promise.reject(unreadable) }, world.now);
    expect(await blind.readiness()).toMatchObject({
      isReady: false,
      configuration: { code: 'configuration_invalid', since: '1970-01-01T00:00:00.000Z' },
    });
    expect((await blind.overview()).connections).toMatchObject([
      { name: 'crm', state: 'fresh', generation: 1 },
    ]);
    expect(await blind.status('crm')).toMatchObject({ name: 'crm', state: 'fresh', generation: 1 });
    await expect(blind.status('unknown')).rejects.toMatchObject({ code: 'configuration_invalid' });
  });

  test('starts nothing when it drains', async () => {
    const { rotator } = rotatorOf();
    await rotator.drain();
    expect(await rotator.rotate('crm', true)).toMatchObject({ result: 'draining' });
    expect(await rotator.sweep()).toMatchObject({ due: 0 });
  });
});
