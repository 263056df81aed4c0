import { describe, expect, test } from 'vitest';
import { type ConnectionRecord, summaryOf } from '../../../lib/rotation/core/record.ts';
import { expiringSoon, fixedExpiry, overdueConnections } from '../../../lib/rotation/core/status.ts';
import { connectionNamed } from './world/connection.ts';
import { failing, recordNamed, tokenTimes } from './world/record.ts';

const NOW = Date.parse('2026-01-01T12:00:00Z');
const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

describe('a credential', () => {
  const cases: Record<string, [number | undefined, object[]]> = {
    'whose expiry nobody knows': [undefined, []],
    'that expires in more than 14 days': [NOW + 14 * DAY + 1, []],
    'that expires in 14 days': [NOW + 14 * DAY, [{ expires: '2026-01-15T12:00:00.000Z', days: 14 }]],
    'that expires in hours': [NOW + 2 * HOUR, [{ expires: '2026-01-01T14:00:00.000Z', days: 0 }]],
    'that has expired': [NOW - 2 * HOUR, [{ expires: '2026-01-01T10:00:00.000Z', days: -1 }]],
  };
  test.each(Object.entries(cases))('%s', (_, [expiresAt, told]) => {
    expect(expiringSoon([{ secret: 'crm-client-secret', expiresAt }], NOW)).toEqual(
      told.map((each) => ({ secret: 'crm-client-secret', ...each })),
    );
  });
});

describe('the expiry of a refresh token', () => {
  const record = (rotatedAt: number | undefined, refreshTokenExpiresAt: number | undefined) =>
    recordNamed('crm', {
      ...(rotatedAt !== undefined && { rotatedAt }),
      ...(refreshTokenExpiresAt !== undefined && { refreshTokenExpiresAt }),
    });
  const cases: Record<string, [ConnectionRecord, ConnectionRecord, number | undefined]> = {
    'stays where each new token inherits it': [record(NOW, 5 * DAY), record(NOW + HOUR, 5 * DAY), 5 * DAY],
    'stays although it wavers by seconds': [
      record(NOW, 5 * DAY),
      record(NOW + MINUTE, 5 * DAY + 2 * SECOND),
      5 * DAY + 2 * SECOND,
    ],
    'stays where half of the time went by': [
      record(NOW, 5 * DAY),
      record(NOW + HOUR, 5 * DAY + HOUR / 2),
      5 * DAY + HOUR / 2,
    ],
    'comes nearer': [record(NOW, 5 * DAY), record(NOW + HOUR, 4 * DAY), 4 * DAY],
    'moves on with each rotation': [record(NOW, 5 * DAY), record(NOW + HOUR, 5 * DAY + HOUR), undefined],
    'was not known before': [record(NOW, undefined), record(NOW + HOUR, 5 * DAY), undefined],
    'is not known any more': [record(NOW, 5 * DAY), record(NOW + HOUR, undefined), undefined],
    'cannot be judged by a first rotation': [record(undefined, 5 * DAY), record(NOW, 5 * DAY), undefined],
  };
  test.each(Object.entries(cases))('%s', (_, [before, after, expected]) => {
    expect(fixedExpiry(before, after)).toBe(expected);
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
    'not before 90 % of its life': [token(NOW, NOW + HOUR), {}, NOW + 54 * MINUTE, false],
    'after 90 % of its life': [token(NOW, NOW + HOUR), {}, NOW + 54 * MINUTE + 1, true],
    'when it has expired': [token(NOW, NOW + HOUR), {}, NOW + DAY, true],
    'not where it is to be renewed later': [token(NOW, NOW + HOUR), late, NOW + 58 * MINUTE, false],
    'halfway between a late renewal and the end': [
      token(NOW, NOW + HOUR),
      late,
      NOW + 59 * MINUTE + 30 * SECOND,
      true,
    ],
    'by the assumed lifetime where its issue is unknown': [unknownIssue, {}, NOW + 54 * MINUTE + 1, true],
    'not early where its issue is unknown': [unknownIssue, {}, NOW + 54 * MINUTE, false],
    'never where there is none and nothing fails': [recordNamed(), {}, NOW, false],
    'not where the first one fails for half an hour': [failed, {}, NOW + 30 * MINUTE, false],
    'where the first one fails for longer': [failed, {}, NOW + 30 * MINUTE + 1, true],
    'not where the first one needs a person, who is told otherwise': [blocked, {}, NOW + DAY, false],
    'never where there is no record': [undefined, {}, NOW, false],
  };
  test.each(Object.entries(cases))('%s', (_, [record, changes, now, overdue]) => {
    const connections = [connectionNamed('other'), connectionNamed('crm', changes)];
    const summaries = new Map(record && [['crm', summaryOf(record)]]);
    expect(overdueConnections(connections, { now, summaries })).toEqual(overdue ? ['crm'] : []);
  });
});
