import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { localConnection } from '../../support/localConnection.ts';
import { type Harness, startHarness } from './harness.ts';

let harness: Harness;

beforeAll(async () => {
  harness = await startHarness(['one', 'two', 'three'].map((name) => localConnection(name)));
  await harness.tick();
});
afterAll(async () => harness?.close());

const remove = (query: string) => harness.http('removeConnections', 'POST', `remove?${query}`);
const status = (name: string) => harness.http('connectionStatus', 'GET', `connections/${name}`, { name });
const removals = async (query: string) => {
  const { status, body } = await remove(query);
  return { status, removals: (body as unknown as { removals: object[] }).removals };
};

describe('POST /api/remove', () => {
  test.each([
    '',
    'revoke=true',
    'name=',
    'name=one&all=true',
    'name=one&revoke=maybe',
    'all=false',
    'name=one&force=true',
  ])('refuses ?%s, and removes nothing', async (query) => {
    const { status: code, body } = await remove(query);
    expect([code, body.code]).toEqual([400, 'parameter_invalid']);
    expect((await status('one')).body.state).toBe('fresh');
  });

  test('does not know other connections', async () => {
    expect((await remove('name=nix')).status).toBe(404);
    expect((await remove('provider=nix')).status).toBe(404);
  });

  test('revokes at the provider, disables the secrets, and the timer leaves them so', async () => {
    const issued = await harness.readSecret('token', 'one-access-token');
    expect(issued?.value).toBeTruthy();
    expect(await removals('name=one&revoke=true&code=KEY')).toEqual({
      status: 200,
      removals: [
        {
          connection: 'one',
          provider: 'generic',
          revoked: true,
          disabled: 3,
          accessTokenExpires: expect.stringMatching(/^20.+Z$/),
          problems: [],
        },
      ],
    });
    expect(await harness.readSecret('credential', 'one-refresh-token')).toBeUndefined();
    expect(await harness.readSecret('token', 'one-access-token')).toBeUndefined();
    expect((await status('one')).body).toMatchObject({ state: 'blocked', reason: 'connection_removed' });
    await harness.tick();
    const forced = await harness.http('rotateConnection', 'POST', 'connections/one/rotate?force=true', {
      name: 'one',
    });
    expect([forced.status, forced.body.code]).toEqual([409, 'connection_removed']);
    expect(forced.headers.has('retry-after')).toBe(false);
  });

  test('says what is left if the provider does not respond, and the next call completes it', async () => {
    await harness.setSecret('two-client-secret', 'wrong');
    const { status: code, removals: left } = await removals('name=two&revoke=true');
    expect([code, left]).toMatchObject([
      207,
      [
        {
          revoked: false,
          problems: [
            { code: 'revocation_failed', message: expect.stringContaining('HTTP 401, invalid_client') },
          ],
        },
      ],
    ]);
    expect(await harness.readSecret('credential', 'two-refresh-token')).toBeUndefined();
    const client = harness.servers.clients.find(({ clientId }) => clientId === 'two');
    await harness.setSecret('two-client-secret', client?.clientSecret ?? '');
    expect(await removals('all=true&revoke=true')).toMatchObject({
      status: 200,
      removals: [
        { connection: 'one', revoked: true, disabled: 0 },
        { connection: 'two', revoked: true, disabled: 1 },
        { connection: 'three', revoked: true },
      ],
    });
  });
});
