import { describe, expect, test } from 'vitest';
import { refusal } from './world/provider.ts';
import {
  ACCESS_TOKEN,
  due,
  expectHealthy,
  mustRotate,
  REFRESH_TOKEN,
  type Scenario,
  seeded,
} from './world/scenario.ts';

const GRACE = 60_000;
const HOUR_DUE = 2_400_000;
const REUSABLE = Number.POSITIVE_INFINITY;
const KINDS = { 'single use': 0, grace: GRACE, reusable: REUSABLE };

/** Takes over in a new process, every 10 s like the timer, until it has rotated. */
async function takeOver({ world, connection }: Scenario, limitMs: number): Promise<number> {
  const begun = world.now();
  const process = world.process();
  while (world.now() - begun <= limitMs) {
    const result = await process.rotate(connection);
    if (result !== 'crashed' && result.result === 'rotated') return world.now() - begun;
    await world.clock.pass(10_000);
  }
  throw new Error(`The connection was not rotated within ${limitMs} ms.`);
}

describe.each(Object.entries(KINDS))('a crash, %s', (_, refreshTokenGraceMs) => {
  const rotating = refreshTokenGraceMs !== REUSABLE;
  const points: Record<string, (scenario: Scenario) => void> = {
    'before the intent was recorded': ({ world, process }) =>
      world.before('write crm', () => process.crash()),
    'after the save': ({ world, process }) =>
      world.after(rotating ? `put ${REFRESH_TOKEN}` : `put ${ACCESS_TOKEN}`, () => process.crash()),
    'after the access token was published': ({ world, process }) =>
      world.after(`put ${ACCESS_TOKEN}`, () => process.crash()),
    'after everything was recorded': ({ world, process }) =>
      world.before('release crm', () => process.crash()),
  };
  test.each(Object.entries(points))('%s: the next process continues', async (name, crash) => {
    const scenario = await due({ behavior: { refreshTokenGraceMs } });
    const { world, connection, process } = scenario;
    crash(scenario);
    expect(await process.rotate(connection)).toBe('crashed');
    if (name !== 'after everything was recorded') await takeOver(scenario, 40_000);
    expectHealthy(scenario);
    await world.clock.pass(HOUR_DUE);
    await mustRotate({ connection, process: world.process() });
    expectHealthy(scenario);
  });
});

describe('a crash while the outcome of a token request is unknown', () => {
  test.each([
    ['before it was sent', 'before'],
    ['after it was executed', 'after'],
  ] as const)('grace: replayed immediately, %s', async (_, when) => {
    const scenario = await due({ behavior: { refreshTokenGraceMs: GRACE } });
    const { world, connection, process } = scenario;
    world[when]('grant crm', () => process.crash());
    expect(await process.rotate(connection)).toBe('crashed');
    expect(await takeOver(scenario, GRACE)).toBeLessThan(30_000);
    expectHealthy(scenario);
  });

  test.each([
    ['before it was sent', 'before'],
    ['after it was executed', 'after'],
  ] as const)('reusable: replayed immediately, %s', async (_, when) => {
    const scenario = await due({ behavior: { refreshTokenGraceMs: REUSABLE } });
    const { world, connection, process } = scenario;
    world[when]('grant crm', () => process.crash());
    expect(await process.rotate(connection)).toBe('crashed');
    expect(await takeOver(scenario, 60_000)).toBeLessThan(30_000);
    expectHealthy(scenario);
  });

  test('single use, not sent: replayed a minute before the published token ends', async () => {
    const scenario = await due();
    const { world, connection, process } = scenario;
    const { expiresAt = 0 } = world.tokens.latest(ACCESS_TOKEN) ?? {};
    world.before('grant crm', () => process.crash());
    expect(await process.rotate(connection)).toBe('crashed');
    await takeOver(scenario, 3_600_000);
    const left = expiresAt - (world.record('crm').rotatedAt ?? 0);
    expect(left).toBeLessThanOrEqual(60_000);
    expect(left).toBeGreaterThan(40_000);
    expect(world.provider.sent).toHaveLength(2);
    expectHealthy(scenario);
  });

  test('single use, executed: blocks, but only when the published token ends', async () => {
    const scenario = await due();
    const { world, connection, process } = scenario;
    world.after('grant crm', () => process.crash());
    expect(await process.rotate(connection)).toBe('crashed');
    const next = world.process();
    await world.clock.pass(20_000);
    const waiting = { result: 'outcome_unknown', problem: { code: 'outcome_unknown' } } as const;
    expect(await next.rotate(connection)).toMatchObject(waiting);
    expect(await next.rotate(connection)).toMatchObject({ ...waiting, reason: 'outcome_unknown' });
    expect(world.provider.sent).toHaveLength(2);
    await world.clock.pass(world.record('crm').nextAttemptAt - world.now());
    const lost = await next.rotate(connection);
    expect(lost).toMatchObject({ result: 'blocked', problem: { code: 'reauthorization_required' } });
    expect(lost).toMatchObject({
      problem: { message: expect.stringContaining('response to an earlier token request was lost') },
    });
    world.credentials.set(REFRESH_TOKEN, world.provider.consent());
    await world.clock.pass(60_000);
    await mustRotate({ connection, process: next });
    expectHealthy(scenario);
  });

  test('a request that was forced on a blocked connection is not forgotten', async () => {
    const scenario = await due();
    const { world, connection, process } = scenario;
    world.provider.script(refusal('client_rejected'));
    expect(await process.rotate(connection)).toMatchObject({ result: 'blocked' });
    await world.clock.pass(30_000);
    world.after(`put ${REFRESH_TOKEN}`, ({ caller }) => caller.crash());
    expect(await process.rotate(connection, true)).toBe('crashed');
    await world.clock.pass(20_000);
    await mustRotate({ connection, process: world.process() });
    expectHealthy(scenario);
  });

  test('a grace period that is over when another process takes over counts as single use', async () => {
    const { world, connection, process } = await due({ behavior: { refreshTokenGraceMs: GRACE } });
    world.after('grant crm', () => process.crash());
    await process.rotate(connection);
    await world.clock.pass(GRACE);
    expect(await world.process().rotate(connection)).toMatchObject({ result: 'outcome_unknown' });
    expect(world.provider.sent).toHaveLength(2);
  });

  test('the grace period counts from the first of several crashes', async () => {
    const scenario = await due({ behavior: { refreshTokenGraceMs: GRACE } });
    const { world, connection } = scenario;
    for (const _ of [1, 2, 3]) {
      const process = world.process();
      world.after('grant crm', () => process.crash());
      expect(await process.rotate(connection)).toBe('crashed');
      await world.clock.pass(16_000);
    }
    expect(world.record('crm').phase).toMatchObject({ firstStartedAt: world.now() - 48_000 });
    await world.clock.pass(11_000);
    expect(await world.process().rotate(connection)).toMatchObject({ result: 'outcome_unknown' });
    expect(world.provider.sent).toHaveLength(4);
  });
});

describe('a crash while a seed is copied and first used', () => {
  test.each([
    ['before', 'put crm-refresh-token'],
    ['after', 'put crm-refresh-token'],
    ['after', 'write crm'],
    ['before', 'tag crm-refresh-token'],
    ['after', 'put crm-access-token'],
  ] as const)('%s %s: the next process continues', async (when, operation) => {
    const scenario = seeded();
    const { world, connection, process } = scenario;
    world[when](operation, () => process.crash());
    expect(await process.rotate(connection)).toBe('crashed');
    // The process that announced the first request may still wait for its response.
    await takeOver(scenario, 90_000);
    expectHealthy(scenario);
  });
});
