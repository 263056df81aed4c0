import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { listedOf, recordOf } from '../../../lib/azure/readRecordBlob.ts';
import { metadataOf } from '../../../lib/azure/recordBlob.ts';
import { currentVersion, reconciled, supersededBy } from '../../../lib/rotation/core/currentVersion.ts';
import { plausibleRecord, plausibleSummary } from '../../../lib/rotation/core/plausible.ts';
import { type ConnectionRecord, summaryOf } from '../../../lib/rotation/core/record.ts';
import { recordSchema } from '../../../lib/rotation/core/recordSchema.ts';
import { overdueConnections, statusOf } from '../../../lib/rotation/core/status.ts';
import { foreignStore, readIntent, readOrigin } from '../../../lib/rotation/core/tags.ts';
import type { SecretVersion } from '../../../lib/rotation/ports.ts';
import { thrownBy } from '../../support/thrown.ts';
import { connectionNamed } from './world/connection.ts';
import { failing, recordNamed, tokenTimes } from './world/record.ts';

const NOW = Date.parse('2026-01-01T12:00:00Z');
const [MINUTE, HOUR, DAY] = [60_000, 3_600_000, 86_400_000];
const IN_2121 = Date.parse('2121-01-01T00:00:00Z');
const DUE_NOW = { phase: 'idle', generation: 0, nextAttemptAt: 0 } as const;
const WHERE = { container: 'here', now: NOW };
const connection = connectionNamed();

const healthy: ConnectionRecord = recordNamed('crm', {
  version: 'v1',
  epoch: 3,
  generation: 2,
  rotatedAt: NOW - HOUR,
  forcedAt: NOW - HOUR,
  familyStartedAt: NOW - DAY,
  nextAttemptAt: NOW + HOUR / 2,
  accessToken: tokenTimes(NOW - HOUR, NOW + HOUR),
  refreshTokenExpiresAt: NOW + 90 * DAY,
  publishable: 'https://vault/name',
  history: [
    { result: 'retrying', code: 'vault_unavailable', at: NOW - DAY },
    { result: 'rotated', at: NOW - HOUR },
  ],
});
const listed = (record: ConnectionRecord) => listedOf('crm.json', metadataOf(record), NOW)?.summary;
const read = (record: object) => recordOf(JSON.stringify(record), 'crm', WHERE);

describe('what the rotator can have written is read as it is', () => {
  test.each<[string, ConnectionRecord]>([
    ['a healthy record', healthy],
    ['a failure with the longest pause', { ...failing(recordNamed('crm'), NOW), nextAttemptAt: NOW + HOUR }],
    [
      'a request in flight',
      {
        ...healthy,
        phase: { state: 'requesting', startedAt: NOW, firstStartedAt: 1, awaitedUntil: NOW + 62_000 },
      },
    ],
    [
      'a request in flight that repeats another one',
      {
        ...healthy,
        phase: {
          state: 'requesting',
          startedAt: NOW,
          firstStartedAt: NOW - 1,
          awaitedUntil: NOW + 62_000,
          earlierAwaitedUntil: NOW + 61_999,
        },
      },
    ],
    ['a clock that is four minutes ahead', { ...healthy, rotatedAt: NOW + 4 * MINUTE }],
    [
      'an access token for ten years',
      {
        ...healthy,
        accessToken: tokenTimes(NOW, NOW + 3_660 * DAY),
        nextAttemptAt: NOW + 7 * DAY,
      },
    ],
  ])('%s', (_, record) => {
    expect(plausibleRecord(record, NOW)).toEqual(record);
    expect(listed(record)).not.toEqual(DUE_NOW);
  });
});

describe('a record that the rotator cannot have written is due now', () => {
  test.each<[string, Partial<ConnectionRecord>]>([
    ['a next attempt in 2121', { nextAttemptAt: IN_2121 }],
    ['a next attempt after the access token has expired', { nextAttemptAt: NOW + 2 * HOUR }],
    [
      'a next attempt and an expiry in 2121',
      {
        nextAttemptAt: IN_2121,
        accessToken: tokenTimes(NOW - HOUR, IN_2121),
      },
    ],
    [
      'a next attempt in eight days',
      {
        nextAttemptAt: NOW + 8 * DAY,
        accessToken: tokenTimes(NOW - HOUR, NOW + 9 * DAY),
      },
    ],
    ['a number that is not a time', { nextAttemptAt: 1e300 }],
    ['a negative time', { nextAttemptAt: -1 }],
  ])('%s', (_, changes) => {
    expect(listed({ ...healthy, ...changes })).toEqual(DUE_NOW);
    expect(read({ ...healthy, ...changes }).nextAttemptAt).toBe(0);
  });

  test.each<[string, Partial<ConnectionRecord>]>([
    ['an expiry', { accessToken: tokenTimes(NOW, 1e300) }],
    ['a rotation in the future', { rotatedAt: NOW + HOUR }],
    ['a sign-in in the future', { familyStartedAt: IN_2121 }],
    ['a refresh token until', { refreshTokenExpiresAt: 8.64e15 + 1 }],
    [
      'a request that began in the future',
      { phase: { state: 'requesting', startedAt: NOW, firstStartedAt: NOW, awaitedUntil: IN_2121 } },
    ],
    ['a generation', { generation: 1e300 }],
    ['half a generation', { generation: 1.5 }],
  ])('also in the list: %s', (_, changes) => {
    expect(listed({ ...healthy, ...changes })).toEqual(DUE_NOW);
  });
});

test('leaves out what cannot be true, and keeps the rest', () => {
  const forged = {
    ...healthy,
    version: '../other',
    epoch: 1e300,
    generation: -1,
    forcedAt: IN_2121,
    rotatedAt: IN_2121,
    familyStartedAt: IN_2121,
    refreshTokenExpiresAt: 1e300,
    publishable: 'x'.repeat(1_001),
    history: [
      { result: 'retrying', code: 'a\nb', at: NOW },
      { result: 'retrying', code: 'vault_unavailable', at: IN_2121 },
    ],
  } as const;
  expect(read(forged)).toEqual({
    ...recordNamed('crm'),
    nextAttemptAt: healthy.nextAttemptAt,
    accessToken: healthy.accessToken,
  });
});

test('a request that begins in the future began now, and has no grace period', () => {
  const phase = {
    state: 'requesting',
    startedAt: IN_2121,
    firstStartedAt: IN_2121,
    awaitedUntil: IN_2121,
  } as const;
  expect(read({ ...healthy, phase }).phase).toEqual({
    ...phase,
    startedAt: NOW,
    firstStartedAt: 0,
    awaitedUntil: NOW + 62_000,
  });
});

test('a request that repeats one which is awaited for ever repeats none', () => {
  const phase = { state: 'requesting', startedAt: NOW, firstStartedAt: NOW, awaitedUntil: NOW } as const;
  expect(read({ ...healthy, phase: { ...phase, earlierAwaitedUntil: IN_2121 } }).phase).toEqual({
    ...phase,
    firstStartedAt: 0,
    awaitedUntil: NOW + 62_000,
  });
});

test('text of a record is shown without control characters, and cut', () => {
  const { failure } = failing(healthy, NOW, { blocked: true });
  const forged = {
    ...failure,
    message: `a\u001b[2Jb\u202ec\r\nd${'x'.repeat(2_000)}`,
    fix: '\u0000',
    since: 1e300,
  };
  const clearedBy = [{ secret: '../x', version: null }, ...Array(99).fill({ secret: 'x', version: null })];
  const record = read({ ...healthy, failure: { ...forged, clearedBy } });
  expect(record.failure).toMatchObject({ since: NOW, at: NOW, count: 1, blocked: true });
  expect(record.failure?.clearedBy).toHaveLength(32);
  const { message = '', fix } = statusOf(connection, summaryOf(record), NOW);
  expect(message).toMatch(/^a\?\[2Jb\?c dx+\.\.\.$/);
  expect(message.length).toBeLessThanOrEqual(1_003);
  expect(fix).toBe('?');
});

test('a store named in a tag is shown without control characters', () => {
  const tags = { 'intent-store': `evil\u001b[2J${'x'.repeat(500)}` };
  expect(foreignStore({ tags }, 'ours')).toMatch(/^evil\?\[2Jx+\.\.\.$/);
});

/** Numbers at the edges, texts and anything else, more often than not of the right kind. */
const number = fc.oneof(
  fc.double(),
  fc.integer(),
  fc.maxSafeInteger(),
  fc.constantFrom(1e300, -0, IN_2121, NOW, NOW + DAY, 8.64e15, 8.64e15 + 1, Number.MAX_VALUE),
);
const text = fc.oneof(
  fc.string({ unit: 'binary' }),
  number.map(String),
  fc.constantFrom('idle', 'requesting', 'true', 'v1', '1e300', '__proto__'),
);
const anything = fc.oneof(number, text, fc.boolean(), fc.jsonValue());
const STATUS_FIELDS = ['phase', 'generation', 'nextattemptat', 'expiresat', 'rotatedat', 'familystartedat'];
const MORE_FIELDS = [
  'refreshtokenexpiresat',
  'failurecode',
  'failurecount',
  'failingsince',
  'blocked',
  'connection',
  'awaiteduntil',
  'failuremessage',
  'failurefix',
  'history',
];

test('any metadata give a summary that can be shown, with a next attempt within seven days', () => {
  const names = fc.constantFrom(...STATUS_FIELDS, ...MORE_FIELDS);
  fc.assert(
    fc.property(fc.dictionary(fc.oneof(names, fc.string()), text), (forged) => {
      for (const metadata of [forged, { ...metadataOf(healthy), ...forged }]) {
        const { summary = expect.fail() } = listedOf('crm.json', metadata, NOW) ?? {};
        expect(summary.nextAttemptAt).toBeLessThanOrEqual(NOW + 7 * DAY + 5 * MINUTE);
        expect(plausibleSummary(summary, NOW)).toEqual(summary);
        JSON.stringify(statusOf(connection, summary, NOW));
        overdueConnections([connection], { now: NOW, summaries: new Map([['crm', summary]]) }, 10_000);
      }
    }),
  );
});

test('any body is unreadable, or gives a record that can be shown and written again', () => {
  const fields = Object.keys(recordSchema.shape);
  const members = fc.dictionary(fc.oneof(fc.constantFrom(...fields), fc.string()), anything);
  const failureOf = fc.record({ since: number, at: number, count: number, message: text, fix: text });
  fc.assert(
    fc.property(members, failureOf, fc.boolean(), (forged, failure, fails) => {
      const blocked = failing(healthy, NOW, { blocked: true });
      const body = { ...healthy, ...(fails && { failure: { ...blocked.failure, ...failure } }), ...forged };
      let record: ConnectionRecord;
      try {
        record = read(body);
      } catch (thrown) {
        expect(thrown).toMatchObject({ code: 'record_unreadable' });
        return;
      }
      expect(record.nextAttemptAt).toBeLessThanOrEqual(NOW + 7 * DAY + 5 * MINUTE);
      expect(read(record)).toEqual(record);
      const shown = statusOf(connection, summaryOf(record), NOW);
      expect(shown.message ?? '').not.toMatch(/\p{Cc}/u);
      expect(listed(record)?.nextAttemptAt).toBe(record.nextAttemptAt);
    }),
  );
});

test('any text instead of a record is unreadable', () => {
  fc.assert(
    fc.property(fc.oneof(text, fc.json()), (body) => {
      expect(thrownBy(() => recordOf(body, 'crm', WHERE)).code).toBe('record_unreadable');
    }),
  );
});

test('any tags give counts and times that can be used, and always a version', () => {
  const names = ['managed-by', 'connection', 'parent', 'epoch', 'generation', 'store'];
  const intents = ['intent-started', 'intent-epoch', 'intent-store'];
  const value = fc.oneof(text, fc.constantFrom('key-vault-token-rotator', 'v0', 'v1', 'v2', '+275760-09-13'));
  const tagsOf = fc.dictionary(fc.constantFrom(...names, ...intents), value);
  const versionOf = (at: number) =>
    fc
      .record({ createdAt: fc.constantFrom(0, 1_000, 2_000), tags: tagsOf, isChanged: fc.boolean() })
      .map((rest): SecretVersion => ({ version: `v${at}`, ...rest }));
  fc.assert(
    fc.property(fc.tuple(versionOf(0), versionOf(1), versionOf(2)), (versions) => {
      const found = currentVersion(healthy, versions, 'v2');
      if (found.finding === 'gone') return expect.fail();
      const next = reconciled(healthy, found, NOW, undefined);
      expect(plausibleRecord(next, NOW)).toEqual(next);
      supersededBy(found.winner, versions, 'v2');
      for (const { tags } of versions) {
        const counts = [readOrigin(tags)?.epoch ?? 0, readIntent(tags)?.epoch ?? 0];
        expect(counts.every((count) => count >= 0 && count <= 1e9)).toBe(true);
        expect(foreignStore({ tags }, 'ours') ?? '').toMatch(/^[!-~]*$/);
      }
    }),
  );
});
