import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { localConnection } from '../../support/localConnection.ts';
import { type Harness, startHarness } from './harness.ts';

const ROLE = 'Tokens.Rotate';
let harness: Harness;

beforeAll(async () => {
  harness = await startHarness([localConnection('guarded')], (env) => {
    env.REQUIRED_APP_ROLE = ROLE;
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
  const claims = roles.map((val) => ({ typ: 'roles', val }));
  return { 'X-MS-CLIENT-PRINCIPAL': Buffer.from(JSON.stringify({ claims })).toString('base64') };
}

const grants = () =>
  harness.servers.authorization.tokenRequests.filter(({ grantType }) => grantType === 'refresh_token').length;

test.each(CALLS)('%s %s %s wants an identity with the role', async (name, method, path, params) => {
  const anonymous = await harness.http(name, method, path, params);
  expect(anonymous).toMatchObject({ status: 401, body: { code: 'unauthenticated', status: 401 } });
  expect(anonymous.headers.get('www-authenticate')).toBe('Bearer');
  const nonsense = await harness.http(name, method, path, params, { 'X-MS-CLIENT-PRINCIPAL': '{]' });
  expect(nonsense.status).toBe(401);
  const stranger = await harness.http(name, method, path, params, asCaller('Other'));
  expect(stranger).toMatchObject({ status: 403, body: { code: 'forbidden', title: 'forbidden' } });
  expect(stranger.headers.get('content-type')).toBe('application/problem+json');
  expect(grants()).toBe(0);
});

test('the timer and the health probe ask for no role', async () => {
  expect(await harness.http('health', 'GET', 'health')).toMatchObject({ status: 200 });
  await harness.tick();
  expect(grants()).toBe(1);
});

test.each(CALLS)('%s %s %s answers who has it', async (name, method, path, params) => {
  expect((await harness.http(name, method, path, params, asCaller(ROLE))).status).toBe(200);
});

test('without the platform in front, the calls are refused with the fix and the timer goes on', async () => {
  vi.resetModules();
  vi.stubEnv('WEBSITE_AUTH_ENABLED', '');
  const { respond } = await import('../../../functions/responses.ts');
  const { rotator } = await import('../../../functions/rotator.ts');
  // Loaded only now: it must find what stands for the Functions worker.
  const { HttpRequest } = await import('@azure/functions');
  const request = new HttpRequest({ method: 'POST', url: 'http://127.0.0.1/', headers: asCaller(ROLE) });
  const answer = await respond(request, () => Promise.reject(new Error('was called')));
  expect(answer.status).toBe(500);
  expect(JSON.parse(String(answer.body))).toMatchObject({
    code: 'configuration_invalid',
    fix: expect.stringContaining('entraAuthentication'),
  });
  expect(await rotator().sweep()).toMatchObject({ connections: 1 });
});
