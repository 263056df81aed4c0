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
    'without a record': [undefined, 'new'],
    'with a record, never rotated': [recordNamed(), 'new'],
    'with a valid token': [rotated, 'fresh'],
    'with a token request in flight': [intended(rotated, NOW, false), 'fresh'],
    'with an expired token': [expired, 'expired'],
    failed: [failed(), 'retrying'],
    'failed, with an expired token': [failed(expired), 'expired'],
    blocked: [blocked(), 'blocked'],
    'blocked, with an expired token': [blocked(expired), 'blocked'],
    'with a token request whose outcome is unknown': [
      failed(intended(rotated, NOW, false)),
      'outcome_unknown',
    ],
    'with a replay that was refused': [blocked(intended(rotated, NOW, false)), 'blocked'],
  };
  test.each(Object.entries(cases))('%s', (_, [record, state]) => {
    expect(statusOf(connection, record && summaryOf(record), NOW).state).toBe(state);
    expect(detailedStatusOf(connection, record, NOW).state).toBe(state);
  });

  test('is paused for every record', () => {
    const paused = { ...connection, enabled: false };
    expect(statusOf(paused, undefined, NOW)).toEqual({ name: 'crm', provider: 'test', state: 'paused' });
    expect(statusOf(paused, summaryOf(blocked()), NOW)).toMatchObject({ state: 'paused' });
    expect(statusOf(paused, summaryOf(rotated), NOW)).not.toHaveProperty('nextAttempt');
  });

  test('is invalid, with the problem', () => {
    const { name, problem } = INVALID;
    const { code: reason, message, fix } = problem;
    expect(invalidStatusOf(INVALID)).toEqual({ name, state: 'invalid', reason, message, fix });
  });
});

describe('the status of a connection', () => {
  test('has times in ISO 8601', () => {
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

  test('says when the account owner signed in', () => {
    const signedIn = { ...rotated, familyStartedAt: NOW - HOUR };
    expect(statusOf(connection, summaryOf(signedIn), NOW).signedIn).toBe('2026-01-01T11:00:00.000Z');
  });

  test('has no field for an unknown value', () => {
    expect(statusOf(connection, summaryOf(recordNamed()), NOW)).toEqual({
      name: 'crm',
      provider: 'test',
      state: 'new',
      generation: 0,
    });
  });

  test('has no field for an unknown value in the summary of a record', () => {
    const summary = { phase: 'idle', generation: 0, nextAttemptAt: 0 } as const;
    expect(summaryOf(recordNamed())).toStrictEqual(summary);
  });

  test('has the reason of a failure in a list, and also message and fix in detail', () => {
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
