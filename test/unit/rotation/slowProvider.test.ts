import { describe, expect, test } from 'vitest';
import type { Connection } from '../../../lib/rotation/core/connection.ts';
import { sweep } from '../../../lib/rotation/sweep.ts';
import { connectionNamed } from './world/connection.ts';
import { failure } from './world/fakeVault.ts';
import type { Process } from './world/process.ts';
import { ACCESS_TOKEN, due, expectHealthy, mustRotate, passToDue, REFRESH_TOKEN } from './world/scenario.ts';
import { World } from './world.ts';

const ALL = Number.POSITIVE_INFINITY;
const INTERVAL_MS = 10_000;
const REUSABLE = Number.POSITIVE_INFINITY;

/** So many connections of one host that have rotated once and are due again, and the process that rotates them. */
async function dueAtOneHost(graces: readonly number[]) {
  const world = new World();
  const process = world.process();
  for (const [index, refreshTokenGraceMs] of graces.entries()) {
    const connection = connectionNamed(`c${index}`, { behavior: { refreshTokenGraceMs } });
    world.connections.push(connection);
    world.seed(connection);
  }
  world.provider.graceMs = graces[0] ?? 0;
  await world.settle(sweep(process.ports, process.state));
  await world.clock.pass(3_000_000);
  world.provider.sent.length = 0;
  world.operations.length = 0;
  return { world, process };
}

/** Runs the timer for this long, as the platform does: never two sweeps at once. */
async function sweepFor(world: World, process: Process, ms: number): Promise<void> {
  const until = world.clock.monotonic() + ms;
  while (world.clock.monotonic() < until) {
    const next = world.clock.monotonic() + INTERVAL_MS;
    await world.settle(sweep(process.ports, process.state));
    await world.clock.pass(Math.max(0, next - world.clock.monotonic()));
  }
}

/** Every token request takes this long, until `until` by the world's clock. @returns the most that were in flight at a time */
function slowDown(world: World, ms: number, until = ALL): () => number {
  let [inFlight, most] = [0, 0];
  world.between(
    /^grant/,
    async () => {
      inFlight += 1;
      most = Math.max(most, inFlight);
      if (world.clock.monotonic() < until) await world.clock.sleep(ms);
      inFlight -= 1;
    },
    ALL,
  );
  return () => most;
}

/** These connections are due only after `ms` milliseconds. */
function putOff(world: World, names: readonly string[], ms: number): void {
  for (const name of names)
    world.records.change(name, (record) => ({ ...record, nextAttemptAt: world.now() + ms }));
}

function alive(world: World): Connection[] {
  return world.connections.filter(({ secrets }) =>
    world.provider.accepts(world.credentials.latest(secrets.refreshToken)?.value),
  );
}

describe('a provider that responds slowly for a minute', () => {
  test.each([5_000, 10_000, 37_000])(
    'costs no connection with single-use tokens its token family: %d ms',
    async (ms) => {
      const { world, process } = await dueAtOneHost(Array(24).fill(0));
      slowDown(world, ms, world.clock.monotonic() + 60_000);
      await sweepFor(world, process, 180_000);
      expect(alive(world)).toHaveLength(24);
      expect(new Set(world.provider.sent).size).toBe(world.provider.sent.length);
      for (const { name } of world.connections) expect(world.record(name).failure).toBeUndefined();
    },
  );

  test('never has more than eight requests with single-use tokens in flight, and then tries with one', async () => {
    const { world, process } = await dueAtOneHost(Array(24).fill(0));
    const most = slowDown(world, 30_000);
    await sweepFor(world, process, 20_000);
    expect(most()).toBe(8);
    await sweepFor(world, process, 20_000);
    expect(world.count(/^grant/)).toBe(9);
    expect(world.events('provider_slow')).toMatchObject([{ host: 'login.example', how: 'slow' }]);
  });

  test('is tried with a connection whose request may be repeated, if there is one', async () => {
    const { world, process } = await dueAtOneHost([...Array(6).fill(0), REUSABLE]);
    putOff(world, ['c4', 'c5', 'c6'], 5_000);
    slowDown(world, 30_000);
    await sweepFor(world, process, 20_000);
    const requests = world.operations.filter((each) => each.startsWith('grant'));
    expect([requests.length, requests.at(-1)]).toEqual([5, 'grant c6']);
  });

  test('gets many requests at once again after one good response', async () => {
    const { world, process } = await dueAtOneHost(Array(30).fill(0));
    slowDown(world, 6_000, world.clock.monotonic() + 5_000);
    await sweepFor(world, process, 30_000);
    expect(world.provider.sent).toHaveLength(30);
    expect(world.events('provider_responds_well')).toMatchObject([{ host: 'login.example' }]);
  });
});

describe('a provider that fails', () => {
  test('costs no more single-use tokens than were in flight together, and one for each further try', async () => {
    const { world, process } = await dueAtOneHost(Array(40).fill(0));
    world.after(/^grant/, () => Promise.reject(failure('provider_unavailable')), ALL);
    await sweepFor(world, process, 60_000);
    // Tried again after 10, 20 and 40 s.
    expect(world.provider.sent.length).toBeLessThanOrEqual(8 + 3);
    expect(alive(world).length).toBeGreaterThanOrEqual(40 - 8 - 3);
    expect(world.events('provider_slow')).toMatchObject([{ how: 'fails' }]);
  });

  test('for one connection gets the requests of the others immediately', async () => {
    const { world, process } = await dueAtOneHost([0, 0]);
    putOff(world, ['c1'], 2_000);
    world.before(/^grant c0$/, () => Promise.reject(failure('provider_unavailable')), ALL);
    await world.settle(sweep(process.ports, process.state));
    await world.clock.pass(2_000);
    expect((await world.settle(sweep(process.ports, process.state))).results).toMatchObject({ rotated: 1 });
    expect(world.events('provider_slow')).toEqual([]);
  });
});

describe('reusable tokens', () => {
  test('are refreshed with more and more requests at once while the responses are good', async () => {
    const { world, process } = await dueAtOneHost(Array(200).fill(REUSABLE));
    const most = slowDown(world, 3_500);
    await sweepFor(world, process, 20_000);
    expect(most()).toBeGreaterThan(32);
    expect(most()).toBeLessThanOrEqual(64);
  });
});

describe('a response that comes after the lease', () => {
  const noRenewal = () => Promise.reject(failure('storage_unavailable'));

  test('is saved without it and not published; meanwhile no other process sends', async () => {
    const scenario = await due();
    const { world, connection, process } = scenario;
    const published = world.tokens.latest(ACCESS_TOKEN);
    world.before(/^renew/, noRenewal, ALL);
    world.after('grant crm', () => world.clock.sleep(55_000));
    const first = process.start(connection);
    const other = world.process();
    for (let passed = 0; passed < 50_000; passed += INTERVAL_MS) {
      await world.clock.pass(INTERVAL_MS);
      void other.start(connection);
    }
    expect(await world.settle(first)).toEqual({ result: 'in_progress', connection: 'crm' });
    expect(world.provider.sent).toHaveLength(2);
    expect(world.tokens.latest(ACCESS_TOKEN)).toBe(published);
    expect(world.provider.accepts(world.credentials.latest(REFRESH_TOKEN)?.value)).toBe(true);
    world.calm();
    await passToDue(scenario);
    await mustRotate({ connection, process: other });
    expectHealthy(scenario);
  });

  test('is not waited for longer than a minute, and the request is not repeated before', async () => {
    const { world, connection, process } = await due();
    world.records.change('crm', (record) => ({
      ...record,
      accessToken: { issuedAt: 0, expiresAt: world.now(), expiresInIsDefault: false },
    }));
    world.after('grant crm', () => world.clock.sleep(ALL));
    const begun = world.now();
    expect(await process.rotate(connection)).toMatchObject({ result: 'outcome_unknown' });
    expect(world.now() - begun).toBe(60_000);
    expect(world.record('crm').phase).toMatchObject({ state: 'requesting', awaitedUntil: begun + 60_000 });
  });

  test.each(['this', 'another'])(
    'is awaited without the lease where the request may be repeated: %s process repeats it within its grace period',
    async (which) => {
      const scenario = await due({ behavior: { refreshTokenGraceMs: 30_000 } });
      const { world, process } = scenario;
      const begun = world.now();
      world.after('grant crm', () => world.clock.sleep(40_000));
      void sweep(process.ports, process.state);
      const next = which === 'this' ? process : world.process();
      for (let passed = 0; passed < 30_000; passed += INTERVAL_MS) {
        await world.clock.pass(INTERVAL_MS);
        void sweep(next.ports, next.state);
      }
      expect(world.record('crm').rotatedAt).toBe(begun + 20_000);
      expect(world.provider.sent).toHaveLength(3);
      expect(world.events('lease_handed_over')).toHaveLength(1);
      // The first response comes later. What it brought is saved, and the newer token stays the current one.
      await world.clock.pass(20_000);
      expect(world.events('refresh_token_saved')).toHaveLength(2);
      await passToDue(scenario);
      await mustRotate(scenario);
      expectHealthy(scenario);
    },
  );
});

test('a call for one connection waits for a slow response', async () => {
  const { world, connection, process } = await due();
  world.after('grant crm', () => world.clock.sleep(30_000));
  expect(await process.rotate(connection)).toMatchObject({ result: 'rotated' });
});

describe('a kill loses at most', () => {
  test.each([
    ['single-use tokens', 0],
    ['tokens whose grace period is too short for another process', 20_000],
  ])('eight tokens that are on their way at one host: %s', async (_, graceMs) => {
    const { world, process } = await dueAtOneHost(Array(30).fill(graceMs));
    const most = slowDown(world, 3_000);
    await sweepFor(world, process, 60_000);
    expect(most()).toBe(8);
  });

  test('eight tokens that wait for a vault, however many connections are due', async () => {
    const { world, process } = await dueAtOneHost(Array(60).fill(0));
    world.before(/^put .*-refresh-token$/, () => Promise.reject(failure('vault_forbidden')), ALL);
    await sweepFor(world, process, 120_000);
    expect(world.provider.sent).toHaveLength(8);
    world.calm();
    await sweepFor(world, process, 60_000);
    expect(world.events('refresh_token_saved')).toHaveLength(60 + 60);
  });

  test('eight tokens that wait for a vault, although connections of other hosts are due', async () => {
    const { world, process } = await dueAtOneHost([]);
    for (let index = 0; index < 28; index++) {
      const tokenUri = `https://${index < 8 ? 'login' : `other${index}`}.example/token`;
      const connection = connectionNamed(`c${index}`, { tokenUri });
      world.connections.push(connection);
      world.seed(connection);
    }
    await world.settle(sweep(process.ports, process.state));
    await world.clock.pass(3_000_000);
    // The connections of the other hosts are due when eight tokens already wait.
    putOff(
      world,
      world.connections.slice(8).map(({ name }) => name),
      60_000,
    );
    world.provider.sent.length = 0;
    world.before(/^put .*-refresh-token$/, () => Promise.reject(failure('vault_forbidden')), ALL);
    await sweepFor(world, process, 120_000);
    expect(world.provider.sent).toHaveLength(8);
    expect(world.events('sweep_finished').at(-1)).toMatchObject({ saving: 8, retrying: 20 });
    world.calm();
    await sweepFor(world, process, 60_000);
    expect(alive(world)).toHaveLength(28);
  });
});
