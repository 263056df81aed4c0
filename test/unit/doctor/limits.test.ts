import { describe, expect, test } from 'vitest';
import { limitChecks } from '../../../lib/doctor/limits.ts';
import { type ConnectionChanges, connectionNamed } from '../rotation/world/connection.ts';

const SETTINGS = { vaultWritesPer10Seconds: 270, scheduleIntervalMs: 10_000 };
const HOUR = 3_600_000;

/** So many connections, with tokens of an hour; the records say otherwise if `lives` does. */
function checksOf(count: number, changes: ConnectionChanges = {}, settings = {}, lives = HOUR) {
  const connections = Array.from({ length: count }, (_, at) => connectionNamed(`c${at}`, changes));
  const summary = { phase: 'idle', generation: 1, nextAttemptAt: 0, rotatedAt: 0, expiresAt: lives } as const;
  const summaries = new Map(connections.map(({ name }) => [name, summary]));
  return limitChecks(connections, summaries, { ...SETTINGS, ...settings });
}

describe('the limits', () => {
  test('are far away for a thousand connections', () => {
    expect(checksOf(1_000)).toMatchObject([{ level: 'ok' }]);
    const [few] = checksOf(1);
    expect(few?.message).toMatch(/^The connections write less than one new version in 10 s;/);
  });

  test('of a vault are near from 80 % on', () => {
    const [first, second] = checksOf(60_000);
    expect(first).toMatchObject({ level: 'warning', message: expect.stringContaining('VAULT_WRITES') });
    expect(second).toMatchObject({ level: 'warning' });
    expect(checksOf(40_000)).toMatchObject([{ level: 'ok' }]);
  });

  test('of the subscription count its share, and all vaults', () => {
    const [only, ...more] = checksOf(20_000, {}, { subscriptionWritesPer10Seconds: 150 });
    expect(only?.message).toContain('the share of the subscription is 150 of 1500');
    expect(more).toEqual([]);
  });

  test('depend on how long tokens really live', () => {
    expect(checksOf(2_000, {}, {}, 60_000)).toMatchObject([{ level: 'warning' }, { level: 'warning' }]);
    expect(checksOf(60_000, {}, {}, 24 * HOUR)).toMatchObject([{ level: 'ok' }]);
  });

  test('do not count connections that are paused', () => {
    expect(checksOf(100_000, { enabled: false })).toMatchObject([{ level: 'ok' }]);
  });
});
