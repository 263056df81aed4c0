import { describe, expect, test } from 'vitest';
import { savedTags } from '../../../lib/rotation/core/tags.ts';
import type { TokenResponse } from '../../../lib/rotation/core/tokenRequest.ts';
import { STORE } from './world/connection.ts';
import { refusal } from './world/provider.ts';
import {
  ACCESS_TOKEN,
  due,
  expectHealthy,
  mustRotate,
  passToDue,
  REFRESH_TOKEN,
  replaceByHand,
  type Scenario,
} from './world/scenario.ts';
import type { Operation } from './world.ts';

describe('an operator replaces the refresh token', () => {
  test('between two rotations', async () => {
    const scenario = await due();
    const value = replaceByHand(scenario);
    await mustRotate(scenario);
    expect(scenario.world.provider.sent.at(-1)).toBe(value);
    expectHealthy(scenario);
  });

  test('while the outcome of a token request is unknown: the wait ends', async () => {
    const scenario = await due();
    const { world, connection, process } = scenario;
    world.provider.script(refusal('outcome_unknown'));
    expect(await process.rotate(connection)).toMatchObject({ result: 'outcome_unknown' });
    const value = replaceByHand(scenario);
    expect(await process.rotate(connection, true)).toMatchObject({ result: 'rotated' });
    expect(world.provider.sent.at(-1)).toBe(value);
    expectHealthy(scenario);
  });

  test.each(['', '\n'])(
    'before the save of a process that crashed, with %j at its end: the token of the operator wins',
    async (lineEnd) => {
      const scenario = await due();
      const { world, connection, process } = scenario;
      const value = world.provider.consent();
      world.before(`put ${REFRESH_TOKEN}`, () => void world.credentials.set(REFRESH_TOKEN, value + lineEnd));
      world.after(`put ${REFRESH_TOKEN}`, () => process.crash());
      await process.rotate(connection);
      await world.clock.pass(16_000);
      const next = world.process();
      // For all it knows, the other process still waits for a response.
      expect(await next.rotate(connection)).toMatchObject({ result: 'awaiting_response' });
      await world.clock.pass(46_000);
      await mustRotate({ connection, process: next });
      expect(world.provider.sent.at(-1)).toBe(value);
      expectHealthy(scenario);
    },
  );

  test.each<Operation>([
    'read crm',
    `get ${REFRESH_TOKEN}`,
    'write crm',
    `tag ${REFRESH_TOKEN}`,
    'grant crm',
    `put ${REFRESH_TOKEN}`,
    `put ${ACCESS_TOKEN}`,
    'release crm',
  ])('during "%s": the following rotations succeed', async (operation) => {
    const scenario = await due();
    const { world, connection, process } = scenario;
    world.after(operation, () => void replaceByHand(scenario));
    await process.rotate(connection);
    for (let round = 0; round < 2; round++) {
      await passToDue(scenario);
      await mustRotate(scenario);
      expectHealthy(scenario);
    }
  });

  test('twice within a second: the last token counts', async () => {
    const scenario = await due();
    replaceByHand(scenario);
    const value = replaceByHand(scenario);
    await mustRotate(scenario);
    expect(scenario.world.provider.sent.at(-1)).toBe(value);
    expectHealthy(scenario);
  });

  test('of a blocked connection: the next look finds it', async () => {
    const scenario = await due();
    const { world, connection, process } = scenario;
    world.provider.script(refusal('reauthorization_required'));
    await process.rotate(connection);
    replaceByHand(scenario);
    await world.clock.pass(60_000);
    await mustRotate(scenario);
    expectHealthy(scenario);
  });
});

describe('a late write', () => {
  /** An old process saves the token that it obtained with the token before the last one. */
  function writeLate({ world }: Scenario, epoch: number): void {
    const [, recorded] = world.credentials.history(REFRESH_TOKEN).toReversed();
    const origin = {
      connection: 'crm',
      parent: recorded?.version ?? '',
      epoch,
      generation: 1,
      store: STORE,
    };
    world.credentials.put(REFRESH_TOKEN, 'refresh-token-too-late', { tags: savedTags(origin, {}) });
  }

  test('is undone: the token that counts becomes the latest again', async () => {
    const scenario = await due();
    const { world } = scenario;
    const { value } = world.credentials.latest(REFRESH_TOKEN) ?? {};
    writeLate(scenario, 0);
    await mustRotate(scenario);
    expect(world.provider.sent.at(-1)).toBe(value);
    expect(world.events('late_write_undone')).toHaveLength(1);
    expectHealthy(scenario);
  });

  test.each([
    ['before', `put ${REFRESH_TOKEN}`],
    ['after', `put ${REFRESH_TOKEN}`],
    ['after', 'write crm'],
    ['after', 'grant crm'],
  ] as const)('is undone even if the process that undoes it crashes %s "%s"', async (when, operation) => {
    const scenario = await due({ behavior: { refreshTokenGraceMs: 60_000 } });
    const { world, connection, process } = scenario;
    writeLate(scenario, 0);
    world[when](operation, () => process.crash());
    await process.rotate(connection);
    await world.clock.pass(16_000);
    await mustRotate({ connection, process: world.process() });
    expectHealthy(scenario);
  });

  test.each(['looked at the versions', 'read the token that counts'])(
    'is not undone by a process that lost its lease after it had %s: another process has undone it and rotated',
    async (when) => {
      const scenario = await due();
      const { world, connection, process } = scenario;
      writeLate(scenario, 0);
      world.after(`versions ${REFRESH_TOKEN}`, ({ caller }) => {
        if (when === 'looked at the versions') return caller.freeze(20_000);
        world.after(`get ${REFRESH_TOKEN}`, () => caller.freeze(20_000));
      });
      const first = process.start(connection);
      await world.clock.pass(16_000);
      await mustRotate({ connection, process: world.process() });
      const token = world.credentials.latest(REFRESH_TOKEN);
      expect(await world.settle(first)).toEqual({ result: 'in_progress', connection: 'crm' });
      expect(world.credentials.latest(REFRESH_TOKEN)).toBe(token);
      expectHealthy(scenario);
    },
  );

  test('over a save that was not recorded: the finding is recorded before the vault is repaired', async () => {
    const scenario = await due();
    const { world, connection, process } = scenario;
    world.after(`put ${REFRESH_TOKEN}`, () => process.crash());
    await process.rotate(connection);
    const saved = world.credentials.latest(REFRESH_TOKEN)?.version;
    writeLate(scenario, 0);
    await world.clock.pass(16_000);
    world.before(`put ${REFRESH_TOKEN}`, () => expect(world.record('crm').version).toBe(saved));
    await mustRotate({ connection, process: world.process() });
    expectHealthy(scenario);
  });

  test('is undone while the save of a crashed process arrives: that save is found', async () => {
    const scenario = await due();
    const { world, connection, process } = scenario;
    const sent = world.credentials.latest(REFRESH_TOKEN);
    let received = '';
    world.after('grant crm', ({ result: response }) => {
      received = (response as TokenResponse).refreshToken ?? '';
      process.crash();
    });
    await process.rotate(connection);
    writeLate(scenario, 0);
    await world.clock.pass(16_000);
    const origin = { connection: 'crm', parent: sent?.version ?? '', epoch: 2, generation: 2, store: STORE };
    world.after(`versions ${REFRESH_TOKEN}`, () => {
      world.credentials.put(REFRESH_TOKEN, received, { tags: savedTags(origin, {}) });
    });
    const next = world.process();
    expect(await next.rotate(connection)).toMatchObject({ result: 'outcome_unknown' });
    expect(world.credentials.latest(REFRESH_TOKEN)).toMatchObject({ value: sent?.value, tags: sent?.tags });
    await passToDue(scenario);
    await mustRotate({ connection, process: next });
    expect(world.provider.sent.at(-1)).toBe(received);
    expectHealthy(scenario);
  });

  test('that arrives while another one is undone is undone too', async () => {
    const scenario = await due();
    const { world } = scenario;
    writeLate(scenario, 0);
    world.after(`put ${REFRESH_TOKEN}`, () => {
      const origin = { connection: 'crm', parent: 'long-ago', epoch: 0, generation: 1, store: STORE };
      world.credentials.put(REFRESH_TOKEN, 'refresh-token-even-later', { tags: savedTags(origin, {}) });
    });
    await mustRotate(scenario);
    expect(world.events('late_write_undone')).toHaveLength(2);
    expectHealthy(scenario);
  });

  test('over a token that is no longer readable is left to the next look', async () => {
    const scenario = await due();
    const { world, connection, process } = scenario;
    writeLate(scenario, 0);
    world.after('versions crm-refresh-token', () => world.credentials.softDelete(REFRESH_TOKEN));
    expect(await process.rotate(connection)).toMatchObject({ problem: { code: 'secret_missing' } });
  });

  test('of the same token leaves the outcome of a token request unknown', async () => {
    const scenario = await due();
    const { world, connection, process } = scenario;
    const { value = '', tags = {} } = world.credentials.latest(REFRESH_TOKEN) ?? {};
    world.provider.script(refusal('outcome_unknown'));
    expect(await process.rotate(connection)).toMatchObject({ result: 'outcome_unknown' });
    world.credentials.put(REFRESH_TOKEN, value, { tags });
    expect(await process.rotate(connection, true)).toMatchObject({ result: 'outcome_unknown' });
    expect(world.provider.sent).toHaveLength(2);
    await passToDue(scenario);
    await mustRotate(scenario);
    expectHealthy(scenario);
  });
});
