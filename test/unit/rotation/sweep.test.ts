import { describe, expect, test } from 'vitest';
import type { Connection } from '../../../lib/rotation/core/connection.ts';
import { RIVAL_WAIT_MS } from '../../../lib/rotation/core/times.ts';
import { type SweepLimits, sweep } from '../../../lib/rotation/sweep.ts';
import { problemWith } from '../../support/problem.ts';
import { CREDENTIAL_VAULT, connectionNamed, INVALID, TOKEN_VAULT } from './world/connection.ts';
import { failure } from './world/fakeVault.ts';
import { World } from './world.ts';

/** The most token requests of a sweep that are in flight at one host. */
const PER_HOST = 8;

/** A world with this many connections of one host, never rotated. */
function worldOf(count: number, host = 'login.example', world = new World()): World {
  const tokenUri = `https://${host}/token`;
  for (let index = 0; index < count; index++) {
    const connection = connectionNamed(`${host.split('.')[0]}-${index}`, { tokenUri });
    world.seed(connection);
    world.connections.push(connection);
  }
  return world;
}

/** A process whose vaults have no limit. */
function unpaced(world: World): ReturnType<World['process']> {
  const process = world.process();
  const pacer = { ...process.ports.pacer, take: async () => undefined, giveBack: () => undefined };
  return Object.assign(process, { ports: { ...process.ports, pacer } });
}

function sweepOf(world: World, limits?: SweepLimits, process = world.process()) {
  return world.settle(sweep(process.ports, process.state, limits));
}

describe('which connections are due', () => {
  test('those whose time has come: first new ones, then those that have waited longest', async () => {
    const world = worldOf(1, 'first.example');
    for (const [host, minutes] of [
      ['second.example', 10],
      ['later.example', 20],
      ['new.example', 25],
    ] as const) {
      await sweepOf(world);
      await world.clock.pass(minutes * 60_000);
      worldOf(1, host, world);
    }
    world.operations.length = 0;
    const oneByOne = { concurrency: 1, budgetMs: 45_000 };
    expect(await sweepOf(world, oneByOne)).toMatchObject({ connections: 4, due: 3 });
    const done = world.operations.filter((operation) => operation.startsWith('release '));
    expect(done).toEqual(['release new-0', 'release first-0', 'release second-0']);
  });

  test('those whose next attempt is in this second, because the service reports whole seconds', async () => {
    const world = worldOf(1);
    await sweepOf(world);
    const dueAt = Math.ceil((world.records.read('login-0')?.nextAttemptAt ?? 0) / 1000) * 1000;
    await world.clock.pass(dueAt - 1 - world.now());
    expect(await sweepOf(world)).toMatchObject({ due: 0 });
    await world.clock.pass(dueAt - world.now());
    expect(await sweepOf(world)).toMatchObject({ due: 1 });
  });
});

describe('a sweep', () => {
  test('rotates all due connections and reports the results', async () => {
    const world = worldOf(3);
    expect(await sweepOf(world, undefined, unpaced(world))).toEqual({
      connections: 3,
      invalid: 0,
      due: 3,
      postponed: 0,
      overdue: 0,
      results: { rotated: 3 },
      durationMs: RIVAL_WAIT_MS,
    });
    expect(world.events('sweep_finished')).toMatchObject([{ level: 'info', due: 3, rotated: 3 }]);
    expect(world.leaks()).toEqual([]);
  });

  test('without due connections costs one list request', async () => {
    const world = worldOf(3);
    await sweepOf(world);
    world.operations.length = 0;
    expect(await sweepOf(world)).toMatchObject({ due: 0, results: {} });
    expect(world.operations).toEqual(['list records']);
  });

  test('counts the access tokens that were not renewed in time, and names the first five', async () => {
    const world = worldOf(7);
    await sweepOf(world);
    world.before(/^get/, () => Promise.reject(failure('vault_unavailable')), Number.POSITIVE_INFINITY);
    await world.clock.pass(55 * 60_000);
    world.connections[0] = connectionNamed('login-0', { enabled: false });
    expect(await sweepOf(world)).toMatchObject({ overdue: 6, results: { retrying: 6 } });
    const [, line] = world.events('sweep_finished');
    expect(line).toMatchObject({ overdue: 6, overdueConnections: 'login-1 login-2 login-3 login-4 login-5' });
  });

  test('does not wait for a host that is slow, and sends it no more requests', async () => {
    const world = worldOf(60, 'silent.example');
    worldOf(12, 'answering.example', world);
    world.before(
      /^grant silent/,
      async () => {
        await world.clock.sleep(8_000);
        throw failure('provider_unavailable');
      },
      Number.POSITIVE_INFINITY,
    );
    expect(await sweepOf(world, undefined, unpaced(world))).toMatchObject({
      due: 72,
      postponed: 0,
      results: { rotated: 12, awaiting_response: PER_HOST, provider_slow: 60 - PER_HOST },
      durationMs: RIVAL_WAIT_MS + 4_000,
    });
  });

  test('begins no rotation of a connection whose response it still waits for', async () => {
    const world = worldOf(1);
    const process = world.process();
    world.before(/^grant/, () => world.clock.sleep(30_000));
    expect(await sweepOf(world, undefined, process)).toMatchObject({ results: { awaiting_response: 1 } });
    world.operations.length = 0;
    expect(await sweepOf(world, undefined, process)).toMatchObject({ results: { awaiting_response: 1 } });
    expect(world.operations).toEqual(['list records']);
    await world.clock.pass(30_000);
    expect(world.events('rotation_finished')).toMatchObject([{ result: 'rotated' }]);
    expect(await sweepOf(world, undefined, process)).toMatchObject({ due: 0 });
  });

  test('continues with the other connections of a host at which one fails', async () => {
    const world = worldOf(100);
    world.before(
      /^grant login-0$/,
      () => Promise.reject(failure('provider_unavailable')),
      Number.POSITIVE_INFINITY,
    );
    expect(await sweepOf(world)).toMatchObject({
      postponed: 0,
      results: { rotated: 99, outcome_unknown: 1 },
    });
  });

  test('leaves a host at which several fail alone, until another connection gets a good response', async () => {
    const world = worldOf(100);
    const process = unpaced(world);
    let isDown = true;
    world.before(
      /^grant/,
      () => isDown && Promise.reject(failure('provider_unavailable')),
      Number.POSITIVE_INFINITY,
    );
    const { results } = await sweepOf(world, undefined, process);
    expect(results.outcome_unknown).toBeLessThanOrEqual(PER_HOST + 1);
    expect(results.provider_slow).toBe(100 - (results.outcome_unknown ?? 0));
    isDown = false;
    await world.clock.pass(10_000);
    const next = await sweepOf(world, undefined, process);
    expect(next.results.rotated).toBeGreaterThanOrEqual(results.provider_slow ?? 0);
    expect(next.results.provider_slow).toBeUndefined();
  });

  test('counts connections that have failed for half an hour before their first access token', async () => {
    const world = worldOf(1);
    world.before(/^get/, () => Promise.reject(failure('vault_unavailable')), Number.POSITIVE_INFINITY);
    expect(await sweepOf(world)).toMatchObject({ overdue: 0, results: { retrying: 1 } });
    await world.clock.pass(30 * 60_000 + 1_000);
    expect(await sweepOf(world)).toMatchObject({ overdue: 1, results: { retrying: 1 } });
  });

  test('leaves paused connections alone and counts invalid ones', async () => {
    const world = worldOf(1);
    world.connections.push(connectionNamed('paused', { enabled: false }));
    world.invalid = [INVALID];
    expect(await sweepOf(world)).toMatchObject({
      connections: 1,
      invalid: 1,
      due: 1,
      results: { rotated: 1 },
    });
    expect(world.count(/paused|broken/)).toBe(0);
  });

  test('continues with the last valid connections, and logs each time why there are no newer ones', async () => {
    const world = worldOf(1);
    const problem = problemWith('configuration_invalid');
    world.stale = { ...problem, since: 0 };
    expect(await sweepOf(world)).toMatchObject({ results: { rotated: 1 } });
    expect(world.events('sweep_finished')).toMatchObject([{ level: 'warn', rotated: 1, ...problem }]);
  });

  test('continues after a connection that fails or throws an unexpected error', async () => {
    const world = worldOf(4);
    world.credentials.softDelete('login-1-client-secret');
    world.before('get login-2-refresh-token', () => Promise.reject(failure('vault_unavailable')));
    const process = world.process();
    const log: typeof process.ports.log = (level, event, fields) => {
      if (event === 'rotation_finished' && 'connection' in fields && fields.connection === 'login-3')
        throw new TypeError('defect');
      process.ports.log(level, event, fields);
    };
    const summary = await world.settle(sweep({ ...process.ports, log }, process.state));
    expect(summary.results).toEqual({ rotated: 1, blocked: 1, retrying: 2 });
    expect(world.events('rotation_crashed')).toMatchObject([
      { connection: 'login-3', code: 'internal_error' },
    ]);
  });

  test.each(['records', 'connections'])('throws if it cannot read the %s', async (what) => {
    const world = worldOf(1);
    const process = world.process();
    world.before('list records', () => Promise.reject(failure('storage_unavailable')));
    const connections = () => Promise.reject(failure('configuration_invalid'));
    const ports = what === 'connections' ? { ...process.ports, connections } : process.ports;
    const code = what === 'connections' ? 'configuration_invalid' : 'storage_unavailable';
    await expect(world.settle(sweep(ports, process.state))).rejects.toMatchObject({ code });
  });

  test('does nothing in a process that is about to end', async () => {
    const world = worldOf(1);
    const process = world.process();
    await process.state.drain();
    expect(await sweepOf(world, undefined, process)).toMatchObject({ due: 0 });
    expect(world.operations).toEqual([]);
  });

  test('counts slow saves and does not wait for them', async () => {
    const world = worldOf(2);
    world.before(/^grant login-0/, () =>
      world.before('put login-0-refresh-token', () => Promise.reject(failure('vault_unavailable')), 99),
    );
    const process = world.process();
    expect(await sweepOf(world, undefined, process)).toMatchObject({ results: { rotated: 1, saving: 1 } });
    expect(await sweepOf(world, undefined, process)).toMatchObject({ due: 1, results: { saving: 1 } });
    expect(world.count(/^grant/)).toBe(2);
  });
});

describe('the limits of a sweep', () => {
  const hang = (world: World, ms: number) => () => world.clock.sleep(ms);
  const ALL = Number.POSITIVE_INFINITY;

  /** @returns a function that gives the largest number of token requests that were in flight at the same time */
  function countConcurrent(world: World, of: RegExp): () => number {
    let [now, most] = [0, 0];
    world.before(
      of,
      async () => {
        now += 1;
        most = Math.max(most, now);
        await world.clock.sleep(1_000);
      },
      ALL,
    );
    world.after(
      of,
      () => {
        now -= 1;
      },
      ALL,
    );
    return () => most;
  }

  test('apply to one host', async () => {
    const world = worldOf(30);
    const most = countConcurrent(world, /^grant/);
    expect(await sweepOf(world)).toMatchObject({ results: { rotated: 30 } });
    expect(most()).toBe(PER_HOST);
  });

  test('apply to all hosts together', async () => {
    const world = new World();
    for (let host = 0; host < 6; host++) worldOf(3, `host${host}.example`, world);
    const most = countConcurrent(world, /^grant/);
    const limits = { concurrency: 5, budgetMs: 45_000 };
    expect(await sweepOf(world, limits)).toMatchObject({ results: { rotated: 18 } });
    expect(most()).toBe(5);
  });

  test('delay only the connections of a slow host', async () => {
    const world = worldOf(20, 'slow.example');
    worldOf(20, 'works.example', world);
    world.after(/^grant slow/, hang(world, 8_000), ALL);
    const done: Record<string, number> = {};
    world.after(
      /^release works/,
      () => {
        done.works = world.now();
      },
      ALL,
    );
    const begun = world.now();
    await sweepOf(world, undefined, unpaced(world));
    // Each host takes three rounds, and in each round a rotation first compares the copies of its refresh token.
    expect((done.works ?? 0) - begun).toBe(3 * RIVAL_WAIT_MS);
    expect(world.now() - begun).toBe(RIVAL_WAIT_MS + 4_000);
  });

  test('start nothing after the budget is used up, and leave the rest to the next sweep', async () => {
    const world = worldOf(3);
    world.before(/^grant/, hang(world, 3_000), ALL);
    const limits = { concurrency: 1, budgetMs: 3_000 };
    expect(await sweepOf(world, limits)).toMatchObject({ due: 3, postponed: 2, results: { rotated: 1 } });
    expect(await sweepOf(world)).toMatchObject({ due: 2, results: { rotated: 2 } });
  });

  test('start nothing after the process begins to drain', async () => {
    const world = worldOf(3);
    const process = world.process();
    world.after(/^grant/, () => void process.state.drain());
    const limits = { concurrency: 1, budgetMs: 45_000 };
    expect(await sweepOf(world, limits, process)).toMatchObject({ postponed: 2, results: { rotated: 1 } });
  });

  test('wait for a vault without a lease, and without delaying connections of another vault at the same host', async () => {
    const world = worldOf(20);
    const FULL = 'https://full.vault.azure.net';
    const full = { credential: CREDENTIAL_VAULT, token: FULL };
    world.connections.splice(
      0,
      12,
      ...world.connections.slice(0, 12).map((each) => ({ ...each, vaults: full })),
    );
    const process = world.process();
    const free = Promise.withResolvers<void>();
    const take = (vault: string) => (vault === FULL ? free.promise : Promise.resolve());
    const pacer = { ...process.ports.pacer, take };
    const limits = { concurrency: 2, budgetMs: 45_000 };
    const most = countConcurrent(world, /^grant/);
    const swept = sweep({ ...process.ports, pacer }, process.state, limits);
    await world.clock.pass(20_000);
    const leased = new Set(world.operations.filter((operation) => operation.startsWith('lease ')));
    expect([world.count(/^grant/), leased.size]).toEqual([8, 8]);
    free.resolve();
    expect(await world.settle(swept)).toMatchObject({ postponed: 0, results: { rotated: 20 } });
    expect(most()).toBe(2);
  });

  test('apply to one host, however many vaults its connections have', async () => {
    const world = worldOf(30);
    world.connections.forEach((each, index) => {
      const token = `https://tokens-${index % 5}.vault.azure.net`;
      world.connections[index] = { ...each, vaults: { ...each.vaults, token } };
    });
    const most = countConcurrent(world, /^grant/);
    expect(await sweepOf(world)).toMatchObject({ results: { rotated: 30 } });
    expect(most()).toBe(PER_HOST);
  });

  test('give back the writes of connections that are left to the next sweep', async () => {
    const world = worldOf(3);
    world.before(/^grant/, hang(world, 3_000), ALL);
    const process = world.process();
    let left = 0;
    const { take, giveBack } = process.ports.pacer;
    const pacer = {
      take: (vault: string, writes: number) => {
        if (vault === TOKEN_VAULT) left += writes;
        return take(vault, writes);
      },
      giveBack: (vault: string, writes: number) => {
        if (vault === TOKEN_VAULT) left -= writes;
        giveBack(vault, writes);
      },
    };
    const limits = { concurrency: 1, budgetMs: 3_000 };
    const swept = sweep({ ...process.ports, pacer }, process.state, limits);
    expect(await world.settle(swept)).toMatchObject({ postponed: 2, results: { rotated: 1 } });
    // The first rotation of a connection also writes a placeholder.
    expect(left).toBe(2);
  });

  test('let two concurrent sweeps rotate every connection once', async () => {
    const world = worldOf(10);
    const sweeps = [world.process(), world.process()].map(({ ports, state }) => sweep(ports, state));
    await world.settle(Promise.all(sweeps));
    expect(world.count(/^grant/)).toBe(10);
    expect(new Set(world.provider.sent).size).toBe(10);
  });
});

test('connections that were created together become due at different times', async () => {
  const world = new World();
  for (let index = 0; index < 40; index++) worldOf(1, `h${index}.example`, world);
  await sweepOf(world);
  const times = world.connections.map(({ name }: Connection) => world.record(name).nextAttemptAt);
  expect(new Set(times).size).toBeGreaterThan(38);
});
