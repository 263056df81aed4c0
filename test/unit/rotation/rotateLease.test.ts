import { describe, expect, test } from 'vitest';
import type { RotationResult } from '../../../lib/rotation/core/outcome.ts';
import { readIntent } from '../../../lib/rotation/core/tags.ts';
import { failure } from './world/fakeVault.ts';
import { refusal } from './world/provider.ts';
import {
  ACCESS_TOKEN,
  due,
  expectHealthy,
  mustRotate,
  passToDue,
  REFRESH_TOKEN,
  replaceByHand,
  seeded,
} from './world/scenario.ts';

const noRenewal = () => Promise.reject(failure('storage_unavailable'));

describe('one rotation of a connection at a time', () => {
  test('a process that finds the lease taken does nothing', async () => {
    const { world, connection, process } = await due();
    world.before('grant crm', () => world.clock.sleep(5_000));
    const first = process.start(connection);
    await world.clock.pass(1_000);
    world.operations.length = 0;
    const other = world.process();
    expect(await other.rotate(connection)).toEqual({ result: 'in_progress', connection: 'crm' });
    expect(world.operations.filter((each) => !each.startsWith('renew'))).toEqual(['lease crm']);
    expect(await world.settle(first)).toMatchObject({ result: 'rotated' });
  });

  test('two processes that rotate together, round after round, send each refresh token once', async () => {
    const scenario = seeded();
    const { world, connection, process } = scenario;
    const other = world.process();
    for (let round = 1; round <= 5; round++) {
      const both = Promise.all([process.start(connection), other.start(connection)]);
      const results = (await world.settle(both)) as RotationResult[];
      expect(results.filter(({ result }) => result === 'rotated')).toHaveLength(1);
      await passToDue(scenario);
    }
    expect(new Set(world.provider.sent).size).toBe(5);
    expectHealthy(scenario);
  });

  test('the process keeps the lease while a slow vault responds', async () => {
    const scenario = await due();
    const { world, connection, process } = scenario;
    world.before(`get ${REFRESH_TOKEN}`, () => world.clock.sleep(60_000));
    const first = process.start(connection);
    await world.clock.pass(45_000);
    expect(await world.process().rotate(connection)).toMatchObject({ result: 'in_progress' });
    expect(await world.settle(first)).toMatchObject({ result: 'rotated' });
    expect(world.count(/^renew/)).toBeGreaterThan(10);
    expectHealthy(scenario);
  });

  test('the process releases the lease immediately', async () => {
    const { world, connection } = await due();
    await mustRotate({ connection, process: world.process() });
    expect(await world.process().rotate(connection)).toMatchObject({ result: 'not_due' });
  });

  test('a lease that cannot be released expires automatically', async () => {
    const { world, connection, process } = await due();
    world.before('release crm', () => Promise.reject(failure('storage_unavailable')));
    await mustRotate({ connection, process });
    expect(await world.process().rotate(connection)).toMatchObject({ result: 'in_progress' });
    await world.clock.pass(15_000);
    expect(await world.process().rotate(connection)).toMatchObject({ result: 'not_due' });
  });
});

describe('a lease that runs short', () => {
  test('before the send: nothing is sent, and the intent is withdrawn', async () => {
    const scenario = await due();
    const { world, connection, process } = scenario;
    world.before('grant crm', () => world.clock.freeze(13_001));
    expect(await process.rotate(connection)).toMatchObject({ result: 'in_progress' });
    expect(world.provider.sent).toHaveLength(1);
    expect(world.record('crm')).toMatchObject({ phase: { state: 'idle' }, epoch: 2 });
    expect(readIntent(world.credentials.latest(REFRESH_TOKEN)?.tags ?? {})).toBeUndefined();
    await passToDue(scenario);
    await mustRotate(scenario);
    expectHealthy(scenario);
  });

  test('before the send, with a storage failure: the intent is withdrawn nevertheless', async () => {
    const { world, connection, process } = await due();
    world.before('grant crm', () => {
      world.clock.freeze(13_500);
      world.before('write crm', noRenewal);
    });
    const problem = { code: 'storage_unavailable' } as const;
    expect(await process.rotate(connection)).toMatchObject({ result: 'retrying', problem });
    expect(world.record('crm').phase).toEqual({ state: 'idle' });
  });

  test('with only the margin left: nothing is sent', async () => {
    const { world, connection, process } = await due();
    world.before('grant crm', () => world.clock.freeze(13_000));
    await process.rotate(connection);
    expect(world.provider.sent).toHaveLength(1);
  });

  test('with a millisecond more: the request is sent', async () => {
    const { world, connection, process } = await due();
    world.before('grant crm', () => world.clock.freeze(12_999));
    await mustRotate({ connection, process });
  });

  test('is renewed before the send if too little is left', async () => {
    const scenario = await due();
    const { world } = scenario;
    world.after(`tag ${REFRESH_TOKEN}`, () => world.clock.freeze(8_000));
    await mustRotate(scenario);
    expect(world.count(/^renew/)).toBe(1);
    expectHealthy(scenario);
  });

  test('counts from before its request, not from the response', async () => {
    const { world, connection, process } = await due();
    world.after('lease crm', () => world.clock.freeze(13_500));
    world.before(/^renew/, noRenewal, Number.POSITIVE_INFINITY);
    expect(await process.rotate(connection)).toMatchObject({ result: 'in_progress' });
    expect(world.provider.sent).toHaveLength(1);
  });

  test('before a second client secret: that secret is not sent', async () => {
    const { world, connection, process } = await due();
    world.provider.script(refusal('client_rejected'));
    world.credentials.set('crm-client-secret', 'client-secret-two');
    world.before(`get crm-client-secret`, () => world.clock.freeze(13_500));
    world.before(/^renew/, noRenewal, Number.POSITIVE_INFINITY);
    expect(await process.rotate(connection)).toMatchObject({ result: 'in_progress' });
    expect(world.provider.sent).toHaveLength(2);
    expect(world.record('crm').phase).toEqual({ state: 'idle' });
  });
});

describe('a lease that is lost', () => {
  test('while the token request is in flight: the token is saved, and nothing is published or recorded', async () => {
    const scenario = await due();
    const { world, connection, process } = scenario;
    const published = world.tokens.latest(ACCESS_TOKEN);
    const other = world.process();
    world.before(/^renew/, noRenewal, Number.POSITIVE_INFINITY);
    world.after('grant crm', () => world.clock.sleep(16_000));
    const first = process.start(connection);
    await world.clock.pass(15_500);
    expect(await other.rotate(connection)).toMatchObject({ result: 'outcome_unknown' });
    const record = world.record('crm');
    expect(await world.settle(first)).toEqual({ result: 'in_progress', connection: 'crm' });
    expect(world.tokens.latest(ACCESS_TOKEN)).toBe(published);
    expect(world.record('crm')).toEqual(record);
    expect(world.provider.accepts(world.credentials.latest(REFRESH_TOKEN)?.value)).toBe(true);
    world.calm();
    await passToDue(scenario);
    await mustRotate({ connection, process: other });
    expectHealthy(scenario);
  });

  test.each([`get ${ACCESS_TOKEN}`, `put ${ACCESS_TOKEN}`] as const)(
    'in the first rotation after "%s": what another process has written since stays',
    async (operation) => {
      const scenario = seeded();
      const { world, connection, process } = scenario;
      world.after(operation, ({ caller }) => caller.freeze(20_000));
      const first = process.start(connection);
      await world.clock.pass(16_000);
      await mustRotate({ connection, process: world.process() });
      const [token, published] = [world.credentials.latest(REFRESH_TOKEN), world.tokens.latest(ACCESS_TOKEN)];
      expect(await world.settle(first)).toEqual({ result: 'in_progress', connection: 'crm' });
      expect(world.credentials.latest(REFRESH_TOKEN)).toBe(token);
      expect(world.tokens.latest(ACCESS_TOKEN)).toBe(published);
      expectHealthy(scenario);
    },
  );

  test('before a published token is written once more: the newer one of another process stays', async () => {
    const scenario = await due();
    const { world, connection, process } = scenario;
    world.records.change('crm', ({ publishable: _, ...record }) => record);
    // The first read asks whose the secret is, the second one precedes the write.
    world.after(`get ${ACCESS_TOKEN}`, () =>
      world.after(`get ${ACCESS_TOKEN}`, ({ caller }) => caller.freeze(20_000)),
    );
    const first = process.start(connection);
    await world.clock.pass(16_000);
    await mustRotate({ connection, process: world.process() });
    const published = world.tokens.latest(ACCESS_TOKEN);
    expect(await world.settle(first)).toEqual({ result: 'in_progress', connection: 'crm' });
    expect(world.tokens.latest(ACCESS_TOKEN)).toBe(published);
    expectHealthy(scenario);
  });

  test('before the intent: nothing is sent', async () => {
    const { world, connection, process } = await due();
    world.before(`get ${REFRESH_TOKEN}`, () => world.clock.freeze(16_000));
    world.before(/^renew/, noRenewal, Number.POSITIVE_INFINITY);
    expect(await process.rotate(connection)).toMatchObject({ result: 'in_progress' });
    expect(world.provider.sent).toHaveLength(1);
  });

  test('before a failure is recorded: the record is left to the process that has the lease', async () => {
    const { world, connection, process } = await due();
    world.before(`get ${REFRESH_TOKEN}`, () => {
      world.clock.freeze(16_000);
      throw failure('vault_unavailable');
    });
    world.before(/^renew/, noRenewal, Number.POSITIVE_INFINITY);
    expect(await process.rotate(connection)).toMatchObject({ result: 'in_progress' });
    expect(world.record('crm')).not.toHaveProperty('failure');
  });

  test('to another process that has announced a token request: the intent of that process stays', async () => {
    const { world, connection, process } = await due();
    const other = world.process();
    world.before(/^renew/, () => Promise.reject(failure('storage_unavailable')), Number.POSITIVE_INFINITY);
    let second: Promise<unknown> | undefined;
    world.before('grant crm', async () => {
      world.clock.freeze(16_000);
      world.records.change('crm', (record) => ({ ...record, phase: { state: 'idle' } }));
      world.before('grant crm', () => world.clock.sleep(5_000));
      second = other.start(connection);
      await world.clock.sleep(1_000);
    });
    expect(await process.rotate(connection)).toMatchObject({ result: 'in_progress' });
    expect(readIntent(world.credentials.latest(REFRESH_TOKEN)?.tags ?? {})).toMatchObject({ epoch: 3 });
    await world.settle(second ?? Promise.resolve());
  });

  test('according to a renewal: counts immediately', async () => {
    const { world, connection, process } = await due();
    world.before(`get ${REFRESH_TOKEN}`, () => world.clock.sleep(6_000));
    world.after(/^renew/, () => false);
    expect(await process.rotate(connection)).toMatchObject({ result: 'in_progress' });
    expect(world.provider.sent).toHaveLength(1);
    expect(world.count(/^release/)).toBe(0);
  });
});

test('a process that was stopped before it announced its request sends the token that an operator has set meanwhile', async () => {
  const scenario = await due();
  const { world, connection, process } = scenario;
  const values: string[] = [];
  world.before(`get ${ACCESS_TOKEN}`, () => {
    process.freeze(70_000);
    values.push(replaceByHand(scenario));
  });
  // No other process has taken the lease, so it can be renewed.
  world.before('write crm', () => world.clock.sleep(1_000));
  await mustRotate({ connection, process });
  expect(world.provider.sent.slice(1)).toEqual(values);
  expectHealthy(scenario);
});
