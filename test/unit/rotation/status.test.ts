import { describe, expect, test } from 'vitest';
import { type ConnectionRecord, intended, summaryOf } from '../../../lib/rotation/core/record.ts';
import {
  type ConnectionStatus,
  detailedStatusOf,
  invalidStatusOf,
  statusOf,
} from '../../../lib/rotation/core/status.ts';
import { problemWith } from '../../support/problem.ts';
import { connectionNamed, INVALID } from './world/connection.ts';
import { failing, recordNamed, tokenTimes } from './world/record.ts';

const NOW = Date.parse('2026-01-01T12:00:00Z');
const HOUR = 3_600_000;
const connection = connectionNamed();
const rotated = recordNamed('crm', {
  version: 'v1',
  generation: 3,
  rotatedAt: NOW - HOUR / 2,
  nextAttemptAt: NOW + HOUR / 6,
  accessToken: tokenTimes(NOW - HOUR / 2, NOW + HOUR / 2),
});
const failed = (record = rotated) => failing(record, NOW);
const blocked = (record = rotated) => failing(record, NOW, { blocked: true });
const expired = { ...rotated, accessToken: tokenTimes(0, NOW) };

describe('the state of a connection', () => {
  const cases: Record<string, [ConnectionRecord | undefined, ConnectionStatus['state']]> = {
    'never looked at': [undefined, 'new'],
    'looked at, never rotated': [recordNamed(), 'new'],
    'all is well': [rotated, 'fresh'],
    'a grant is out': [intended(rotated, NOW, false), 'fresh'],
    'its token is over': [expired, 'expired'],
    'it failed': [failed(), 'retrying'],
    'it failed, and its token is over': [failed(expired), 'expired'],
    'it needs a person': [blocked(), 'blocked'],
    'it needs a person, and its token is over': [blocked(expired), 'blocked'],
    'the outcome of a grant is unknown': [failed(intended(rotated, NOW, false)), 'outcome_unknown'],
    'a replay was refused': [blocked(intended(rotated, NOW, false)), 'blocked'],
  };
  test.each(Object.entries(cases))('%s', (_, [record, state]) => {
    expect(statusOf(connection, record && summaryOf(record), NOW).state).toBe(state);
    expect(detailedStatusOf(connection, record, NOW).state).toBe(state);
  });

  test('paused, whatever the record says', () => {
    const paused = { ...connection, enabled: false };
    expect(statusOf(paused, undefined, NOW)).toEqual({ name: 'crm', provider: 'test', state: 'paused' });
    expect(statusOf(paused, summaryOf(blocked()), NOW)).toMatchObject({ state: 'paused' });
    expect(statusOf(paused, summaryOf(rotated), NOW)).not.toHaveProperty('nextAttempt');
  });

  test('invalid, with the problem', () => {
    const { name, problem } = INVALID;
    const { code: reason, message, fix } = problem;
    expect(invalidStatusOf(INVALID)).toEqual({ name, state: 'invalid', reason, message, fix });
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

  test('when the account owner signed in', () => {
    const signedIn = { ...rotated, familyStartedAt: NOW - HOUR };
    expect(statusOf(connection, summaryOf(signedIn), NOW).signedIn).toBe('2026-01-01T11:00:00.000Z');
  });

  test('nothing that is not known', () => {
    expect(statusOf(connection, summaryOf(recordNamed()), NOW)).toEqual({
      name: 'crm',
      provider: 'test',
      state: 'new',
      generation: 0,
    });
  });

  test('in the summary of a record, no field that is not known', () => {
    const summary = { phase: 'idle', generation: 0, nextAttemptAt: 0 } as const;
    expect(summaryOf(recordNamed())).toStrictEqual(summary);
  });

  test('in a list the reason of a failure, alone also message and fix', () => {
    const record = failed();
    const problem = problemWith('vault_unavailable');
    expect(statusOf(connection, summaryOf(record), NOW)).toMatchObject({
      reason: problem.code,
      since: '2026-01-01T12:00:00.000Z',
      failuresInARow: 1,
    });
    expect(statusOf(connection, summaryOf(record), NOW)).not.toHaveProperty('fix');
    const { message, fix } = problem;
    expect(detailedStatusOf(connection, record, NOW)).toMatchObject({ reason: problem.code, message, fix });
  });
});
