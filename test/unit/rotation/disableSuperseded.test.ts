import { describe, expect, test } from 'vitest';
import { toDisable } from '../../../lib/rotation/core/currentVersion.ts';
import { savedTags } from '../../../lib/rotation/core/tags.ts';
import { STORE } from './world/connection.ts';
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
  type Scenario,
} from './world/scenario.ts';

const REUSABLE = { behavior: { refreshTokenGraceMs: Number.POSITIVE_INFINITY } };

/** The versions that can be read, the oldest first. */
function live({ world }: Scenario): string[] {
  const versions = world.credentials.history(REFRESH_TOKEN).filter(({ enabled }) => enabled !== false);
  return versions.map(({ version }) => version);
}

/** The version in use and its parent, which it was obtained with. */
function needed({ world }: Scenario): string[] {
  const latest = world.credentials.latest(REFRESH_TOKEN);
  return [latest?.tags.parent ?? '', latest?.version ?? ''];
}

async function rotateAgain(scenario: Scenario): Promise<void> {
  await passToDue(scenario);
  await mustRotate(scenario);
  expectHealthy(scenario);
}

describe('after a rotation', () => {
  test('only the token in use and its parent are enabled, and the tags link the whole token family', async () => {
    const scenario = await due();
    for (let round = 0; round < 6; round++) await rotateAgain(scenario);
    expect(live(scenario)).toEqual(needed(scenario));
    const history = scenario.world.credentials.history(REFRESH_TOKEN);
    expect(history.slice(1).map(({ tags }) => tags.parent)).toEqual(
      history.slice(0, -1).map(({ version }) => version),
    );
  });

  test('the superseded version is disabled after the publication and before the outcome is recorded, with one request', async () => {
    const { world, ...scenario } = await due();
    await mustRotate(scenario);
    const publication = world.operations.indexOf(`put ${ACCESS_TOKEN}`);
    expect(world.operations.slice(publication + 1, publication + 3)).toEqual([
      `disable ${REFRESH_TOKEN}`,
      'write crm',
    ]);
    expect(world.count(/^disable/)).toBe(1);
    expect(world.events('superseded_version_disabled')).toMatchObject([{ secret: REFRESH_TOKEN }]);
  });

  test('the superseded version is disabled even if the access token cannot be published', async () => {
    const scenario = await due();
    const { world, connection, process } = scenario;
    world.before(`put ${ACCESS_TOKEN}`, () => Promise.reject(failure('vault_forbidden')), 3);
    expect(await process.rotate(connection)).toMatchObject({ result: 'retrying' });
    expect(live(scenario)).toEqual(needed(scenario));
  });

  test('no version of a reusable token is disabled', async () => {
    const scenario = await due(REUSABLE);
    const before = live(scenario);
    await rotateAgain(scenario);
    expect(live(scenario)).toEqual(before);
    expect(scenario.world.count(/^disable/)).toBe(0);
  });

  test('a refresh token in a failed response supersedes older versions as well', async () => {
    const scenario = await due();
    const { world, connection, process } = scenario;
    world.provider.script((request) => {
      const { refreshToken = '' } = world.provider.behave(request);
      return { refreshToken, ...refusal('outcome_unknown') };
    });
    await process.rotate(connection);
    expect(live(scenario)).toEqual(needed(scenario));
  });
});

describe('a vault that refuses to disable a version', () => {
  test('causes a warning, and the rotation continues', async () => {
    const scenario = await due();
    const { world } = scenario;
    world.before(`disable ${REFRESH_TOKEN}`, () => Promise.reject(failure('vault_forbidden')));
    await mustRotate(scenario);
    const [line] = world.events('superseded_version_disable_failed');
    expect(line).toMatchObject({ level: 'warn', code: 'vault_forbidden' });
    expect(live(scenario)).toEqual([line?.version, ...needed(scenario)]);
    await rotateAgain(scenario);
    expect(live(scenario)).toEqual([line?.version, ...needed(scenario)]);
  });

  test('gets no further request', async () => {
    const scenario = await due(REUSABLE);
    const { world } = scenario;
    replaceByHand(scenario);
    world.before(`disable ${REFRESH_TOKEN}`, () => Promise.reject(failure('vault_unavailable')), 9);
    await mustRotate(scenario);
    expect(world.count(/^disable/)).toBe(1);
  });
});

describe('a process that crashes', () => {
  test.each([
    ['after', `put ${REFRESH_TOKEN}`],
    ['before', `put ${ACCESS_TOKEN}`],
    ['after', `put ${ACCESS_TOKEN}`],
    ['before', `disable ${REFRESH_TOKEN}`],
    ['after', `disable ${REFRESH_TOKEN}`],
  ] as const)('%s "%s" leaves only the token in use and its parent enabled', async (when, operation) => {
    const scenario = await due();
    const { world, connection, process } = scenario;
    world[when](operation, () => process.crash());
    expect(await process.rotate(connection)).toBe('crashed');
    await world.clock.pass(16_000);
    await mustRotate({ connection, process: world.process() });
    expect(live(scenario)).toEqual(needed(scenario));
    expectHealthy(scenario);
  });
});

describe('a token that an operator sets', () => {
  test.each([
    ['single use', {}],
    ['reusable', REUSABLE],
  ])('disables the old token family after it has worked: %s', async (_, changes) => {
    const scenario = await due(changes);
    replaceByHand(scenario);
    await mustRotate(scenario);
    expect(live(scenario)).toEqual(needed(scenario));
    expectHealthy(scenario);
  });

  test('disables nothing if it is refused, because the operator may set the old token again', async () => {
    const scenario = await due();
    const { world, connection, process } = scenario;
    const before = live(scenario);
    world.credentials.set(REFRESH_TOKEN, 'unknown-refresh-token');
    expect(await process.rotate(connection)).toMatchObject({ result: 'blocked' });
    expect(live(scenario)).toEqual(expect.arrayContaining(before));
  });
});

describe('a late write', () => {
  test('is disabled when it is undone, with the copy that was the latest before it', async () => {
    const scenario = await due();
    const { world } = scenario;
    const origin = { connection: 'crm', parent: 'long-ago', epoch: 0, generation: 1, store: STORE };
    world.credentials.put(REFRESH_TOKEN, 'refresh-token-too-late', { tags: savedTags(origin, {}) });
    await mustRotate(scenario);
    expect(live(scenario)).toEqual(needed(scenario));
    expectHealthy(scenario);
  });
});

describe('the list of versions to disable', () => {
  const tags = savedTags({ connection: 'crm', parent: 'parent', epoch: 1, generation: 1, store: STORE }, {});
  const sent = { version: 'sent', createdAt: 0, tags };

  test('never has the token in use or its parent, regardless of earlier findings', () => {
    const found = new Set(['sent', 'parent', 'old']);
    expect(toDisable(found, sent, false)).toEqual(['old']);
    expect(toDisable(found, sent, true)).toEqual(['parent', 'old']);
  });

  test('has at most 25 versions', () => {
    const many = Array.from({ length: 40 }, (_, index) => `old-${index}`);
    expect(toDisable(new Set(many), sent, false)).toEqual(many.slice(0, 25));
  });
});
