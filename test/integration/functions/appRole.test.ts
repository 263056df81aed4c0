import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { localConnection } from '../../support/localConnection.ts';
import { type Harness, startHarness } from './harness.ts';

const ROLE = 'Tokens.Rotate';
const TENANT = '11111111-2222-3333-4444-555555555555';
let harness: Harness;

beforeAll(async () => {
  harness = await startHarness([localConnection('guarded')], (env) => {
    env.REQUIRED_APP_ROLE = ROLE;
    env.REQUIRED_TENANT_ID = TENANT;
    env.WEBSITE_AUTH_ENABLED = 'True';
  });
});
afterAll(async () => harness.close());

const CALLS = [
  ['rotateConnection', 'POST', 'connections/guarded/rotate', { name: 'guarded' }],
  ['rotateDue', 'POST', 'rotate', {}],
  ['connectionStatus', 'GET', 'connections', {}],
  ['connectionStatus', 'GET', 'connections/guarded', { name: 'guarded' }],
] as const;

function asCaller(...roles: string[]): Record<string, string> {
  return callerOf('aad', `https://login.microsoftonline.com/${TENANT}/v2.0`, roles);
}

function callerOf(provider: string, issuer: string, roles: readonly string[]): Record<string, string> {
  const claims = [{ typ: 'iss', val: issuer }, ...roles.map((val) => ({ typ: 'roles', val }))];
  return {
    'X-MS-CLIENT-PRINCIPAL-IDP': provider,
    'X-MS-CLIENT-PRINCIPAL': Buffer.from(JSON.stringify({ auth_typ: provider, claims })).toString('base64'),
  };
}

const refreshRequests = () =>
  harness.servers.authorization.tokenRequests.filter(({ grantType }) => grantType === 'refresh_token').length;

test.each(CALLS)('%s %s %s requires an identity with the role', async (name, method, path, params) => {
  const anonymous = await harness.http(name, method, path, params);
  expect(anonymous).toMatchObject({ status: 401, body: { code: 'unauthenticated', status: 401 } });
  expect(anonymous.headers.get('www-authenticate')).toBe('Bearer');
  const nonsense = await harness.http(name, method, path, params, { 'X-MS-CLIENT-PRINCIPAL': '{]' });
  expect(nonsense.status).toBe(401);
  const ofOther = callerOf('custom', 'https://login.example.com/', [ROLE]);
  expect((await harness.http(name, method, path, params, ofOther)).status).toBe(401);
  const stranger = await harness.http(name, method, path, params, asCaller('Other'));
  expect(stranger).toMatchObject({ status: 403, body: { code: 'forbidden', title: 'forbidden' } });
  expect(stranger.headers.get('content-type')).toBe('application/problem+json');
  expect(refreshRequests()).toBe(0);
});

test('the timer and the health probe require no role', async () => {
  expect(await harness.http('health', 'GET', 'health')).toMatchObject({ status: 200 });
  await harness.tick();
  expect(refreshRequests()).toBe(1);
});

test.each(CALLS)('%s %s %s accepts a caller with the role', async (name, method, path, params) => {
  expect((await harness.http(name, method, path, params, asCaller(ROLE))).status).toBe(200);
});

test('without the authentication of the platform, refuses calls with the fix, and the timer still rotates', async () => {
  vi.resetModules();
  vi.stubEnv('WEBSITE_AUTH_ENABLED', '');
  const { respond } = await import('../../../functions/responses.ts');
  const { rotator } = await import('../../../functions/rotator.ts');
  // Loaded only now, because it must find the substitute for the Functions worker.
  const { HttpRequest } = await import('@azure/functions');
  const request = new HttpRequest({ method: 'POST', url: 'http://127.0.0.1/', headers: asCaller(ROLE) });
  const response = await respond(request, () => Promise.reject(new Error('was called')));
  expect(response.status).toBe(500);
  expect(JSON.parse(String(response.body))).toMatchObject({
    code: 'configuration_invalid',
    fix: expect.stringContaining('entraAuthentication'),
  });
  expect(await rotator().sweep()).toMatchObject({ connections: 1 });
});
