import { describe } from 'vitest';
import { createTokenEndpoint } from '../../lib/oauth/tokenEndpoint.ts';
import type { Connection } from '../../lib/rotation/core/connection.ts';
import type { Interception } from '../../local/authorizationServer/server.ts';
import { localClient, manualClock, startForTest } from '../local/authorizationServer/support.ts';
import { connectionNamed } from '../unit/rotation/world/connection.ts';
import { failure } from '../unit/rotation/world/fakeVault.ts';
import { refusal } from '../unit/rotation/world/provider.ts';
import { World } from '../unit/rotation/world.ts';
import {
  describeTokenEndpoint,
  type Misbehavior,
  type Rotation,
  type TokenEndpointSide,
} from './tokenEndpointContract.ts';

describe.each(['client_secret_basic', 'client_secret_post'] as const)(
  'the client of token endpoints with %s, on the local authorization server',
  (authentication) => describeTokenEndpoint((rotation) => startAdapter(rotation, authentication)),
);
describe('the provider in memory', () => describeTokenEndpoint(startMemory));

async function startAdapter(
  rotation: Rotation,
  clientAuthentication: Connection['clientAuthentication'],
): Promise<TokenEndpointSide> {
  const clock = manualClock();
  const modes = { 'single use': { rotation: 'single_use' }, reusable: { rotation: 'none' } } as const;
  const mode = typeof rotation === 'string' ? modes[rotation] : ({ rotation: 'grace', ...rotation } as const);
  const clientId = 'an app';
  const clientSecret = 'a secret: with~all+of%it/';
  const client = localClient({ ...mode, clientId, clientSecret, clientAuthentication });
  const server = await startForTest({ clients: [client], now: clock.now });
  const connection = connectionNamed('crm', { tokenUri: server.tokenEndpoint, clientAuthentication });
  return {
    endpoint: createTokenEndpoint({ allowLoopbackHttp: true, now: clock.now }),
    lifetimeMs: 30_000,
    consent: () => server.seedRefreshToken(clientId),
    request: (refreshToken) => ({ connection, clientId, clientSecret, refreshToken }),
    setClientSecret: (secret) => server.setClientSecret(clientId, secret),
    pass: clock.advance,
    async misbehave(next) {
      if (next === 'unreachable') return server.close();
      server.intercept(() => {
        server.intercept(undefined);
        return interceptionFor(next);
      });
    },
    executed: () => server.tokenRequests.filter(({ executed }) => executed).length,
  };
}

function interceptionFor(next: Exclude<Misbehavior, 'unreachable'>): Interception {
  if (next === 'request lost') return { action: 'destroy' };
  if (next === 'response lost') return { action: 'execute_then_destroy' };
  if (next === 'invalid request')
    return { action: 'answer', answer: { status: 400, body: { error: 'invalid_request' } } };
  if ('failsWith' in next) {
    const body = { refresh_token: next.failsWith.refreshToken };
    return { action: 'answer', answer: { status: 500, body } };
  }
  const { retryAfterSeconds } = next.throttled;
  const headers = retryAfterSeconds === undefined ? {} : { 'retry-after': String(retryAfterSeconds) };
  return { action: 'answer', answer: { status: 429, headers, body: {} } };
}

async function startMemory(rotation: Rotation): Promise<TokenEndpointSide> {
  const world = new World();
  const { provider } = world;
  const graces = { 'single use': 0, reusable: Number.POSITIVE_INFINITY };
  provider.graceMs = typeof rotation === 'string' ? graces[rotation] : rotation.graceSeconds * 1000;
  const connection = connectionNamed();
  const [clientSecret = ''] = provider.clientSecrets;
  return {
    endpoint: world.process().ports.tokenEndpoint,
    lifetimeMs: provider.lifetimeMs,
    consent: async () => provider.consent(),
    request: (refreshToken) => ({ connection, clientId: 'app', clientSecret, refreshToken }),
    setClientSecret: (secret) => {
      provider.clientSecrets = [secret];
    },
    pass: (seconds) => world.clock.freeze(seconds * 1000),
    misbehave: async (next) => misbehaveInMemory(world, next),
    executed: () => provider.sent.length,
  };
}

function misbehaveInMemory(world: World, next: Misbehavior): void {
  const unavailable = () => Promise.reject(failure('provider_unavailable'));
  if (next === 'request lost') world.between(/^grant/, unavailable);
  else if (next === 'response lost') world.after(/^grant/, unavailable);
  else if (next === 'unreachable')
    world.provider.script(refusal('retrying', { code: 'provider_unavailable' }));
  else if (next === 'invalid request') world.provider.script(refusal('misconfigured'));
  else if ('failsWith' in next) world.provider.script({ ...next.failsWith, ...refusal('outcome_unknown') });
  else {
    const { retryAfterSeconds } = next.throttled;
    const retryAfterMs = retryAfterSeconds === undefined ? undefined : retryAfterSeconds * 1000;
    world.between(/^grant/, () => Promise.reject(failure('provider_throttled', retryAfterMs)));
  }
}
