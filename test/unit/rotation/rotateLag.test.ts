import { describe, expect, test } from 'vitest';
import {
  ACCESS_TOKEN,
  due,
  expectHealthy,
  mustRotate,
  passToDue,
  REFRESH_TOKEN,
  replaceByHand,
} from './world/scenario.ts';

const LAG_MS = 40_000;

describe('a listing that lags', () => {
  test("does not hide an operator's token that was set just before a forced rotation", async () => {
    const scenario = await due();
    const { world, connection, process } = scenario;
    world.credentials.listingLagMs = LAG_MS;
    const value = replaceByHand(scenario);
    expect(await process.rotate(connection, true)).toMatchObject({ result: 'rotated' });
    expect(world.provider.sent.at(-1)).toBe(value);
    expectHealthy(scenario);
  });

  test.each([0, 30_000, 60_000])(
    'does not hide the token that a killed process saved, with a grace of %s ms',
    async (refreshTokenGraceMs) => {
      const scenario = await due({ behavior: { refreshTokenGraceMs } });
      const { world, connection, process } = scenario;
      world.provider.graceMs = refreshTokenGraceMs;
      world.credentials.listingLagMs = LAG_MS;
      world.after(`put ${REFRESH_TOKEN}`, () => process.crash());
      await process.rotate(connection);
      const saved = world.credentials.latest(REFRESH_TOKEN)?.value;
      await world.clock.pass(16_000);
      await mustRotate({ connection, process: world.process() });
      expect(world.provider.sent.at(-1)).toBe(saved);
      expectHealthy(scenario);
    },
  );

  test('does not hide the recorded version', async () => {
    const scenario = await due();
    const { world, connection, process } = scenario;
    const seed = world.credentials.history(REFRESH_TOKEN)[0];
    world.credentials.listingLagMs = 24 * 3_600_000;
    await mustRotate(scenario);
    await passToDue(scenario);
    // A process that was stopped for a day: its write arrives now.
    world.credentials.set(REFRESH_TOKEN, 'late', { ...world.credentials.history(REFRESH_TOKEN)[1]?.tags });
    expect(seed).toBeDefined();
    expect(await process.rotate(connection)).toMatchObject({ result: 'rotated' });
    expect(world.provider.sent.at(-1)).not.toBe('late');
    expectHealthy(scenario);
  });
});

describe('a GET of the latest version that lags', () => {
  test('postpones the rotation, and neither writes nor sends anything', async () => {
    const scenario = await due();
    const { world, connection, process } = scenario;
    world.credentials.latestLagMs = LAG_MS;
    await mustRotate(scenario);
    await world.clock.pass(10_000);
    const before = world.credentials.history(REFRESH_TOKEN).length;
    const sent = world.provider.sent.length;
    expect(await process.rotate(connection, true)).toMatchObject({
      result: 'retrying',
      problem: { code: 'vault_unavailable' },
    });
    expect(world.credentials.history(REFRESH_TOKEN)).toHaveLength(before);
    expect(world.provider.sent).toHaveLength(sent);
    world.credentials.latestLagMs = 0;
    await world.clock.pass(LAG_MS);
    await mustRotate(scenario);
    expectHealthy(scenario);
  });
});

test('a replay is not sent if the process that was frozen with the response saves it meanwhile', async () => {
  const scenario = await due();
  const { world, connection, process: frozen } = scenario;
  world.after('grant crm', () => frozen.freeze(70_000));
  const first = frozen.start(connection);
  await world.clock.pass(65_000);
  // Nothing valid is published any more, so nothing is left to lose, and the second process may repeat the request.
  world.records.change('crm', ({ accessToken: _, ...record }) => record);
  world.tokens.disable(ACCESS_TOKEN);
  const second = world.process();
  world.after(`tag ${REFRESH_TOKEN}`, () => world.clock.sleep(10_000));
  const replayed = second.rotate(connection);
  await world.clock.pass(30_000);
  await Promise.all([first, replayed]);
  const sent = world.provider.sent;
  expect(new Set(sent).size).toBe(sent.length);
  expect(world.count(new RegExp(`^tag ${REFRESH_TOKEN}`))).toBeGreaterThan(1);
  await passToDue(scenario);
  await mustRotate({ connection, process: world.process() });
  expectHealthy(scenario);
});
