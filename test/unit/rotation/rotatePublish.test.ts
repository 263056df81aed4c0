import { describe, expect, test } from 'vitest';
import { isManaged } from '../../../lib/rotation/core/tags.ts';
import { TOKEN_VAULT } from './world/connection.ts';
import { failure } from './world/fakeVault.ts';
import {
  ACCESS_TOKEN,
  due,
  expectHealthy,
  HOUR,
  mustRotate,
  passToDue,
  REFRESH_TOKEN,
  seeded,
} from './world/scenario.ts';
import type { World } from './world.ts';

const PUT = `put ${ACCESS_TOKEN}`;
const ALWAYS = Number.POSITIVE_INFINITY;
const fails = () => Promise.reject(failure('vault_forbidden'));

describe('before a refresh token is spent', () => {
  test('a secret that is not managed is not overwritten, and nothing is sent', async () => {
    const scenario = seeded();
    const { world, connection, process } = scenario;
    world.tokens.set(ACCESS_TOKEN, 'value-of-another-owner', { team: 'crm' });
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

  test('with `overwrite`, the existing value stays until there is an access token', async () => {
    const { world, connection, process } = seeded({ overwrite: true });
    world.tokens.put(ACCESS_TOKEN, 'value-of-another-owner', {
      tags: { team: 'crm' },
      contentType: 'text/plain',
    });
    world.before('grant crm', () => {
      const proof = world.tokens.latest(ACCESS_TOKEN);
      expect(proof).toMatchObject({ value: 'value-of-another-owner', contentType: 'text/plain' });
      expect(proof?.tags).toMatchObject({ team: 'crm', connection: 'crm' });
    });
    await mustRotate({ connection, process });
  });

  test('a disabled secret that is not managed is not overwritten either', async () => {
    const { world, connection, process } = seeded();
    world.tokens.set(ACCESS_TOKEN, 'value-of-another-owner');
    world.tokens.disable(ACCESS_TOKEN);
    expect(await process.rotate(connection)).toMatchObject({ problem: { code: 'secret_not_managed' } });
  });

  test('a placeholder from an interrupted rotation does not prevent the next rotation', async () => {
    const scenario = seeded();
    const { world, connection, process } = scenario;
    world.after(PUT, () => process.crash());
    await process.rotate(connection);
    expect(world.tokens.latest(ACCESS_TOKEN)).toMatchObject({ enabled: false });
    await world.clock.pass(15_000);
    await mustRotate({ connection, process: world.process() });
    expectHealthy(scenario);
  });

  test('a soft-deleted name fails with its own code', async () => {
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
  ] as const)('if the token vault cannot be %s, nothing is sent', async (_, operation) => {
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
    expect(world.count(/^put crm-access/)).toBe(1);
    await passToDue(scenario);
    const secrets = { ...connection.secrets, accessToken: 'crm-token' };
    await mustRotate({ process, connection: { ...connection, secrets } });
    expect(world.count(/^put crm-token/)).toBe(2);
    expect(world.events('published_token_changed')).toEqual([]);
  });

  test('a forged proof does not let it overwrite a secret that it does not manage', async () => {
    const scenario = await due();
    const { world, process } = scenario;
    const name = 'of-another-program';
    world.tokens.set(name, 'value');
    world.records.change('crm', (record) => ({ ...record, publishable: `${TOKEN_VAULT}/${name}` }));
    const connection = {
      ...scenario.connection,
      secrets: { ...scenario.connection.secrets, accessToken: name },
    };
    expect(await process.rotate(connection)).toMatchObject({ problem: { code: 'secret_not_managed' } });
    expect(world.tokens.latest(name)?.value).toBe('value');
    expect(world.count(/^grant/)).toBe(0);
  });
});

describe('a published access token that was changed since', () => {
  test.each<[string, (world: World) => void]>([
    [
      'to expire later',
      ({ tokens, now }) => {
        const { value = '', tags = {} } = tokens.latest(ACCESS_TOKEN) ?? {};
        tokens.put(ACCESS_TOKEN, value, { tags, expiresAt: now() + 100 * HOUR });
      },
    ],
    ['to be disabled', ({ tokens }) => tokens.disable(ACCESS_TOKEN)],
  ])('%s, is reported and replaced', async (_, change) => {
    const scenario = await due();
    const { world } = scenario;
    change(world);
    const expiresAt = world.tokens.latest(ACCESS_TOKEN)?.expiresAt ?? 0;
    await mustRotate(scenario);
    const expires = new Date(expiresAt).toISOString();
    expect(world.events('published_token_changed')).toMatchObject([
      {
        secret: ACCESS_TOKEN,
        ...(world.tokens.history(ACCESS_TOKEN).at(-2)?.enabled !== false && { expires }),
      },
    ]);
    expect(world.tokens.latest(ACCESS_TOKEN)?.expiresAt).toBe(world.now() + HOUR);
    expectHealthy(scenario);
  });

  test('is not reported if nothing changed it', async () => {
    const scenario = await due();
    for (let round = 0; round < 3; round++) {
      await mustRotate(scenario);
      await passToDue(scenario);
    }
    expect(scenario.world.events('published_token_changed')).toEqual([]);
  });
});

describe('an access token that cannot be published', () => {
  test('is tried three times', async () => {
    const scenario = await due();
    scenario.world.before(PUT, fails, 2);
    await mustRotate(scenario);
    expectHealthy(scenario);
  });

  test('settles the request even if the provider did not replace the refresh token', async () => {
    const { world, connection, process } = await due({
      behavior: { refreshTokenGraceMs: Number.POSITIVE_INFINITY },
    });
    world.before(PUT, fails, ALWAYS);
    expect(await process.rotate(connection)).toMatchObject({ problem: { code: 'vault_forbidden' } });
    expect(world.record('crm').phase).toEqual({ state: 'idle' });
  });

  test('stops further token requests until the token vault accepts a write', async () => {
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

  test('because it is too large blocks the connection, and the refresh token is saved', async () => {
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

  test('because of an unexpected error: the refresh token is saved and found again', async () => {
    const scenario = await due();
    const { world, connection, process } = scenario;
    world.before(PUT, () => Promise.reject(new TypeError('no')), 3);
    expect(await process.rotate(connection)).toMatchObject({ problem: { code: 'internal_error' } });
    await passToDue(scenario);
    await mustRotate(scenario);
    expectHealthy(scenario);
  });

  test('because the outcome cannot be recorded: rotates again, and nothing is lost', async () => {
    const scenario = await due();
    const { world, connection, process } = scenario;
    world.after(PUT, () => world.before('write crm', () => Promise.reject(failure('storage_unavailable'))));
    expect(await process.rotate(connection)).toMatchObject({ result: 'retrying' });
    await passToDue(scenario);
    await mustRotate(scenario);
    expectHealthy(scenario);
  });

  test('is not written again if it is the same: no new version is created', async () => {
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
