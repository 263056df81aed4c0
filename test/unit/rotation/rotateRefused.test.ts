import { describe, expect, test } from 'vitest';
import type { Connection } from '../../../lib/rotation/core/connection.ts';
import { failure } from './world/fakeVault.ts';
import { refusal } from './world/provider.ts';
import {
  CLIENT_SECRET,
  due,
  expectHealthy,
  HOUR,
  mustRotate,
  passToDue,
  REFRESH_TOKEN,
  type Scenario,
  seeded,
} from './world/scenario.ts';

/** From now on the provider accepts only these secrets. */
function accept({ world }: Scenario, ...secrets: string[]): void {
  world.provider.clientSecrets = secrets;
}

const TWO_SECRETS: Partial<Connection> = {
  secrets: {
    clientId: 'crm-client-id',
    clientSecrets: [CLIENT_SECRET, 'crm-client-secret-next'],
    refreshToken: REFRESH_TOKEN,
    accessToken: 'crm-access-token',
  },
};

describe('a refused refresh token', () => {
  test('blocks until the refresh token changes, and each look costs one GET', async () => {
    const scenario = await due();
    const { world, connection, process } = scenario;
    world.provider.script(refusal('reauthorization_required'));
    expect(await process.rotate(connection)).toMatchObject({ result: 'blocked', retryAfterMs: 60_000 });
    expect(world.count(/^get crm-refresh/)).toBe(2);
    for (const retryAfterMs of [60_000, 120_000, 240_000, 300_000, 300_000]) {
      await passToDue(scenario);
      world.operations.length = 0;
      expect(await process.rotate(connection)).toMatchObject({
        result: 'blocked',
        reason: 'blocked',
        retryAfterMs,
      });
      expect(world.operations.filter((each) => /^(get|put|tag|versions|grant)/.test(each))).toEqual([
        `get ${REFRESH_TOKEN}`,
      ]);
    }
    world.credentials.set(REFRESH_TOKEN, world.provider.consent());
    await passToDue(scenario);
    await mustRotate(scenario);
    expectHealthy(scenario);
  });

  test('does not block if the secret has changed since: the new token is sent', async () => {
    const scenario = await due();
    const { world } = scenario;
    world.provider.script(() => {
      world.credentials.set(REFRESH_TOKEN, world.provider.consent());
      return refusal('reauthorization_required');
    });
    await mustRotate(scenario);
    expectHealthy(scenario);
  });

  test('blocks if the vault cannot be read again, and the next look finds the new token', async () => {
    const scenario = await due();
    const { world, connection, process } = scenario;
    world.provider.script(() => {
      world.credentials.set(REFRESH_TOKEN, world.provider.consent());
      world.before(`get ${REFRESH_TOKEN}`, () => Promise.reject(failure('vault_unavailable')));
      return refusal('reauthorization_required');
    });
    expect(await process.rotate(connection)).toMatchObject({ result: 'blocked' });
    await passToDue(scenario);
    await mustRotate(scenario);
    expectHealthy(scenario);
  });

  test('for one new token after another is retried later', async () => {
    const { world, connection, process } = await due();
    const again = () => {
      world.credentials.set(REFRESH_TOKEN, world.provider.consent());
      return refusal('reauthorization_required');
    };
    world.provider.script(again, again, again, again);
    expect(await process.rotate(connection)).toMatchObject({
      result: 'retrying',
      problem: { code: 'vault_unavailable' },
    });
  });

  test('is followed by a token request at the next look after the entry has changed', async () => {
    const scenario = await due();
    const { world, connection, process } = scenario;
    world.provider.script(refusal('misconfigured'));
    expect(await process.rotate(connection)).toMatchObject({
      result: 'blocked',
      problem: { code: 'misconfigured' },
    });
    await passToDue(scenario);
    await mustRotate({ process, connection: { ...connection, fingerprint: 'crm-2' } });
    expectHealthy(scenario);
  });

  test('stays the reason of the block after a look that fails', async () => {
    const scenario = await due();
    const { world, connection, process } = scenario;
    world.provider.script(refusal('reauthorization_required'));
    await process.rotate(connection);
    await passToDue(scenario);
    world.before(`get ${REFRESH_TOKEN}`, () => Promise.reject(failure('vault_unavailable')));
    const problem = { code: 'reauthorization_required' } as const;
    expect(await process.rotate(connection)).toMatchObject({ result: 'blocked', problem });
  });
});

describe('a rejected client secret', () => {
  test('makes the process send the next client secret', async () => {
    const scenario = seeded(TWO_SECRETS);
    scenario.world.credentials.set('crm-client-secret-next', 'client-secret-two');
    accept(scenario, 'client-secret-two');
    await mustRotate(scenario);
    expect(scenario.world.provider.sent).toHaveLength(2);
    expectHealthy(scenario);
  });

  test('is not followed by another one if the response has a refresh token', async () => {
    const scenario = await due(TWO_SECRETS);
    const { world, connection, process } = scenario;
    world.credentials.set('crm-client-secret-next', 'client-secret-two');
    world.provider.script((request) => {
      const { refreshToken = '' } = world.provider.behave(request);
      return { refreshToken, ...refusal('client_rejected') };
    });
    expect(await process.rotate(connection)).toMatchObject({ result: 'retrying' });
    expect(world.count(/^grant/)).toBe(1);
    expect(world.provider.accepts(world.credentials.latest(REFRESH_TOKEN)?.value)).toBe(true);
  });

  test.each(['retrying', 'outcome_unknown', 'misconfigured', 'reauthorization_required'] as const)(
    'differs from %s, after which no other client secret is sent',
    async (failureClass) => {
      const { world, connection, process } = await due(TWO_SECRETS);
      world.credentials.set('crm-client-secret-next', 'client-secret-two');
      world.provider.script(refusal(failureClass));
      await process.rotate(connection);
      expect(world.count(/^grant/)).toBe(1);
    },
  );

  test('is read again before the connection is blocked', async () => {
    const scenario = await due();
    const { world } = scenario;
    world.credentials.set(CLIENT_SECRET, 'client-secret-two');
    accept(scenario, 'client-secret-two');
    await mustRotate(scenario);
    expect(world.provider.sent.slice(1)).toHaveLength(2);
    expectHealthy(scenario);
  });

  test('blocks until a secret changes, and is not sent a second time', async () => {
    const scenario = await due();
    const { world, connection, process } = scenario;
    accept(scenario, 'client-secret-two');
    expect(await process.rotate(connection)).toMatchObject({
      result: 'blocked',
      problem: { code: 'client_rejected' },
    });
    expect(world.count(/^grant/)).toBe(1);
    await passToDue(scenario);
    expect(await process.rotate(connection)).toMatchObject({ result: 'blocked', reason: 'blocked' });
    expect(world.count(/^grant/)).toBe(1);
    world.credentials.set(CLIENT_SECRET, 'client-secret-two');
    await passToDue(scenario);
    await mustRotate(scenario);
    expectHealthy(scenario);
  });

  test('blocks even if the secrets cannot be read again', async () => {
    const scenario = await due();
    const { world, connection, process } = scenario;
    accept(scenario, 'client-secret-two');
    world.before(`get ${CLIENT_SECRET}`, () => Promise.reject(failure('vault_unavailable')));
    expect(await process.rotate(connection)).toMatchObject({
      result: 'blocked',
      problem: { code: 'client_rejected' },
    });
  });

  test('no longer blocks after the client id in the vault is corrected', async () => {
    const scenario = seeded({ clientId: undefined });
    const { world, connection, process } = scenario;
    world.credentials.set('crm-client-id', 'wrong');
    world.provider.script(refusal('client_rejected'));
    expect(await process.rotate(connection)).toMatchObject({ result: 'blocked' });
    world.credentials.set('crm-client-id', 'right');
    await passToDue(scenario);
    await mustRotate(scenario);
  });

  test('is sent again with a client id that has changed since it was read', async () => {
    const scenario = seeded({ clientId: undefined });
    const { world, connection } = scenario;
    world.credentials.set('crm-client-id', 'old');
    await mustRotate(scenario);
    await passToDue(scenario);
    world.credentials.set('crm-client-id', 'new');
    world.provider.script(refusal('client_rejected'));
    await mustRotate(scenario);
    expectHealthy({ ...scenario, connection });
  });
});

describe('replaced client credentials', () => {
  const NEXT = 'client-secret-two';

  test('are read again after every failure, not only after invalid_client', async () => {
    const scenario = await due();
    const { world, connection, process } = scenario;
    world.provider.script(refusal('misconfigured'));
    expect(await process.rotate(connection)).toMatchObject({ result: 'blocked' });
    world.credentials.set(CLIENT_SECRET, NEXT);
    accept(scenario, NEXT);
    await passToDue(scenario);
    await mustRotate(scenario);
    expect(world.events('client_secret_rejected')).toEqual([]);
  });

  test.each([
    ['the same process', (scenario: Scenario) => scenario.process],
    ['another process', ({ world }: Scenario) => world.process()],
  ])('are sent with the refresh token that was set with them, even if %s used it first', async (_, by) => {
    const scenario = await due();
    const { world, connection } = scenario;
    world.credentials.set(CLIENT_SECRET, NEXT);
    world.credentials.set(REFRESH_TOKEN, world.provider.consent());
    accept(scenario, NEXT);
    for (const process of [by(scenario), scenario.process]) {
      await mustRotate({ connection, process });
      await passToDue(scenario);
    }
    expect(world.events('client_secret_rejected')).toEqual([]);
    expectHealthy(scenario);
  });
});

describe('a connection that is blocked by a temporary failure of the provider', () => {
  test.each(['misconfigured', 'client_rejected'] as const)(
    '%s: sends a token request again after an hour, and recovers automatically',
    async (failureClass) => {
      const scenario = await due();
      const { world, connection, process } = scenario;
      world.provider.script(refusal(failureClass), refusal(failureClass));
      expect(await process.rotate(connection)).toMatchObject({ result: 'blocked' });
      const blockedAt = world.now();
      const failures = new Set([1]);
      while (world.record('crm').failure) {
        await passToDue(scenario);
        await process.rotate(connection);
        failures.add(world.record('crm').failure?.count ?? 0);
      }
      // The looks between the requests do not count as failures.
      expect([...failures]).toEqual([1, 2, 0]);
      expect(world.now() - blockedAt).toBeLessThan(2.2 * HOUR);
      expect(world.provider.sent).toHaveLength(4);
      expectHealthy(scenario);
    },
  );
});

describe('a refresh token that was refused although it is valid', () => {
  /** Lets the timer look for this long. @returns when the refresh token was sent, in minutes from now */
  async function lookFor({ world, connection, process }: Scenario, ms: number): Promise<number[]> {
    const [start, sent] = [world.now(), new Set<number>()];
    let count = world.provider.sent.length;
    while (world.now() < start + ms) {
      await passToDue({ world, connection, process });
      const at = Math.floor((world.now() - start) / 60_000);
      await process.rotate(connection);
      if (world.provider.sent.length > count) sent.add(at);
      count = world.provider.sent.length;
    }
    return [...sent];
  }
  const REUSABLE = { behavior: { refreshTokenGraceMs: Number.POSITIVE_INFINITY } };

  test('stays blocked meanwhile, and recovers without an operator', async () => {
    const scenario = await due(REUSABLE);
    const { world, connection, process } = scenario;
    world.provider.script(refusal('reauthorization_required'));
    expect(await process.rotate(connection)).toMatchObject({ result: 'blocked' });
    expect(world.record('crm').failure).toMatchObject({ blocked: true, code: 'reauthorization_required' });
    await world.clock.pass(59_000);
    await process.rotate(connection);
    expect(world.provider.sent).toHaveLength(2);
    await passToDue(scenario);
    await mustRotate(scenario);
    expectHealthy(scenario);
  });

  test('is sent with growing delays, daily after a day and not at all after a week', async () => {
    const scenario = await due(REUSABLE);
    const { world, connection, process } = scenario;
    world.provider.behave = () => refusal('reauthorization_required');
    await process.rotate(connection);
    const minutes = await lookFor(scenario, 24 * HOUR);
    expect(minutes.slice(0, 3)).toEqual([1, 4, 8]);
    expect(minutes.length).toBeLessThan(30);
    const days = await lookFor(scenario, 5 * 24 * HOUR);
    expect(days.length).toBeGreaterThan(3);
    expect(days.length).toBeLessThan(7);
    await world.clock.pass(24 * HOUR);
    expect(await lookFor(scenario, 10 * 24 * HOUR)).toEqual([]);
    expect(world.record('crm').failure).toMatchObject({ blocked: true });
  });

  test.each<[string, (scenario: Scenario) => void]>([
    ['', () => undefined],
    [
      ', whatever an attacker has written into the record',
      ({ world }) => {
        const accessToken = { issuedAt: 0, expiresAt: 1, expiresInIsDefault: false };
        world.records.change('crm', (record) => ({ ...record, accessToken }));
      },
    ],
    [
      ', although the record does not know it',
      ({ world }) => world.records.change('crm', ({ accessToken: _, ...record }) => record),
    ],
  ])('is sent only after the published access token has expired if it works once%s', async (_, change) => {
    const scenario = await due();
    const { world, connection, process } = scenario;
    world.provider.script(refusal('reauthorization_required'));
    const { expiresAt = 0 } = world.record('crm').accessToken ?? {};
    await process.rotate(connection);
    change(scenario);
    while (world.record('crm').failure) {
      expect(world.provider.sent).toHaveLength(2);
      await passToDue(scenario);
      await process.rotate(connection);
    }
    expect(world.now()).toBeGreaterThanOrEqual(expiresAt);
    expect(world.now()).toBeLessThan(expiresAt + 6 * 60_000);
    expectHealthy(scenario);
  });

  test.each<[string, (scenario: Scenario) => void]>([
    ['gets no answer', ({ world }) => world.provider.script(refusal('outcome_unknown'))],
    ['comes too early', ({ world }) => world.provider.script(refusal('retrying'))],
    ['ends with its process', ({ world }) => world.before(/^grant/, ({ caller }) => caller.crash())],
  ])('stays blocked if the next request %s', async (_, spoil) => {
    const scenario = await due();
    const { world, connection, process } = scenario;
    world.provider.script(refusal('reauthorization_required'));
    await process.rotate(connection);
    await world.clock.pass(HOUR);
    spoil(scenario);
    await process.rotate(connection);
    expect(world.count(/^grant/)).toBe(2);
    await world.clock.pass(16_000);
    const next = world.process();
    const problem = { code: 'reauthorization_required' } as const;
    expect(await next.rotate(connection)).toMatchObject({ result: 'blocked', problem });
    expect(world.record('crm').failure).toMatchObject({ ...problem, blocked: true });
    expect(world.count(/^grant/)).toBe(2);
    while (world.record('crm').failure) {
      await passToDue(scenario);
      await next.rotate(connection);
    }
    expect(world.count(/^grant/)).toBe(3);
    expectHealthy(scenario);
  });

  test('is sent before that if the refusal passes', async () => {
    const scenario = await due();
    const { world, connection, process } = scenario;
    world.provider.script(refusal('reauthorization_required', { refusal: 'transient' }));
    await process.rotate(connection);
    await world.clock.pass(61_000);
    await mustRotate(scenario);
    expect(world.now()).toBeLessThan((world.record('crm').accessToken?.expiresAt ?? 0) - HOUR / 2);
    expectHealthy(scenario);
  });

  test.each([
    ['the provider says that it has ended', refusal('reauthorization_required', { refusal: 'final' })],
    ['a response was lost before', refusal('reauthorization_required')],
  ])('is never sent again if %s', async (why, answer) => {
    const scenario = await due();
    const { world, connection, process } = scenario;
    if (why.includes('lost')) {
      world.provider.script(refusal('outcome_unknown'));
      await process.rotate(connection);
      await passToDue(scenario);
    }
    world.provider.script(answer);
    expect(await process.rotate(connection)).toMatchObject({ result: 'blocked' });
    const before = world.provider.sent.length;
    expect(await lookFor(scenario, 48 * HOUR)).toEqual([]);
    expect(world.provider.sent).toHaveLength(before);
  });
});

describe('a secret with a value that no provider accepts', () => {
  const MALFORMED: readonly [string, (value: string) => string, string][] = [
    ['straight quotes', (value) => `"${value}"`, 'has quotes around it'],
    ['single quotes and a line end', (value) => `'${value}'\r\n`, 'has quotes around it'],
    ['typographic quotes', (value) => `\u201c${value}\u201d`, 'has quotes around it'],
    ['a zero-width space', (value) => `${value}\u200b`, 'U+200B'],
    ['a no-break space', (value) => `${value}\u00a0`, 'U+00A0'],
    ['a tab at the end', (value) => `${value}\t`, 'U+0009'],
    ['UTF-16 read as UTF-8', (value) => `\ufffd\ufffd${[...value].join('\0')}\0`, 'U+FFFD'],
    ['a byte order mark inside', (value) => `a\ufeff${value}`, 'U+FEFF'],
  ];
  const SECRETS = ['crm-client-id', CLIENT_SECRET, REFRESH_TOKEN];
  const all = MALFORMED.flatMap((each) => SECRETS.map((name) => [name, ...each] as const));

  test.each(all)(
    '%s with %s: nothing is written or sent until it is set again',
    async (name, _, spoil, why) => {
      const scenario = seeded({ clientId: undefined });
      const { world, connection, process } = scenario;
      const value = world.credentials.latest(name)?.value ?? 'the-client';
      world.credentials.set('crm-client-id', 'the-client');
      world.credentials.set(name, spoil(value));
      world.operations.length = 0;
      expect(await process.rotate(connection)).toMatchObject({
        result: 'blocked',
        problem: {
          code: 'secret_malformed',
          message: expect.stringContaining(why),
          fix: expect.stringContaining(`Set ${name} to `),
        },
      });
      expect(world.record('crm').failure?.clearedBy).toMatchObject([{ secret: name }]);
      expect(world.count(/^(put|tag|grant)/)).toBe(0);
      world.credentials.set(name, value);
      await passToDue(scenario);
      await mustRotate(scenario);
      expectHealthy(scenario);
    },
  );

  test('is never copied over a late write, because a copy would be sent', async () => {
    const scenario = await due();
    const { world, connection, process } = scenario;
    const late = world.credentials.latest(REFRESH_TOKEN);
    await world.clock.pass(2_000);
    world.credentials.set(REFRESH_TOKEN, '"in quotes"');
    await world.clock.pass(2_000);
    world.credentials.set(REFRESH_TOKEN, late?.value ?? '', late?.tags);
    expect(await process.rotate(connection)).toMatchObject({ problem: { code: 'secret_malformed' } });
    expect(world.count(/^grant/)).toBe(0);
  });

  test('is sent as it is if a provider issued it', async () => {
    const scenario = seeded();
    const { world } = scenario;
    await mustRotate(scenario);
    const { value = '', tags } = world.credentials.latest(REFRESH_TOKEN) ?? {};
    world.credentials.set(REFRESH_TOKEN, `"${value}"`, tags);
    await passToDue(scenario);
    await scenario.process.rotate(scenario.connection);
    expect(world.provider.sent.at(-1)).toBe(`"${value}"`);
  });
});

describe('a missing secret', () => {
  test.each([
    ['client secret', CLIENT_SECRET],
    ['refresh token', REFRESH_TOKEN],
  ])('the %s: the message names it, and the rotator detects when it is set', async (_, name) => {
    const scenario = seeded();
    const { world, connection, process } = scenario;
    const value = world.credentials.latest(name)?.value ?? '';
    world.credentials.softDelete(name);
    const problem = { code: 'secret_missing', message: expect.stringContaining(name) } as const;
    expect(await process.rotate(connection)).toMatchObject({
      result: 'blocked',
      problem,
      retryAfterMs: 60_000,
    });
    world.credentials.recover(name);
    world.credentials.set(name, ' \n');
    await passToDue(scenario);
    expect(await process.rotate(connection)).toMatchObject({
      result: 'blocked',
      problem: { code: 'secret_empty' },
    });
    expect(world.provider.sent).toEqual([]);
    world.credentials.set(name, value);
    await passToDue(scenario);
    await mustRotate(scenario);
    expectHealthy(scenario);
  });

  test('a disabled refresh token is retried later', async () => {
    const { world, connection, process } = await due();
    world.credentials.disable(REFRESH_TOKEN);
    expect(await process.rotate(connection)).toMatchObject({
      result: 'retrying',
      problem: { code: 'secret_disabled' },
    });
  });
});

describe('a client secret that was changed, and that the provider learns after two minutes', () => {
  test('is tried every 30 s', async () => {
    const scenario = await due();
    const { world, connection, process } = scenario;
    accept(scenario, 'client-secret-two');
    expect(await process.rotate(connection)).toMatchObject({ problem: { code: 'client_rejected' } });
    await world.clock.pass(20 * 60_000);
    accept(scenario);
    world.credentials.set(CLIENT_SECRET, 'client-secret-two');
    expect(await process.rotate(connection)).toMatchObject({ result: 'blocked', retryAfterMs: 30_000 });
    for (let waits = 1; waits <= 3; waits++) {
      await world.clock.pass(30_000);
      expect(await process.rotate(connection)).toMatchObject({ result: 'blocked', retryAfterMs: 30_000 });
    }
    accept(scenario, 'client-secret-two');
    await world.clock.pass(30_000);
    await mustRotate(scenario);
    expectHealthy(scenario);
  });

  test('is tried once an hour after ten minutes', async () => {
    const scenario = await due();
    const { world, connection, process } = scenario;
    accept(scenario);
    world.credentials.set(CLIENT_SECRET, 'client-secret-two');
    let tried = 0;
    for (let sweep = 0; sweep < 60 * 6; sweep++) {
      const before = world.provider.sent.length;
      await process.rotate(connection);
      if (world.provider.sent.length > before) tried += 1;
      await world.clock.pass(10_000);
    }
    expect(tried).toBeGreaterThanOrEqual(19);
    expect(tried).toBeLessThanOrEqual(22);
  });
});
