import { describe, expect, test } from 'vitest';
import { rotate } from '../../../lib/rotation/rotate.ts';
import { failure } from './world/fakeVault.ts';
import { due, expectHealthy, mustRotate, passToDue, REFRESH_TOKEN, seeded } from './world/scenario.ts';

describe('a failure before the token request', () => {
  test('of a vault that refuses reads backs off, and nothing is written to the vault', async () => {
    const scenario = await due();
    const { world, connection, process } = scenario;
    world.before(`get ${REFRESH_TOKEN}`, () => Promise.reject(failure('vault_forbidden')), 2);
    const problem = { code: 'vault_forbidden' } as const;
    expect(await process.rotate(connection)).toMatchObject({
      result: 'retrying',
      problem,
      retryAfterMs: 10_000,
    });
    expect(await process.rotate(connection)).toMatchObject({
      result: 'retrying',
      reason: 'retrying',
      problem,
    });
    expect(world.count(/^(put|tag|grant)/)).toBe(0);
    await passToDue(scenario);
    expect(await process.rotate(connection)).toMatchObject({ result: 'retrying', retryAfterMs: 20_000 });
    await passToDue(scenario);
    await mustRotate(scenario);
    expectHealthy(scenario);
  });

  test('of a vault that is throttling is retried after the time that the vault names', async () => {
    const { world, connection, process } = await due();
    world.before(`get ${REFRESH_TOKEN}`, () => Promise.reject(failure('vault_throttled', 45_000)));
    expect(await process.rotate(connection)).toMatchObject({ result: 'retrying', retryAfterMs: 45_000 });
  });

  test('to copy the seed does not spend the seed', async () => {
    const scenario = seeded();
    const { world, connection, process } = scenario;
    world.before(`put ${REFRESH_TOKEN}`, () => Promise.reject(failure('vault_forbidden')));
    expect(await process.rotate(connection)).toMatchObject({
      result: 'retrying',
      problem: { code: 'vault_forbidden' },
    });
    expect(world.provider.sent).toEqual([]);
    await passToDue(scenario);
    await mustRotate(scenario);
    expectHealthy(scenario);
  });

  test.each(['before', 'after'] as const)(
    'to announce the request %s the intent is tagged: nothing is sent',
    async (when) => {
      const scenario = await due();
      const { world, connection, process } = scenario;
      world[when](`tag ${REFRESH_TOKEN}`, () => Promise.reject(failure('vault_unavailable')));
      expect(await process.rotate(connection)).toMatchObject({
        result: 'retrying',
        problem: { code: 'vault_unavailable' },
      });
      expect(world.record('crm').phase).toEqual({ state: 'idle' });
      expect(world.provider.sent).toHaveLength(1);
      await passToDue(scenario);
      await mustRotate(scenario);
      expectHealthy(scenario);
    },
  );

  test.each(['before', 'after'] as const)(
    'to announce the request %s the intent is recorded: nothing is sent',
    async (when) => {
      const scenario = await due();
      const { world, connection, process } = scenario;
      world[when]('write crm', () => Promise.reject(failure('storage_unavailable')));
      expect(await process.rotate(connection)).toMatchObject({
        result: 'retrying',
        problem: { code: 'storage_unavailable' },
      });
      expect(world.record('crm').phase).toEqual({ state: 'idle' });
      expect(world.provider.sent).toHaveLength(1);
      await passToDue(scenario);
      await mustRotate(scenario);
      expectHealthy(scenario);
    },
  );

  test('to read the client credentials after the intent: nothing is sent, and the intent is withdrawn', async () => {
    const scenario = await due();
    const { world, connection, process } = scenario;
    world.after(`tag ${REFRESH_TOKEN}`, () => process.state.credentials.clear());
    world.before('get crm-client-secret', () => Promise.reject(failure('vault_forbidden')));
    expect(await process.rotate(connection)).toMatchObject({ problem: { code: 'vault_forbidden' } });
    expect(world.record('crm').phase).toEqual({ state: 'idle' });
    expect(world.provider.sent).toHaveLength(1);
    await passToDue(scenario);
    await mustRotate(scenario);
    expectHealthy(scenario);
  });

  test('of storage that does not respond: nothing is done', async () => {
    const { world, connection, process } = await due();
    world.before('lease crm', () => Promise.reject(failure('storage_unavailable')));
    expect(await process.rotate(connection)).toMatchObject({
      result: 'retrying',
      problem: { code: 'storage_unavailable' },
    });
    expect(world.operations).toEqual(['lease crm']);
    expect(world.events('record_not_written')).toHaveLength(1);
  });

  test('of storage that refuses the record: the failure is reported nevertheless', async () => {
    const { world, connection, process } = await due();
    world.before('write crm', () => Promise.reject(failure('storage_forbidden')), 9);
    expect(await process.rotate(connection)).toMatchObject({
      result: 'retrying',
      problem: { code: 'storage_forbidden' },
    });
    expect(world.provider.sent).toHaveLength(1);
  });

  test('because the record disappears twice is retried', async () => {
    const { world, connection, process } = seeded();
    world.after('create crm', () => world.records.lose('crm'), 2);
    expect(await process.rotate(connection)).toMatchObject({
      result: 'retrying',
      problem: { code: 'storage_unavailable' },
    });
  });

  test('with an unexpected error is recorded without the text of the error', async () => {
    const { world, connection, process } = await due();
    world.before(`get ${REFRESH_TOKEN}`, () => Promise.reject(new TypeError('refresh-token-1')));
    const problem = { code: 'internal_error', message: 'An unexpected TypeError was thrown.' } as const;
    expect(await process.rotate(connection)).toMatchObject({ result: 'retrying', problem });
  });
});

test('records that a vault address makes no client, and never throws', async () => {
  const { world, connection, process } = seeded();
  const vault = () => {
    throw new Error('not an address');
  };
  const result = await world.settle(
    rotate({ connection, force: false, patient: true }, { ...process.ports, vault }, process.state),
  );
  expect(result).toMatchObject({ result: 'retrying', problem: { code: 'internal_error' } });
  expect(world.record('crm').failure?.code).toBe('internal_error');
});
