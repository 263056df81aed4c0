import { describe, expect, test } from 'vitest';
import { firstRotation } from '../../../lib/authorization/firstRotation.ts';
import {
  alreadyWorks,
  readCredential,
  storeConnection,
  whatIsInTheWay,
} from '../../../lib/authorization/storeConnection.ts';
import { intended } from '../../../lib/rotation/core/record.ts';
import { connectionNamed } from '../rotation/world/connection.ts';
import { failure } from '../rotation/world/fakeVault.ts';
import { refusal } from '../rotation/world/provider.ts';
import { recordNamed } from '../rotation/world/record.ts';
import { World } from '../rotation/world.ts';

const NAMES = ['crm-client-id', 'crm-client-secret', 'crm-refresh-token'];

function begin() {
  const world = new World();
  const { ports } = world.process();
  const connection = connectionNamed('crm', { clientId: undefined });
  const credentials = {
    clientId: 'crm-client',
    clientSecret: 'client-secret-one',
    refreshToken: world.provider.consent(),
  };
  const store = (replace = false) => world.settle(storeConnection(connection, ports, credentials, replace));
  const values = () => NAMES.map((name) => world.credentials.latest(name)?.value);
  const writes = () => world.operations.filter((operation) => operation.startsWith('put '));
  return { world, ports, connection, credentials, store, values, writes };
}

describe('storing the result of a sign-in', () => {
  test('writes under the lease, the refresh token last, and a rotation succeeds afterwards', async () => {
    const { world, ports, connection, credentials, store, values, writes } = begin();
    await store();
    expect(values()).toEqual([credentials.clientId, credentials.clientSecret, credentials.refreshToken]);
    expect(writes()).toEqual(NAMES.map((name) => `put ${name}` as const));
    expect(world.operations.indexOf('lease crm')).toBeLessThan(world.operations.indexOf('put crm-client-id'));
    expect(await world.settle(firstRotation(connection, ports))).toMatchObject({
      result: 'rotated',
      generation: 1,
    });
    expect(world.leaks()).toEqual([]);
  });

  test('refuses a refresh token that is too large for a vault before it writes anything', async () => {
    const { credentials, store, writes } = begin();
    credentials.refreshToken = 'x'.repeat(25_601);
    await expect(store()).rejects.toMatchObject({ code: 'refresh_token_too_large' });
    expect(writes()).toEqual([]);
  });

  test.each([
    ['a blank refresh token', { refreshToken: '  ' }, 'The refresh token is blank'],
    ['a refresh token with a NUL', { refreshToken: 'a\0b' }, 'The refresh token contains a line break'],
    ['a line break in a client id', { clientId: 'a\nb' }, 'The client id contains a line break'],
    ['an empty client id', { clientId: '' }, 'The client id is blank'],
    ['a tab in a client secret', { clientSecret: 'a\tb' }, 'The client secret contains a line break'],
    ['a refresh token in quotes', { refreshToken: '"abc"' }, 'The refresh token has quotes around it'],
    ['a zero-width space', { refreshToken: 'a\u200bb' }, 'U+200B at character 2'],
    ['a client secret beyond ASCII', { clientSecret: 'gehe\u00efm' }, 'The client secret contains'],
    [
      'a client secret that is too large for a vault',
      { clientSecret: 'x'.repeat(25_601) },
      'has 25601 bytes',
    ],
  ])('refuses %s before it writes anything', async (_, useless, message) => {
    const { credentials, store, writes } = begin();
    Object.assign(credentials, useless);
    await expect(store()).rejects.toMatchObject({
      code: 'input_unreadable',
      message: expect.stringContaining(message),
    });
    expect(writes()).toEqual([]);
  });

  test('accepts a blank within a value like any other character', async () => {
    const { credentials, store, values } = begin();
    Object.assign(credentials, { clientId: 'our client', clientSecret: ' ~' });
    await store();
    expect(values().slice(0, 2)).toEqual(['our client', ' ~']);
  });

  test('does the same for a connection whose refresh token has expired', async () => {
    const { world, ports, connection, credentials, store } = begin();
    await store();
    world.provider.script(refusal('reauthorization_required'));
    expect(await world.settle(firstRotation(connection, ports))).toMatchObject({ result: 'blocked' });
    credentials.refreshToken = world.provider.consent();
    await store();
    await world.clock.pass(60_000);
    expect(await world.settle(firstRotation(connection, ports))).toMatchObject({ result: 'rotated' });
  });

  test('uses a new consent immediately, even if the access token is fresh', async () => {
    const { world, ports, connection, credentials, store } = begin();
    await store();
    expect(await world.settle(firstRotation(connection, ports))).toMatchObject({ result: 'rotated' });
    expect(await world.settle(firstRotation(connection, ports))).toMatchObject({ result: 'not_due' });
    credentials.refreshToken = world.provider.consent();
    await store();
    expect(await world.settle(firstRotation(connection, ports))).toMatchObject({ result: 'rotated' });
    expect(world.provider.sent.at(-1)).toBe(credentials.refreshToken);
  });

  test('does not write existing values again', async () => {
    const { world, store, writes } = begin();
    world.credentials.set('crm-client-id', 'crm-client');
    world.credentials.set('crm-client-secret', 'client-secret-one');
    await store();
    expect(writes()).toEqual(['put crm-refresh-token']);
  });

  test('overwrites a secret that does not belong to the connection only with replace', async () => {
    const { world, ports, connection, credentials, store, values, writes } = begin();
    world.credentials.set('crm-client-secret', 'of an operator');
    expect((await whatIsInTheWay(connection, ports, credentials)).foreign).toEqual(['crm-client-secret']);
    await expect(store()).rejects.toMatchObject({ code: 'secret_not_managed' });
    expect(writes()).toEqual([]);
    await store(true);
    expect(values()).toEqual([credentials.clientId, credentials.clientSecret, credentials.refreshToken]);
  });

  test('compares only the known values and the name of the refresh token before the sign-in', async () => {
    const { world, ports, connection } = begin();
    world.credentials.set('crm-client-secret', 'maybe the same');
    world.credentials.set('crm-refresh-token', 'of an operator');
    expect((await whatIsInTheWay(connection, ports, {})).foreign).toEqual(['crm-refresh-token']);
  });

  test('reports a disabled secret that does not belong to the connection, but not one that does', async () => {
    const { world, ports, connection } = begin();
    world.credentials.set('crm-refresh-token', 'hidden');
    world.credentials.disable('crm-refresh-token');
    expect((await whatIsInTheWay(connection, ports, {})).foreign).toEqual(['crm-refresh-token']);
    world.credentials.set('crm-refresh-token', 'hidden', { connection: 'CRM' });
    world.credentials.disable('crm-refresh-token');
    expect((await whatIsInTheWay(connection, ports, {})).foreign).toEqual([]);
  });

  test('says what works before it replaces it, unless nothing would change', async () => {
    const { world, ports, connection, credentials, store } = begin();
    await store();
    expect((await whatIsInTheWay(connection, ports, {})).works).toBeUndefined();
    expect(await world.settle(firstRotation(connection, ports))).toMatchObject({ result: 'rotated' });
    const { rotatedAt } = world.record('crm');
    expect((await whatIsInTheWay(connection, ports, {})).works).toMatchObject({ rotatedAt });
    const { refreshToken: _sent, ...client } = credentials;
    expect((await whatIsInTheWay(connection, ports, client)).works).toMatchObject({ rotatedAt });
    const same = { ...credentials, refreshToken: world.credentials.latest('crm-refresh-token')?.value ?? '' };
    expect((await whatIsInTheWay(connection, ports, same)).works).toBeUndefined();
    world.credentials.softDelete('crm-refresh-token');
    expect((await whatIsInTheWay(connection, ports, {})).works).toBeUndefined();
  });

  test('says what worked while a token request is in flight, or its outcome is unknown', async () => {
    const { world, ports, connection, store } = begin();
    await store();
    await world.settle(firstRotation(connection, ports));
    const requesting = intended(world.record('crm'), world.now(), false);
    const records = Object.assign(Object.create(ports.records), { read: async () => requesting });
    const { works } = await whatIsInTheWay(connection, { ...ports, records }, {});
    expect(works).toBe(requesting);
    expect(alreadyWorks(connection, requesting).message).toMatch(
      /^crm has a token request whose outcome is not known yet, and worked before: its last rotation succeeded at /,
    );
  });

  test('does not take a blocked connection for one that works', async () => {
    const { world, ports, connection, credentials, store } = begin();
    await store();
    await world.settle(firstRotation(connection, ports));
    credentials.refreshToken = world.provider.consent();
    await store();
    world.provider.script(refusal('reauthorization_required'));
    expect(await world.settle(firstRotation(connection, ports))).toMatchObject({ result: 'blocked' });
    expect((await whatIsInTheWay(connection, ports, {})).works).toBeUndefined();
  });

  test('refuses the refresh token of an older version, with and without replace', async () => {
    const { world, ports, connection, credentials, store, writes } = begin();
    await store();
    await world.settle(firstRotation(connection, ports));
    const before = writes().length;
    for (const replace of [false, true])
      await expect(store(replace)).rejects.toMatchObject({ code: 'refresh_token_old' });
    await expect(whatIsInTheWay(connection, ports, credentials)).rejects.toMatchObject({
      code: 'refresh_token_old',
    });
    expect(writes().length).toBe(before);
    expect(world.leaks()).toEqual([]);
  });

  test('writes nothing while another rotation runs', async () => {
    const { world, ports, store, writes } = begin();
    await ports.records.create(recordNamed());
    await ports.records.acquireLease('crm');
    await expect(store()).rejects.toMatchObject({ code: 'in_progress' });
    expect(writes()).toEqual([]);
    expect(world.credentials.all()).toEqual([]);
  });

  test('writes nothing more after the process lost its lease', async () => {
    const { world, store, writes } = begin();
    world.after('put crm-client-id', ({ caller }) => caller.freeze(60_000));
    await expect(store()).rejects.toMatchObject({ code: 'in_progress' });
    expect(writes()).not.toContain('put crm-refresh-token');
  });

  test('repeats a write if the vault is briefly unavailable', async () => {
    const { world, store, values, credentials } = begin();
    world.before('put crm-refresh-token', () => Promise.reject(failure('vault_unavailable')), 2);
    await store();
    expect(values()[2]).toBe(credentials.refreshToken);
  });

  test.each([
    ['half a second, then a second', undefined, 1_500],
    ['as long as the vault asks for', 3_000, 6_000],
    ['10 s at most', 60_000, 20_000],
  ])('waits between the attempts: %s', async (_, retryAfterMs, ms) => {
    const { world, store } = begin();
    const begun = world.now();
    const throttled = () => Promise.reject(failure('vault_throttled', retryAfterMs));
    world.before('put crm-refresh-token', throttled, 2);
    await store();
    expect(world.now() - begun).toBe(ms);
  });

  test('reports success if only the responses to the last write were lost', async () => {
    const { world, store, values, credentials } = begin();
    world.credentials.set('crm-client-id', 'the old client', { connection: 'crm' });
    world.after('put crm-refresh-token', () => Promise.reject(failure('vault_unavailable')), 3);
    await store();
    expect(values()).toEqual([credentials.clientId, credentials.clientSecret, credentials.refreshToken]);
  });

  test('also undoes a write in the middle whose responses were lost', async () => {
    const { world, store, values } = begin();
    const old = ['the old client', 'the old secret', 'the old token'];
    for (const [index, name] of NAMES.entries())
      world.credentials.set(name, old[index] ?? '', { connection: 'crm' });
    world.after('put crm-client-secret', () => Promise.reject(failure('vault_unavailable')), 3);
    await expect(store()).rejects.toMatchObject({ code: 'vault_unavailable' });
    expect(values()).toEqual(old);
  });

  test('undoes the earlier writes if the last one fails', async () => {
    const { world, store, values } = begin();
    world.credentials.set('crm-client-id', 'the old client', { connection: 'crm', mine: 'yes' });
    world.credentials.softDelete('crm-refresh-token');
    await expect(store()).rejects.toMatchObject({
      code: 'secret_soft_deleted',
      message: expect.stringContaining(
        'Nothing is stored: the command undid its writes of crm-client-id, crm-client-secret.',
      ),
    });
    expect(values()[0]).toBe('the old client');
    expect(world.credentials.latest('crm-client-id')?.tags).toEqual({ connection: 'crm', mine: 'yes' });
    expect(world.credentials.latest('crm-client-secret')).toMatchObject({ value: 'undone', enabled: false });
  });

  test('says which secrets stay if the vault refuses to undo the writes as well', async () => {
    const { world, store } = begin();
    world.before('put crm-refresh-token', () => {
      world.before(/^put /, () => Promise.reject(failure('vault_forbidden')), 9);
      return Promise.reject(failure('vault_forbidden'));
    });
    await expect(store()).rejects.toMatchObject({
      code: 'vault_forbidden',
      message: expect.stringContaining(
        'The command may have stored crm-client-id, crm-client-secret, and could not undo that.',
      ),
    });
  });

  test('treats undone secrets as absent, and stores the next values', async () => {
    const { world, ports, connection, store, values, credentials } = begin();
    const vault = ports.vault(connection.vaults.credential);
    world.before('put crm-refresh-token', () => Promise.reject(failure('vault_forbidden')));
    await expect(store()).rejects.toMatchObject({ code: 'vault_forbidden' });
    expect(await readCredential(connection, vault, 'crm-client-secret')).toBeUndefined();
    await store();
    expect(values()).toEqual([credentials.clientId, credentials.clientSecret, credentials.refreshToken]);
    expect(await readCredential(connection, vault, 'crm-client-secret')).toBe(credentials.clientSecret);
  });

  test('does not treat a disabled secret as absent if it does not belong to the connection', async () => {
    const { world, ports, connection } = begin();
    world.credentials.set('crm-client-id', 'hidden', { connection: 'another' });
    world.credentials.disable('crm-client-id');
    const vault = ports.vault(connection.vaults.credential);
    await expect(readCredential(connection, vault, 'crm-client-id')).rejects.toMatchObject({
      code: 'secret_disabled',
    });
  });
});

describe('the first rotation', () => {
  test('waits for a running rotator that comes first', async () => {
    const { world, ports, connection, store } = begin();
    await store();
    world.connections = [connection];
    const other = world.process();
    world.before('grant crm', () => world.clock.pass(3_000));
    const running = other.rotate(connection);
    const [first] = await Promise.all([world.settle(firstRotation(connection, ports)), running]);
    expect(['rotated', 'not_due']).toContain(first.result);
  });
});
