import { describe, expect, test } from 'vitest';
import { type ConnectionRecord, failed, intended, newRecord } from '../../../lib/rotation/core/record.ts';
import { detailedStatusOf, invalidStatusOf, statusOf, summaryOf } from '../../../lib/rotation/core/status.ts';
import { connectionNamed } from './world/connection.ts';

const NOW = Date.parse('2026-01-01T12:00:00Z');
const HOUR = 3_600_000;
const connection = connectionNamed();
const rotated: ConnectionRecord = {
  ...newRecord('crm'),
  version: 'v1',
  generation: 3,
  rotatedAt: NOW - HOUR / 2,
  nextAttemptAt: NOW + HOUR / 6,
  accessToken: { issuedAt: NOW - HOUR / 2, expiresAt: NOW + HOUR / 2, lifetimeAssumed: false },
};
const problem = { code: 'vault_unavailable', message: 'It is away.', fix: 'Wait.' } as const;
const failing = (blocked: boolean, record = rotated) =>
  failed(record, problem, { blocked, watch: [], fingerprint: 'crm-1' }, NOW);
const expired = { ...rotated, accessToken: { issuedAt: 0, expiresAt: NOW, lifetimeAssumed: false } };

describe('the state of a connection', () => {
  const cases: Record<string, [ConnectionRecord | undefined, string]> = {
    'never looked at': [undefined, 'new'],
    'looked at, never rotated': [newRecord('crm'), 'new'],
    'all is well': [rotated, 'fresh'],
    'a grant is out': [intended(rotated, NOW, false), 'fresh'],
    'its token is over': [expired, 'expired'],
    'it failed': [failing(false), 'failing'],
    'it failed, and its token is over': [failing(false, expired), 'expired'],
    'it needs a person': [failing(true), 'blocked'],
    'it needs a person, and its token is over': [failing(true, expired), 'blocked'],
    'the outcome of a grant is unknown': [failing(false, intended(rotated, NOW, false)), 'unknown_outcome'],
    'a replay was refused': [failing(true, intended(rotated, NOW, false)), 'blocked'],
  };
  test.each(Object.entries(cases))('%s', (_, [record, state]) => {
    expect(statusOf(connection, record && summaryOf(record), NOW).state).toBe(state);
    expect(detailedStatusOf(connection, record, NOW).state).toBe(state);
  });

  test('paused, whatever the record says', () => {
    const paused = { ...connection, enabled: false };
    expect(statusOf(paused, undefined, NOW)).toEqual({ name: 'crm', provider: 'test', state: 'paused' });
    expect(statusOf(paused, summaryOf(failing(true)), NOW)).toMatchObject({ state: 'paused' });
    expect(statusOf(paused, summaryOf(rotated), NOW)).not.toHaveProperty('nextAttempt');
  });

  test('invalid, with the problem', () => {
    expect(invalidStatusOf({ name: 'broken', problem })).toEqual({
      name: 'broken',
      state: 'invalid',
      failure: problem,
    });
  });
});

describe('what is told of it', () => {
  test('times in ISO 8601', () => {
    expect(statusOf(connection, summaryOf(rotated), NOW)).toEqual({
      name: 'crm',
      provider: 'test',
      state: 'fresh',
      generation: 3,
      accessTokenExpires: '2026-01-01T12:30:00.000Z',
      lastRotation: '2026-01-01T11:30:00.000Z',
      nextAttempt: '2026-01-01T12:10:00.000Z',
    });
  });

  test('nothing that is not known', () => {
    expect(statusOf(connection, summaryOf(newRecord('crm')), NOW)).toEqual({
      name: 'crm',
      provider: 'test',
      state: 'new',
      generation: 0,
    });
  });

  test('in the summary of a record, no field that is not known', () => {
    const summary = { phase: 'idle', generation: 0, nextAttemptAt: 0 };
    expect(summaryOf(newRecord('crm'))).toStrictEqual(summary);
  });

  test('in a list the code of a failure, alone also cause and fix', () => {
    const record = failing(false);
    expect(statusOf(connection, summaryOf(record), NOW)).toMatchObject({
      failure: { code: 'vault_unavailable' },
      failuresInARow: 1,
    });
    expect(detailedStatusOf(connection, record, NOW).failure).toEqual(problem);
  });
});
