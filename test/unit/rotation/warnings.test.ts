import { describe, expect, test } from 'vitest';
import { succeeded } from '../../../lib/rotation/core/outcome.ts';
import { type ConnectionRecord, summaryOf } from '../../../lib/rotation/core/record.ts';
import { expiringSoon, overdueConnections } from '../../../lib/rotation/core/status.ts';
import { connectionNamed } from './world/connection.ts';
import { failing, recordNamed, tokenTimes } from './world/record.ts';

const NOW = Date.parse('2026-01-01T12:00:00Z');
const SECOND = 1_000;
const INTERVAL = 10 * SECOND;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

describe('a warning about a credential', () => {
  const cases: Record<string, [number | undefined, object[]]> = {
    'whose expiry is unknown': [undefined, []],
    'that expires in more than 14 days': [NOW + 14 * DAY + 1, []],
    'that expires in 14 days': [NOW + 14 * DAY, [{ expires: '2026-01-15T12:00:00.000Z', days: 14 }]],
    'that expires in hours': [NOW + 2 * HOUR, [{ expires: '2026-01-01T14:00:00.000Z', days: 0 }]],
    'that has expired': [NOW - 2 * HOUR, [{ expires: '2026-01-01T10:00:00.000Z', days: -1 }]],
  };
  test.each(Object.entries(cases))('%s', (_, [expiresAt, warnings]) => {
    expect(expiringSoon([{ secret: 'crm-client-secret', expiresAt }], NOW)).toEqual(
      warnings.map((each) => ({ secret: 'crm-client-secret', ...each })),
    );
  });
});

describe('the expiry of a refresh token', () => {
  const record = (rotatedAt: number | undefined, refreshTokenExpiresAt: number | undefined) =>
    recordNamed('crm', {
      ...(rotatedAt !== undefined && { rotatedAt }),
      ...(refreshTokenExpiresAt !== undefined && { refreshTokenExpiresAt }),
    });
  const cases: Record<string, [ConnectionRecord, ConnectionRecord, boolean | undefined]> = {
    'is fixed if each new token inherits it': [record(NOW, 5 * DAY), record(NOW + HOUR, 5 * DAY), true],
    'is fixed although it varies by seconds': [
      record(NOW, 5 * DAY),
      record(NOW + MINUTE, 5 * DAY + 2 * SECOND),
      true,
    ],
    'is fixed if it moves by half of the time between two rotations': [
      record(NOW, 5 * DAY),
      record(NOW + HOUR, 5 * DAY + HOUR / 2),
      true,
    ],
    'is fixed if it comes nearer': [record(NOW, 5 * DAY), record(NOW + HOUR, 4 * DAY), true],
    'is not fixed if each rotation moves it': [
      record(NOW, 5 * DAY),
      record(NOW + HOUR, 5 * DAY + HOUR),
      false,
    ],
    'is unknown if it was not there before': [record(NOW, undefined), record(NOW + HOUR, 5 * DAY), undefined],
    'is unknown if it is no longer there': [record(NOW, 5 * DAY), record(NOW + HOUR, undefined), undefined],
    'is unknown after the first rotation': [record(undefined, 5 * DAY), record(NOW, 5 * DAY), undefined],
  };
  test.each(Object.entries(cases))('%s', (_, [before, after, expected]) => {
    const times = tokenTimes(after.rotatedAt ?? 0, HOUR);
    const context = { connection: connectionNamed(), scheduleIntervalMs: INTERVAL };
    expect(succeeded(before, after, times, context).refreshTokenEndIsFixed).toBe(expected);
  });
});

describe('an access token is overdue', () => {
  const token = (issuedAt: number, expiresAt: number) =>
    recordNamed('crm', { rotatedAt: issuedAt, accessToken: tokenTimes(issuedAt, expiresAt) });
  const failed = failing(recordNamed(), NOW);
  const blocked = failing(recordNamed(), NOW, { blocked: true });
  const { rotatedAt: _, ...unknownIssue } = token(NOW, NOW + HOUR);
  const late = { renewBeforeMs: MINUTE };
  const cases: Record<string, [ConnectionRecord | undefined, object, number, boolean]> = {
    'not before 90 % of its lifetime': [token(NOW, NOW + HOUR), {}, NOW + 54 * MINUTE, false],
    'after 90 % of its lifetime': [token(NOW, NOW + HOUR), {}, NOW + 54 * MINUTE + 1, true],
    'when it has expired': [token(NOW, NOW + HOUR), {}, NOW + DAY, true],
    'after 90 % of the life of a refresh token that ends first': [
      { ...token(NOW, NOW + HOUR), refreshTokenExpiresAt: NOW + 30 * MINUTE },
      {},
      NOW + 27 * MINUTE + 1,
      true,
    ],
    'not if its renewal is configured to be later': [token(NOW, NOW + HOUR), late, NOW + 58 * MINUTE, false],
    'halfway between a late renewal and its end': [
      token(NOW, NOW + HOUR),
      late,
      NOW + 59 * MINUTE + 30 * SECOND,
      true,
    ],
    'not before the renewal that comes after its end': [
      token(NOW, NOW + SECOND),
      {},
      NOW + MINUTE + 2 * INTERVAL,
      false,
    ],
    'after two missed sweeps if it ends before its renewal': [
      token(NOW, NOW + SECOND),
      {},
      NOW + MINUTE + 2 * INTERVAL + 1,
      true,
    ],
    'after 90 % of the default lifetime if its time of issue is unknown': [
      unknownIssue,
      {},
      NOW + 54 * MINUTE + 1,
      true,
    ],
    'not earlier if its time of issue is unknown': [unknownIssue, {}, NOW + 54 * MINUTE, false],
    'never before the first one if nothing fails': [recordNamed(), {}, NOW, false],
    'not if the first one fails for half an hour': [failed, {}, NOW + 30 * MINUTE, false],
    'if the first one fails for longer': [failed, {}, NOW + 30 * MINUTE + 1, true],
    'not if the connection is blocked before the first one, because another alarm reports that': [
      blocked,
      {},
      NOW + DAY,
      false,
    ],
    'never without a record': [undefined, {}, NOW, false],
    'never if another deployment wrote its record': [
      {
        ...token(NOW, NOW + HOUR),
        vaults: { credential: 'other.vault.example', token: 'other.vault.example' },
      },
      {},
      NOW + DAY,
      false,
    ],
  };
  test.each(Object.entries(cases))('%s', (_, [record, changes, now, overdue]) => {
    const connections = [connectionNamed('other'), connectionNamed('crm', changes)];
    const summaries = new Map(record && [['crm', summaryOf(record)]]);
    expect(overdueConnections(connections, { now, summaries }, INTERVAL)).toEqual(overdue ? ['crm'] : []);
  });
});
