import { describe, expect, test } from 'vitest';
import type { Removal } from '../../../lib/rotation/removal.ts';
import { type Choice, createRotator } from '../../../lib/rotator.ts';
import { problemWith } from '../../support/problem.ts';
import { connectionNamed, INVALID } from './world/connection.ts';
import { failure } from './world/fakeVault.ts';
import {
  ACCESS_TOKEN,
  CLIENT_SECRET,
  due,
  expectHealthy,
  mustRotate,
  passToDue,
  REFRESH_TOKEN,
  replaceByHand,
  type Scenario,
} from './world/scenario.ts';

function begin(scenario: Scenario, { revoke = false, choice = { name: 'crm' } as Choice } = {}) {
  const { world, process } = scenario;
  return createRotator(process.ports, world.now).remove(choice, revoke);
}

async function removed(scenario: Scenario, revoke = false): Promise<Removal> {
  const [removal] = await scenario.world.settle(begin(scenario, { revoke }));
  return removal ?? expect.fail('nothing was removed');
}

function enabled({ world }: Scenario, vault: 'credentials' | 'tokens', name: string): string[] {
  return world[vault]
    .history(name)
    .filter((each) => each.enabled !== false)
    .map(({ value }) => value);
}

const FORCED = [false, true];

describe('a removed connection', () => {
  test('has no secret that can be read, and nothing was deleted', async () => {
    const scenario = await due();
    const { world } = scenario;
    const before = world.credentials.history(REFRESH_TOKEN).length;
    const { expiresAt } = world.record('crm').accessToken ?? {};
    expect(await removed(scenario)).toEqual({
      connection: 'crm',
      provider: 'test',
      revoked: false,
      disabled: 3,
      accessTokenExpiresAt: expiresAt,
      problems: [],
    });
    expect(world.credentials.history(REFRESH_TOKEN)).toHaveLength(before);
    expect(enabled(scenario, 'credentials', REFRESH_TOKEN)).toEqual([]);
    expect(enabled(scenario, 'tokens', ACCESS_TOKEN)).toEqual([]);
    expect(enabled(scenario, 'credentials', CLIENT_SECRET)).toHaveLength(1);
    expect(world.events('connection_removed')).toMatchObject([{ revoked: false, disabled: 3 }]);
  });

  test.each(FORCED)('is never rotated (forced: %s), and says what to do', async (force) => {
    const scenario = await due();
    const { world, process, connection } = scenario;
    await removed(scenario);
    const sent = world.provider.sent.length;
    for (const _ of [1, 2]) {
      await world.clock.pass(10 * 60_000);
      expect(await process.rotate(connection, force)).toMatchObject({
        result: 'blocked',
        problem: { code: 'connection_removed', fix: expect.stringContaining('rotator connect crm') },
      });
    }
    expect(world.provider.sent).toHaveLength(sent);
    expect(enabled(scenario, 'tokens', ACCESS_TOKEN)).toEqual([]);
    const status = await createRotator(process.ports, world.now).status('crm');
    expect(status).toMatchObject({ state: 'blocked', reason: 'connection_removed' });
    expect(status).not.toHaveProperty('accessTokenExpires');
    expect(status).not.toHaveProperty('nextAttempt');
    const [planned] = await createRotator(process.ports, world.now).plan('crm');
    expect(planned).toMatchObject({ reason: expect.stringMatching(/removed|blocked/) });
    expect(planned).not.toHaveProperty('until');
  });

  test('works again after the operator has set another refresh token', async () => {
    const scenario = await due();
    await removed(scenario, true);
    await scenario.world.clock.pass(120_000);
    replaceByHand(scenario);
    await mustRotate(scenario);
    expectHealthy(scenario);
    expect(scenario.world.record('crm')).not.toHaveProperty('removedAt');
    await passToDue(scenario);
    await mustRotate(scenario);
  });

  test('is not sent again if its version is enabled by hand', async () => {
    const scenario = await due();
    const { world, process, connection } = scenario;
    await removed(scenario);
    const sent = world.provider.sent.length;
    world.credentials.enable(REFRESH_TOKEN, world.credentials.latest(REFRESH_TOKEN)?.version ?? '');
    await world.clock.pass(600_000);
    expect(await process.rotate(connection)).toMatchObject({
      result: 'blocked',
      problem: { code: 'connection_removed' },
    });
    expect(await process.rotate(connection, true)).toMatchObject({
      result: 'blocked',
      problem: { code: 'connection_removed', message: expect.stringContaining('can still be read') },
    });
    expect(world.provider.sent).toHaveLength(sent);
  });

  test('that was never rotated is not sent either', async () => {
    const scenario = await due();
    const { world, process } = scenario;
    const fresh = connectionNamed('fresh');
    world.connections.push(fresh);
    world.seed(fresh);
    await world.settle(begin(scenario, { choice: { name: 'fresh' } }));
    world.credentials.enable(
      'fresh-refresh-token',
      world.credentials.latest('fresh-refresh-token')?.version ?? '',
    );
    expect(await process.rotate(fresh)).toMatchObject({ problem: { code: 'connection_removed' } });
  });
});

describe('a removal that revokes', () => {
  test('revokes before it disables, with each client secret until one is accepted', async () => {
    const scenario = await due();
    const { world } = scenario;
    const latest = world.credentials.latest(REFRESH_TOKEN)?.value;
    expect(await removed(scenario, true)).toMatchObject({ revoked: true, problems: [] });
    expect(world.provider.accepts(latest)).toBe(false);
    expect(world.record('crm').revokedAt).toBeGreaterThan(0);
    expect(world.leaks()).toEqual([]);
  });

  test('that fails says so, disables everything all the same, and can be repeated', async () => {
    const scenario = await due();
    const { world } = scenario;
    const latest = world.credentials.latest(REFRESH_TOKEN)?.value;
    world.after('revoke crm', () => problemWith('revocation_failed'));
    expect(await removed(scenario, true)).toMatchObject({
      revoked: false,
      problems: [problemWith('revocation_failed')],
    });
    expect(enabled(scenario, 'credentials', REFRESH_TOKEN)).toEqual([]);
    expect(await removed(scenario, true)).toMatchObject({ revoked: true, disabled: 1, problems: [] });
    expect(world.provider.accepts(latest)).toBe(false);
    expect(enabled(scenario, 'credentials', REFRESH_TOKEN)).toEqual([]);
  });

  test('does not send a private key that an operator set, and revokes the tokens before it', async () => {
    const scenario = await due();
    const { world } = scenario;
    const latest = world.credentials.latest(REFRESH_TOKEN)?.value;
    const tokens = enabled(scenario, 'credentials', REFRESH_TOKEN).length;
    world.credentials.set(REFRESH_TOKEN, '-----BEGIN PRIVATE KEY-----');
    const { revoked, problems } = await removed(scenario, true);
    expect(revoked).toBe(false);
    expect(problems[0]?.message).toContain('is a private key, which is never sent');
    expect(world.provider.accepts(latest)).toBe(false);
    expect(world.count(/^revoke/)).toBe(tokens);
  });

  test('may follow one that did not revoke, and is complete if it runs twice', async () => {
    const scenario = await due();
    const { accessTokenExpiresAt } = await removed(scenario);
    expect(accessTokenExpiresAt).toBeGreaterThan(0);
    const done = { revoked: true, accessTokenExpiresAt };
    expect(await removed(scenario, true)).toMatchObject({ ...done, disabled: 1 });
    expect(await removed(scenario, true)).toMatchObject({ ...done, disabled: 0 });
    expect(scenario.world.count(/^revoke/)).toBe(1);
  });

  test('says which client secret is missing', async () => {
    const scenario = await due();
    scenario.world.credentials.disable(CLIENT_SECRET);
    expect(await removed(scenario, true)).toMatchObject({
      revoked: false,
      problems: [
        { code: 'revocation_failed', fix: expect.stringContaining('Then run rotator remove crm --revoke') },
      ],
    });
  });
});

describe('a removal while a rotation is running', () => {
  /** The response arrives when `arrive` is called. */
  async function inFlight(scenario: Scenario) {
    const { world, process, connection } = scenario;
    const response = Promise.withResolvers<void>();
    const asked = Promise.withResolvers<void>();
    world.after('grant crm', async () => {
      asked.resolve();
      await response.promise;
    });
    const rotation = process.start(connection);
    await world.settle(asked.promise);
    return { rotation, arrive: response.resolve };
  }

  test('waits until the token is saved, then disables it', async () => {
    const scenario = await due();
    const { world } = scenario;
    const { rotation, arrive } = await inFlight(scenario);
    const removal = begin({ ...scenario, process: world.process() }, { revoke: true });
    await world.clock.pass(3_000);
    arrive();
    expect(await world.settle(rotation)).toMatchObject({ result: 'rotated', generation: 2 });
    expect(await world.settle(removal)).toMatchObject([{ revoked: true, problems: [] }]);
    expect(world.provider.accepts(world.credentials.latest(REFRESH_TOKEN)?.value)).toBe(false);
    expect(enabled(scenario, 'credentials', REFRESH_TOKEN)).toEqual([]);
    expect(enabled(scenario, 'tokens', ACCESS_TOKEN)).toEqual([]);
  });

  test('reports a rotation that does not end, and changes nothing', async () => {
    const scenario = await due();
    const { world } = scenario;
    world.before(/^put crm-refresh-token/, () => Promise.reject(failure('vault_unavailable')), 1_000);
    const rotation = scenario.process.start(scenario.connection);
    await world.clock.pass(2_000);
    const removal = begin({ ...scenario, process: world.process() });
    await world.clock.pass(100_000);
    expect(await removal).toMatchObject([{ problems: [{ code: 'in_progress' }] }]);
    expect(world.record('crm')).not.toHaveProperty('removedAt');
    world.calm();
    expect(await world.settle(rotation)).toMatchObject({ result: expect.stringMatching(/saving|rotated/) });
  });

  test.each([
    ['within the time for which it may be awaited: the removal finds it', 20_000, 0],
    ['after the removal: the rotator reports it and does not use it', 90_000, 1],
  ])('of a process that was frozen, and saves its token %s', async (_, ms, left) => {
    const scenario = await due();
    const { world, process } = scenario;
    const { arrive } = await inFlight(scenario);
    process.freeze(ms);
    arrive();
    const other = world.process();
    const removal = begin({ ...scenario, process: other });
    await world.clock.pass(16_000);
    await world.clock.pass(55_000);
    expect(await removal).toMatchObject([{ problems: [] }]);
    await world.clock.pass(60_000);
    const versions = world.credentials.history(REFRESH_TOKEN).length;
    expect(enabled(scenario, 'credentials', REFRESH_TOKEN)).toHaveLength(left);
    expect(enabled(scenario, 'tokens', ACCESS_TOKEN)).toEqual([]);
    const sent = world.provider.sent.length;
    await world.clock.pass(600_000);
    expect(await other.rotate(scenario.connection)).toMatchObject({
      result: 'blocked',
      problem: { code: 'connection_removed' },
    });
    expect(await other.rotate(scenario.connection, true)).toMatchObject({ result: 'blocked' });
    expect(world.provider.sent).toHaveLength(sent);
    expect(world.credentials.history(REFRESH_TOKEN)).toHaveLength(versions);
    expect(enabled(scenario, 'tokens', ACCESS_TOKEN)).toEqual([]);
    expect(await removed({ ...scenario, process: other }, true)).toMatchObject({
      revoked: true,
      problems: [],
    });
    expect(enabled(scenario, 'credentials', REFRESH_TOKEN)).toEqual([]);
  });
});

describe('a removal looks again', () => {
  test('at the vault, and disables what was saved while it disabled the others', async () => {
    const scenario = await due();
    const { world } = scenario;
    const { tags } = world.credentials.latest(REFRESH_TOKEN) ?? expect.fail();
    world.before(`disable ${REFRESH_TOKEN}`, () => void world.credentials.set(REFRESH_TOKEN, 'late', tags));
    expect(await removed(scenario)).toMatchObject({ problems: [] });
    expect(world.credentials.latest(REFRESH_TOKEN)?.value).toBe('late');
    expect(enabled(scenario, 'credentials', REFRESH_TOKEN)).toEqual([]);
  });

  test('at its lease: a process that was frozen leaves the token of the next sign-in alone', async () => {
    const scenario = await due();
    const { world, connection } = scenario;
    world.after('write crm', ({ caller }) => caller.freeze(30_000));
    const removal = begin(scenario);
    await world.clock.pass(20_000);
    const value = replaceByHand(scenario);
    expect(await world.process().rotate(connection, true)).toMatchObject({ result: 'rotated' });
    expect(await world.settle(removal)).toMatchObject([{ problems: [{ code: 'in_progress' }] }]);
    expect(world.provider.usedAt(value)).toBeDefined();
    expectHealthy(scenario);
    const latest = world.credentials.latest(REFRESH_TOKEN)?.value;
    expect(enabled(scenario, 'credentials', REFRESH_TOKEN)).toContain(latest);
    expect(enabled(scenario, 'tokens', ACCESS_TOKEN)).not.toEqual([]);
  });
});

describe('a removal that is interrupted', () => {
  test.each([
    'write crm',
    'revoke crm',
    `disable ${REFRESH_TOKEN}`,
    `versions ${ACCESS_TOKEN}`,
    `disable ${ACCESS_TOKEN}`,
  ] as const)('after "%s" has paused the connection, and is completed by the next run', async (operation) => {
    const scenario = await due();
    const { world, connection, process } = scenario;
    world.after(operation, () => process.crash());
    void begin(scenario, { revoke: true });
    await world.clock.pass(20_000);
    const sent = world.provider.sent.length;
    const other = world.process();
    expect(await other.rotate(connection, true)).toMatchObject({
      result: 'blocked',
      problem: { code: 'connection_removed' },
    });
    expect(world.provider.sent).toHaveLength(sent);
    expect(await removed({ ...scenario, process: other }, true)).toMatchObject({
      revoked: true,
      problems: [],
    });
    expect(enabled(scenario, 'credentials', REFRESH_TOKEN)).toEqual([]);
    expect(enabled(scenario, 'tokens', ACCESS_TOKEN)).toEqual([]);
  });

  test('by a token vault that refuses it names the vault, and has disabled the refresh token', async () => {
    const scenario = await due();
    scenario.world.before(`versions ${ACCESS_TOKEN}`, () => Promise.reject(failure('vault_forbidden')));
    expect(await removed(scenario)).toMatchObject({
      problems: [{ code: 'vault_forbidden', fix: expect.stringContaining('--via') }],
    });
    expect(enabled(scenario, 'credentials', REFRESH_TOKEN)).toEqual([]);
  });
});

describe('a removal of several connections', () => {
  test('goes on after one that fails, leaves those of other providers, and says that invalid ones are left', async () => {
    const scenario = await due();
    const { world } = scenario;
    world.invalid = [INVALID];
    for (const name of ['one', 'two']) {
      const connection = connectionNamed(name);
      world.connections.push(connection);
      world.seed(connection);
    }
    world.connections.push(connectionNamed('other', { provider: 'okta' }));
    world.before('lease one', () => Promise.reject(failure('storage_unavailable')));
    const choice = { provider: 'test' };
    expect(await world.settle(begin(scenario, { choice }))).toMatchObject([
      { connection: 'crm', problems: [] },
      { connection: 'one', problems: [{ code: 'storage_unavailable' }] },
      { connection: 'two', problems: [] },
      {
        connection: INVALID.name,
        problems: [
          {
            code: 'connection_invalid',
            message: expect.stringMatching(/^\S+ was not removed, because its entry is not valid: /),
            fix: expect.stringMatching(/ Then run rotator remove \S+\.$/),
          },
        ],
      },
    ]);
    const all = await world.settle(begin(scenario, { choice: { all: true } }));
    expect(all.map(({ connection, disabled }) => [connection, disabled])).toEqual([
      ['crm', 0],
      ['one', 1],
      ['two', 0],
      ['other', 0],
      [INVALID.name, 0],
    ]);
  });

  test('begins no other one when the process is about to end', async () => {
    const scenario = await due();
    const rotator = createRotator(scenario.process.ports, scenario.world.now);
    await rotator.drain();
    expect(await rotator.remove({ all: true }, false)).toMatchObject([
      { problems: [{ code: 'interrupted' }] },
    ]);
  });

  test('does not touch a published secret that the rotator did not make', async () => {
    const scenario = await due();
    scenario.world.tokens.set(ACCESS_TOKEN, 'of another program');
    await removed(scenario);
    expect(enabled(scenario, 'tokens', ACCESS_TOKEN)).toEqual(['of another program']);
  });
});
