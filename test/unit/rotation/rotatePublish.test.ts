import { describe, expect, test } from 'vitest';
import { isManaged } from '../../../lib/rotation/core/tags.ts';
import { failure } from './world/fakeVault.ts';
import {
  ACCESS_TOKEN,
  due,
  expectHealthy,
  mustRotate,
  passToDue,
  REFRESH_TOKEN,
  seeded,
} from './world/scenario.ts';

const PUT = `put ${ACCESS_TOKEN}`;
const ALWAYS = Number.POSITIVE_INFINITY;
const fails = () => Promise.reject(failure('vault_forbidden'));

describe('before a refresh token is spent', () => {
  test('a secret of somebody else is not overwritten, and nothing is sent', async () => {
    const scenario = seeded();
    const { world, connection, process } = scenario;
    world.tokens.set(ACCESS_TOKEN, 'somebody-elses-value', { team: 'crm' });
    const problem = {
      code: 'secret_not_managed',
      fix: expect.stringContaining('"overwrite": true'),
    } as const;
    expect(await process.rotate(connection)).toMatchObject({ result: 'retrying', problem });
    expect(world.count(/^(put|tag|grant)/)).toBe(0);
    await passToDue(scenario);
    expect(await process.rotate(connection)).toMatchObject({ result: 'retrying', problem });
    await passToDue(scenario);
    await mustRotate({ process, connection: { ...connection, overwrite: true } });
    expect(world.tokens.latest(ACCESS_TOKEN)?.tags).not.toHaveProperty('team');
    expectHealthy(scenario);
  });

  test('with adopt, the value of somebody else stays until there is a better one', async () => {
    const { world, connection, process } = seeded({ overwrite: true });
    world.tokens.put(ACCESS_TOKEN, 'somebody-elses-value', {
      tags: { team: 'crm' },
      contentType: 'text/plain',
    });
    world.before('grant crm', () => {
      const proof = world.tokens.latest(ACCESS_TOKEN);
      expect(proof).toMatchObject({ value: 'somebody-elses-value', contentType: 'text/plain' });
      expect(proof?.tags).toMatchObject({ team: 'crm', connection: 'crm' });
    });
    await mustRotate({ connection, process });
  });

  test("somebody else's disabled secret is not overwritten either", async () => {
    const { world, connection, process } = seeded();
    world.tokens.set(ACCESS_TOKEN, 'somebody-elses-value');
    world.tokens.disable(ACCESS_TOKEN);
    expect(await process.rotate(connection)).toMatchObject({ problem: { code: 'secret_not_managed' } });
  });

  test('our own placeholder from a rotation that ended there is no obstacle', async () => {
    const scenario = seeded();
    const { world, connection, process } = scenario;
    world.after(PUT, () => process.crash());
    await process.rotate(connection);
    expect(world.tokens.latest(ACCESS_TOKEN)).toMatchObject({ enabled: false });
    await world.clock.pass(15_000);
    await mustRotate({ connection, process: world.process() });
    expectHealthy(scenario);
  });

  test('a soft-deleted name is a failure of its own', async () => {
    const scenario = seeded();
    const { world, connection, process } = scenario;
    world.tokens.set(ACCESS_TOKEN, 'old-value');
    world.tokens.softDelete(ACCESS_TOKEN);
    expect(await process.rotate(connection)).toMatchObject({ problem: { code: 'secret_soft_deleted' } });
    expect(world.provider.sent).toEqual([]);
  });

  test.each([
    ['read', `get ${ACCESS_TOKEN}`],
    ['written', PUT],
  ] as const)('a token vault that cannot be %s: nothing is sent', async (_, operation) => {
    const { world, connection, process } = seeded();
    world.before(operation, fails, ALWAYS);
    expect(await process.rotate(connection)).toMatchObject({
      result: 'retrying',
      problem: { code: 'vault_forbidden' },
    });
    expect(world.provider.sent).toEqual([]);
  });

  test('the proof is remembered, for this vault and name', async () => {
    const scenario = await due();
    const { world, connection, process } = scenario;
    await mustRotate(scenario);
    expect(world.count(/^get crm-access/)).toBe(0);
    await passToDue(scenario);
    const secrets = { ...connection.secrets, accessToken: 'crm-token' };
    await mustRotate({ process, connection: { ...connection, secrets } });
    expect(world.count(/^get crm-token/)).toBe(1);
  });
});

describe('an access token that cannot be published', () => {
  test('is tried three times', async () => {
    const scenario = await due();
    scenario.world.before(PUT, fails, 2);
    await mustRotate(scenario);
    expectHealthy(scenario);
  });

  test('settles the request all the same when the provider did not replace the refresh token', async () => {
    const { world, connection, process } = await due({
      behavior: { refreshTokenGraceMs: Number.POSITIVE_INFINITY },
    });
    world.before(PUT, fails, ALWAYS);
    expect(await process.rotate(connection)).toMatchObject({ problem: { code: 'vault_forbidden' } });
    expect(world.record('crm').phase).toEqual({ state: 'idle' });
  });

  test('holds back further grants until the token vault takes a write', async () => {
    const scenario = await due();
    const { world, connection, process } = scenario;
    world.before(PUT, fails, ALWAYS);
    expect(await process.rotate(connection)).toMatchObject({
      result: 'retrying',
      problem: { code: 'vault_forbidden' },
    });
    expect(world.provider.accepts(world.credentials.latest(REFRESH_TOKEN)?.value)).toBe(true);
    expect(world.record('crm')).toMatchObject({ phase: { state: 'idle' }, generation: 2 });
    for (let round = 0; round < 3; round++) {
      await passToDue(scenario);
      expect(await process.rotate(connection)).toMatchObject({ result: 'retrying' });
    }
    expect(world.count(/^grant/)).toBe(1);
    const consumersRead = world.tokens.latest(ACCESS_TOKEN)?.value;
    world.calm();
    world.before('grant crm', () => expect(world.tokens.latest(ACCESS_TOKEN)?.value).toBe(consumersRead));
    await passToDue(scenario);
    await mustRotate(scenario);
    expectHealthy(scenario);
  });

  test('is not tried without the lease', async () => {
    const { world, connection, process } = await due();
    world.before(/^renew/, () => Promise.reject(failure('storage_unavailable')), ALWAYS);
    world.before(PUT, () => {
      world.clock.freeze(16_000);
      throw failure('vault_unavailable');
    });
    expect(await process.rotate(connection)).toMatchObject({ result: 'in_progress' });
    expect(world.count(/^put crm-access/)).toBe(1);
  });

  test('because it is too large: a person is needed, and the refresh token is saved', async () => {
    const { world, connection, process } = await due();
    world.provider.script((request) => {
      const { refreshToken = '' } = world.provider.behave(request);
      return { refreshToken, accessToken: { ...world.provider.accessToken(), value: 'x'.repeat(25_601) } };
    });
    expect(await process.rotate(connection)).toMatchObject({
      result: 'blocked',
      problem: { code: 'access_token_too_large' },
    });
    expect(world.provider.accepts(world.credentials.latest(REFRESH_TOKEN)?.value)).toBe(true);
    await world.clock.pass(60_000);
    expect(await process.rotate(connection)).toMatchObject({ result: 'blocked' });
    expect(world.count(/^grant/)).toBe(1);
  });

  test('because of a defect of ours: the refresh token is saved and found again', async () => {
    const scenario = await due();
    const { world, connection, process } = scenario;
    world.before(PUT, () => Promise.reject(new TypeError('no')), 3);
    expect(await process.rotate(connection)).toMatchObject({ problem: { code: 'internal_error' } });
    await passToDue(scenario);
    await mustRotate(scenario);
    expectHealthy(scenario);
  });

  test('published but not recorded: rotated again, and nothing is lost', async () => {
    const scenario = await due();
    const { world, connection, process } = scenario;
    world.after(PUT, () => world.before('write crm', () => Promise.reject(failure('storage_unavailable'))));
    expect(await process.rotate(connection)).toMatchObject({ result: 'retrying' });
    await passToDue(scenario);
    await mustRotate(scenario);
    expectHealthy(scenario);
  });

  test('the same access token again makes no new version', async () => {
    const scenario = await due();
    const { world } = scenario;
    const { value = '' } = world.tokens.latest(ACCESS_TOKEN) ?? {};
    const versions = world.tokens.history(ACCESS_TOKEN).length;
    world.provider.script((request) => {
      const { refreshToken = '' } = world.provider.behave(request);
      return { refreshToken, accessToken: { ...world.provider.accessToken(), value } };
    });
    await mustRotate(scenario);
    expect(world.tokens.history(ACCESS_TOKEN)).toHaveLength(versions);
    expect(isManaged(world.tokens.latest(ACCESS_TOKEN)?.tags ?? {})).toBe(true);
  });
});
