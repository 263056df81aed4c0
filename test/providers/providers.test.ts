import { describe, expect, test } from 'vitest';
import { type ProviderProfile, providers } from '../../lib/oauth/providers/index.ts';
import type { TokenResponse } from '../../lib/rotation/core/tokenRequest.ts';
import { connectionNamed } from '../unit/rotation/world/connection.ts';
import { AuthorizationServer } from './authorizationServer.ts';
import { type BehaviorClass, behaviorOf, CLASSES, HOUR_MS, MEMBERS } from './classes.ts';
import { readResponse } from './readResponse.ts';
import { play } from './sixMonths.ts';

const classes: readonly (readonly [string, BehaviorClass])[] = Object.entries(CLASSES);
const all: readonly ProviderProfile[] = Object.values(providers);
const memberOf = (name: string) => all.find(({ id }) => MEMBERS[id]?.[0] === name) ?? providers.generic;

/** What the product makes of a response, for a connection of a profile that belongs to the class. */
function read(name: string, status: number, body: object): TokenResponse {
  const { behavior } = memberOf(name);
  return readResponse(connectionNamed('crm', { behavior }), { status, body }, 0);
}

describe('each behavior class', () => {
  test.each(classes)(
    '%s: the recorded response has the lifetime of the class, and is understood',
    (name, { rules, recorded }) => {
      const response = read(name, 200, recorded.success);
      expect(response.accessToken).toMatchObject({
        lifetimeMs: rules.accessTokenMs,
        expiresInIsDefault: false,
      });
      expect<unknown>(response.refreshToken).toBe(recorded.success.refresh_token);
    },
  );

  test.each(classes)(
    '%s: the recorded refusal means that an operator must sign in again',
    (name, { recorded }) => {
      const { status, body } = recorded.refused;
      expect(read(name, status, body).failure?.class).toBe('reauthorization_required');
    },
  );

  test.each(classes)('%s: the server responds like the recorded response', (_, { rules, recorded }) => {
    const server = new AuthorizationServer(rules, recorded, () => HOUR_MS);
    const shapeOf = (body: object) => Object.entries(body).map(([key, value]) => [key, typeof value]);
    const early = server.request(server.consent());
    const { body } = recorded.tooEarly ? { body: recorded.tooEarly.body } : { body: recorded.success };
    expect(shapeOf(early.body)).toEqual(shapeOf(body));
    expect(shapeOf(server.request('unknown').body)).toEqual(shapeOf(recorded.refused.body));
  });

  test('a refresh that comes too early is tried again, and no operator is asked', () => {
    const { status, body } = CLASSES.earliestRenewal.recorded.tooEarly;
    expect(read('earliestRenewal', status, body).failure?.class).toBe('retrying');
  });
});

describe('the authorization server', () => {
  const day = 24 * HOUR_MS;
  const serverOf = (name: keyof typeof CLASSES, rules = {}) => {
    const clock = { now: 0 };
    const { rules: usual, recorded } = CLASSES[name];
    return { clock, server: new AuthorizationServer({ ...usual, ...rules }, recorded, () => clock.now) };
  };

  test('single use: the second use ends the whole family', () => {
    const { server } = serverOf('singleUse');
    const first = server.consent();
    const second = server.request(first).refreshToken;
    expect(server.accepts(second)).toBe(true);
    expect(server.request(first).status).toBe(400);
    expect(server.accepts(second)).toBe(false);
  });

  test('grace: the second use works until the grace is over, or until the successor is used', () => {
    const { server, clock } = serverOf('grace', { untilSuccessorUsed: true });
    const first = server.consent();
    server.request(first);
    clock.now += 1_799_999;
    const again = server.request(first).refreshToken ?? '';
    expect(server.request(again).status).toBe(200);
    expect(server.request(first).status).toBe(400);
    const other = serverOf('grace');
    const old = other.server.consent();
    other.server.request(old);
    other.clock.now += 1_800_000;
    expect(other.server.request(old).status).toBe(400);
  });

  test('changes daily: the same token for a day, then another one', () => {
    const { server, clock } = serverOf('changesDaily');
    const first = server.consent();
    clock.now += day - 1;
    expect(server.request(first).refreshToken).toBe(first);
    clock.now += 1;
    expect(server.request(first).refreshToken).not.toBe(first);
    expect(server.accepts(first)).toBe(false);
  });

  test('deadlines: uses move an idle one and not an absolute one', () => {
    const idle = serverOf('idleDeadline');
    const absolute = serverOf('absoluteDeadline', { absoluteMs: 90 * day });
    for (const { server, clock } of [idle, absolute]) {
      const token = server.consent();
      clock.now += 89 * day;
      expect(server.request(token).status).toBe(200);
      clock.now += 2 * day;
      expect(server.hasEnded(token)).toBe(server === absolute.server);
      clock.now += 90 * day;
      expect(server.request(token).status).toBe(400);
    }
  });

  test('earliest renewal: refused before its time, and beyond the limit of a day', () => {
    const { server, clock } = serverOf('earliestRenewal', { requestsPerDay: 2 });
    const first = server.consent();
    clock.now += 569_999;
    expect(server.request(first)).toMatchObject({ status: 400, body: { error: 'access_denied' } });
    clock.now += 1;
    const { refreshToken = '', status } = server.request(first);
    expect(status).toBe(200);
    clock.now += 570_000;
    expect(server.request(refreshToken).status).toBe(429);
    clock.now += day;
    expect(server.request(refreshToken).status).toBe(200);
    expect(server.refused).toMatchObject({ tooEarly: 1, overLimit: 1 });
  });
});

describe('each profile', () => {
  test.each(all)('$id has a behavior class', ({ id }) => expect(behaviorOf(id).rules).toBeDefined());

  test('no class has a member without a profile', () => {
    expect(Object.keys(MEMBERS).toSorted()).toEqual(all.map(({ id }) => id).toSorted());
  });

  // `npm run providers` plays six months of each.
  test.each(classes)('%s: a member keeps its tokens for a week of faults', async (name) => {
    const outcome = await play(memberOf(name), 7, 1);
    expect(outcome, name).toMatchObject({ kept: true, lost: 0, violations: [] });
    expect(outcome.requests).toBeGreaterThan(0);
  });

  test('a profile that does not know how early the provider accepts a renewal is found out', async () => {
    const { earliestRenewalMs: _, requestsPerDay: __, ...behavior } = providers.exact.behavior;
    const { kept, violations } = await play({ ...providers.exact, behavior }, 3, 1);
    expect(kept).toBe(false);
    expect(violations).toContainEqual(expect.stringMatching(/refused \d+ renewals that came too early/));
  });
});
