import { describe, expect, test } from 'vitest';
import { type ConnectionRecord, gaveUp, intended, summaryOf } from '../../../lib/rotation/core/record.ts';
import {
  type ConnectionStatus,
  invalidStatusOf,
  recordedStatusOf,
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
    'with a token request in flight': [intended(rotated, NOW, false), 'awaiting_response'],
    'never rotated, with a token request in flight': [
      intended(recordNamed(), NOW, false),
      'awaiting_response',
    ],
    'with a token request whose sender died': [intended(rotated, NOW - 62_000, false), 'outcome_unknown'],
    'with a replay in flight': [
      intended(failed(gaveUp(intended(rotated, NOW, false), NOW)), NOW, false),
      'awaiting_response',
    ],
    'with an expired token': [expired, 'expired'],
    failed: [failed(), 'retrying'],
    'failed, with an expired token': [failed(expired), 'expired'],
    blocked: [blocked(), 'blocked'],
    'blocked, with an expired token': [blocked(expired), 'blocked'],
    'with a token request whose outcome is unknown': [
      failed(gaveUp(intended(rotated, NOW, false), NOW)),
      'outcome_unknown',
    ],
    'with a replay that was refused': [blocked(intended(rotated, NOW, false)), 'blocked'],
  };
  test.each(Object.entries(cases))('%s', (_, [record, state]) => {
    expect(statusOf(connection, record && summaryOf(record), NOW).state).toBe(state);
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

  test('has nothing but the fields that it promises, also for a record with all of them', () => {
    const vaults = { credential: 'credentials.vault.example', token: 'tokens.vault.example' };
    const signedIn = { ...rotated, vaults, familyStartedAt: NOW - HOUR, refreshTokenExpiresAt: NOW + HOUR };
    const record = failed(gaveUp(intended(signedIn, NOW, false), NOW));
    const { code: reason, message, fix } = problemWith('vault_unavailable');
    expect(statusOf(connection, summaryOf(record), NOW)).toEqual({
      name: 'crm',
      provider: 'test',
      state: 'outcome_unknown',
      reason,
      message,
      fix,
      since: '2026-01-01T12:00:00.000Z',
      failuresInARow: 1,
      generation: 3,
      accessTokenExpires: '2026-01-01T12:30:00.000Z',
      lastRotation: '2026-01-01T11:30:00.000Z',
      signedIn: '2026-01-01T11:00:00.000Z',
      refreshTokenExpires: '2026-01-01T13:00:00.000Z',
      nextAttempt: '2026-01-01T12:00:00.000Z',
      history: [{ result: 'retrying', code: reason, at: '2026-01-01T12:00:00.000Z' }],
    });
  });

  test('names no next attempt for a connection that an operator removed', () => {
    const removed = failing(rotated, NOW, { blocked: true, code: 'connection_removed' });
    expect(statusOf(connection, summaryOf(removed), NOW)).not.toHaveProperty('nextAttempt');
    expect(statusOf(connection, summaryOf(blocked()), NOW)).toHaveProperty('nextAttempt');
  });

  test('has everything but a provider and a next attempt while the configuration cannot be read', () => {
    const { provider, nextAttempt, ...known } = statusOf(connection, summaryOf(failed()), NOW);
    expect({ provider, nextAttempt }).toEqual({ provider: 'test', nextAttempt: '2026-01-01T12:10:00.000Z' });
    expect(recordedStatusOf('crm', summaryOf(failed()), NOW)).toStrictEqual(known);
  });

  test('says that the expiry is a default if the provider named none', () => {
    const { accessToken } = rotated;
    const byDefault = {
      ...rotated,
      accessToken: { ...accessToken, expiresInIsDefault: true },
    } as typeof rotated;
    expect(statusOf(connection, summaryOf(byDefault), NOW)).toMatchObject({
      accessTokenExpiryIsDefault: true,
    });
    expect(statusOf(connection, summaryOf(rotated), NOW)).not.toHaveProperty('accessTokenExpiryIsDefault');
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

  test('has the reason of a failure with message and fix', () => {
    const { code: reason, message, fix } = problemWith('vault_unavailable');
    expect(statusOf(connection, summaryOf(failed()), NOW)).toMatchObject({
      reason,
      message,
      fix,
      since: '2026-01-01T12:00:00.000Z',
      failuresInARow: 1,
    });
  });

  test('says whose record it is if it belongs to another deployment', () => {
    const vaults = { credential: 'other.vault.example', token: 'more.vault.example' };
    const status = statusOf(connection, summaryOf({ ...rotated, vaults }), NOW);
    expect(status).toMatchObject({ state: 'blocked', reason: 'owned_elsewhere' });
    expect(status.message).toContain('other.vault.example and the token vault more.vault.example');
    expect(status.fix).toContain('rotator takeover crm');
  });

  test("says whose record it is although the record does not name the other deployment's token vault", () => {
    const summary = { ...summaryOf(rotated), credentialVault: 'other.vault.example' };
    const { message } = statusOf(connection, summary, NOW);
    expect(message).toContain('other.vault.example and the token vault ?');
  });

  test('has the latest outcomes, to the second', () => {
    const history = [
      { result: 'rotated', at: NOW - HOUR },
      { result: 'blocked', code: 'misconfigured', at: NOW + 999 },
    ] as const;
    expect(statusOf(connection, summaryOf({ ...rotated, history: [...history] }), NOW).history).toEqual([
      { result: 'rotated', at: '2026-01-01T11:00:00.000Z' },
      { result: 'blocked', code: 'misconfigured', at: '2026-01-01T12:00:00.000Z' },
    ]);
  });

  test('leaves out outcomes that the rotator cannot have written', () => {
    const summary = { phase: 'idle', generation: 0, nextAttemptAt: 0 } as const;
    const history = '1:rotated,2:stolen,x:rotated,3:blocked:a b,4:retrying:c,999999999999:rotated';
    expect(statusOf(connection, { ...summary, history }, NOW).history).toEqual([
      { result: 'rotated', at: '1970-01-01T00:00:01.000Z' },
      { result: 'retrying', code: 'c', at: '1970-01-01T00:00:04.000Z' },
    ]);
  });
});
