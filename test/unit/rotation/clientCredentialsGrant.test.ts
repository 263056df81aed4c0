import { describe, expect, test } from 'vitest';
import { storeConnection } from '../../../lib/authorization/storeConnection.ts';
import type { Connection } from '../../../lib/rotation/core/connection.ts';
import { planSweep } from '../../../lib/rotation/plan.ts';
import { removeConnection } from '../../../lib/rotation/removal.ts';
import { writesOf } from '../../../lib/rotation/steps/writes.ts';
import { ownerOf } from '../../../lib/rotation/takeover.ts';
import { TOKEN_VAULT } from './world/connection.ts';
import { failure } from './world/fakeVault.ts';
import { refusal } from './world/provider.ts';
import {
  ACCESS_TOKEN,
  CLIENT_SECRET,
  mustRotate,
  passToDue,
  REFRESH_TOKEN,
  type Scenario,
  seeded,
} from './world/scenario.ts';

const BEHAVIOR = { refreshTokenGraceMs: Number.POSITIVE_INFINITY };

/** A connection whose client acts for itself; the credential vault has a refresh token of its name that nothing may use. */
function client(changes: Partial<Connection> = {}): Scenario {
  const scenario = seeded({ grant: 'client_credentials', behavior: BEHAVIOR, ...changes });
  const { provider } = scenario.world;
  provider.behave = ({ clientSecret, refreshToken }) =>
    provider.clientSecrets.includes(clientSecret) && refreshToken === ''
      ? { accessToken: provider.accessToken() }
      : refusal('client_rejected');
  return scenario;
}

async function dueClient(changes: Partial<Connection> = {}): Promise<Scenario> {
  const scenario = client(changes);
  await mustRotate(scenario);
  await passToDue(scenario);
  scenario.world.operations.length = 0;
  return scenario;
}

function expectHealthy({ world }: Scenario): void {
  expect(world.record('crm')).toMatchObject({ phase: { state: 'idle' } });
  expect(world.record('crm')).not.toHaveProperty('failure');
  expect(world.tokens.latest(ACCESS_TOKEN)?.value).toMatch(/^access-token-/);
  expect(world.leaks()).toEqual([]);
  expect(world.count(/refresh-token/)).toBe(0);
}

describe('a connection with the grant client_credentials', () => {
  test('is kept fresh, and never touches a refresh token', async () => {
    const scenario = await dueClient();
    const first = scenario.world.tokens.latest(ACCESS_TOKEN)?.value;
    await mustRotate(scenario);
    expect(scenario.world.tokens.latest(ACCESS_TOKEN)?.value).not.toBe(first);
    expectHealthy(scenario);
  });

  test('is not held up by a request of a process that died', async () => {
    const { world, connection, process } = await dueClient();
    world.after('grant crm', ({ caller }) => caller.crash());
    await process.rotate(connection);
    await world.clock.pass(20_000);
    const second = world.process();
    await mustRotate({ connection, process: second });
    expect(await second.rotate(connection, true)).toMatchObject({ result: 'rotated' });
  });

  test('is not held up by a record that says so', async () => {
    const { world, connection, process } = await dueClient();
    const replacedAwaitedUntil = world.now() + 60_000;
    world.records.change('crm', (record) => ({ ...record, replacedAwaitedUntil }));
    await mustRotate({ connection, process });
  });

  test('costs one GET and one PUT at the vaults in the steady state', async () => {
    const scenario = await dueClient();
    await mustRotate(scenario);
    const calls = scenario.world.operations.filter((each) =>
      /^(get|put|tag|versions|disable|grant)/.test(each),
    );
    expect(calls).toEqual([`get ${ACCESS_TOKEN}`, 'grant crm', `put ${ACCESS_TOKEN}`]);
  });

  test('reserves no version of a refresh token', () => {
    expect(writesOf(client().connection)).toEqual([[TOKEN_VAULT, 1]]);
  });

  test('is sent again after a lost response, without a wait for its outcome', async () => {
    const scenario = await dueClient();
    const { world, connection, process } = scenario;
    world.after(/^grant/, () => Promise.reject(failure('provider_unavailable')));
    expect(await process.rotate(connection)).toMatchObject({ result: 'retrying' });
    expect(world.record('crm').phase).toEqual({ state: 'idle' });
    await passToDue(scenario);
    await mustRotate(scenario);
    expectHealthy(scenario);
  });

  test.each([/^grant/, /^put crm-access-token/, /^write crm/])(
    'goes on after a crash, whenever it comes: %s',
    async (operation) => {
      const { world, connection, process } = await dueClient();
      world.after(operation, ({ caller }) => caller.crash());
      expect(await process.rotate(connection)).toBe('crashed');
      await world.clock.pass(20_000);
      const next = world.process();
      await mustRotate({ connection, process: next });
      expectHealthy({ world, connection, process: next });
    },
  );

  test('ignores a refresh token in the response', async () => {
    const scenario = await dueClient();
    const { provider, credentials } = scenario.world;
    const before = credentials.latest(REFRESH_TOKEN)?.version;
    provider.script({ refreshToken: 'unasked', accessToken: provider.accessToken() });
    await mustRotate(scenario);
    expect(credentials.latest(REFRESH_TOKEN)?.version).toBe(before);
    expectHealthy(scenario);
  });

  test('uses the next client secret, and is blocked by a refused one until it changes', async () => {
    const scenario = await dueClient();
    const { world, connection, process } = scenario;
    world.provider.clientSecrets = ['client-secret-two'];
    expect(await process.rotate(connection)).toMatchObject({
      result: 'blocked',
      problem: { code: 'client_rejected' },
    });
    await passToDue(scenario);
    expect(await process.rotate(connection)).toMatchObject({ result: 'blocked', reason: 'blocked' });
    world.credentials.set(CLIENT_SECRET, 'client-secret-two');
    await passToDue(scenario);
    await mustRotate(scenario);
    expectHealthy(scenario);
  });

  test('waits for an operator after a refused request, whose cause no refresh token can be', async () => {
    const { world, connection, process } = await dueClient();
    world.provider.script(refusal('misconfigured'));
    expect(await process.rotate(connection)).toMatchObject({ result: 'blocked' });
    const secrets = world.record('crm').failure?.clearedBy.map(({ secret }) => secret);
    expect(secrets).toEqual([CLIENT_SECRET]);
  });

  test('has a plan, and belongs to this rotator', async () => {
    const scenario = client();
    const { world, connection, process } = scenario;
    expect(await planSweep(process.ports)).toMatchObject([{ action: 'refresh', reason: 'first' }]);
    await mustRotate(scenario);
    expect(await planSweep(process.ports)).toMatchObject([{ action: 'skip', reason: 'not_due' }]);
    expect(await ownerOf(connection, process.ports)).toMatchObject({ owner: undefined });
    await passToDue(scenario);
    expect(await planSweep(process.ports)).toMatchObject([{ action: 'refresh', reason: 'due' }]);
    expect(world.count(/^(put|tag) crm-refresh/)).toBe(0);
  });
});

describe('the removal of such a connection', () => {
  async function removed(revoke = false, changes: Partial<Connection> = {}) {
    const scenario = await dueClient(changes);
    const { world, connection, process } = scenario;
    const removal = await world.settle(removeConnection(connection, revoke, process.ports));
    return { ...scenario, removal };
  }

  test('disables what is published, and keeps it out of use', async () => {
    const { world, connection, process, removal } = await removed();
    expect(removal).toMatchObject({ revoked: false, problems: [] });
    expect(removal.disabled).toBeGreaterThan(0);
    for (const force of [false, true]) {
      await world.clock.pass(3_600_000);
      expect(await process.rotate(connection, force)).toMatchObject({
        result: 'blocked',
        problem: { code: 'connection_removed' },
      });
    }
    expect(world.count(/^grant/)).toBe(0);
    expect(world.count(/refresh-token/)).toBe(0);
  });

  test('says that there is nothing to revoke, and what to do instead', async () => {
    const { removal } = await removed(true);
    expect(removal.problems).toMatchObject([
      { code: 'revocation_failed', fix: expect.stringContaining('Delete the credentials of the client') },
    ]);
  });

  test('ends with another client secret', async () => {
    const scenario = await removed();
    const { world } = scenario;
    world.provider.clientSecrets = ['client-secret-two'];
    world.credentials.set(CLIENT_SECRET, 'client-secret-two');
    await passToDue(scenario);
    await mustRotate(scenario);
    expect(world.record('crm')).not.toHaveProperty('removedAt');
    expectHealthy(scenario);
  });

  test('is not ended by a change of the entry', async () => {
    const scenario = await removed();
    await passToDue(scenario);
    const connection = { ...scenario.connection, fingerprint: 'crm-2' };
    expect(await scenario.process.rotate(connection)).toMatchObject({ result: 'blocked' });
  });

  test('ends with the command connect, which stores what the client needs', async () => {
    const scenario = await removed();
    const { world, connection, process } = scenario;
    const credentials = { clientId: 'the-client', clientSecret: 'client-secret-one', refreshToken: '' };
    expect(await world.settle(storeConnection(connection, process.ports, credentials, false))).toEqual([]);
    await mustRotate(scenario);
    expectHealthy(scenario);
  });

  test('of a client without a secret ends with the command connect only', async () => {
    const secrets = {
      clientId: 'crm-client-id',
      clientSecrets: [],
      refreshToken: REFRESH_TOKEN,
      accessToken: ACCESS_TOKEN,
    };
    const scenario = client({ clientAuthentication: 'managed_identity_federation', secrets });
    const { world, connection, process } = scenario;
    world.provider.clientSecrets = [''];
    await mustRotate(scenario);
    await world.settle(removeConnection(connection, false, process.ports));
    await world.clock.pass(3_600_000);
    expect(await process.rotate(connection, true)).toMatchObject({ result: 'blocked' });
    const credentials = { clientId: 'the-client', clientSecret: '', refreshToken: '' };
    await world.settle(storeConnection(connection, process.ports, credentials, false));
    await mustRotate(scenario);
    expectHealthy(scenario);
  });
});
