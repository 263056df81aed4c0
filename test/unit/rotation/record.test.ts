import { describe, expect, test } from 'vitest';
import {
  accessTokenNoted,
  attemptAt,
  type ConnectionRecord,
  failed,
  familyStarted,
  intended,
  intentRecovered,
  intentWithdrawn,
  lookedInVain,
  newRecord,
  publishableNoted,
  published,
  recordSchema,
  refreshTokenSaved,
  settled,
  takenOver,
  versionCopied,
  versionFollowed,
} from '../../../lib/rotation/core/record.ts';
import { problemWith } from '../../support/problem.ts';
import { recordNamed, tokenTimes } from './world/record.ts';

const NOW = 1_000_000;
const problem = problemWith('vault_unavailable');
const handling = { blocked: false, clearedBy: [], fingerprint: 'crm-1' };
const fresh = recordNamed('crm', { version: 'v1' });
const granting = intended(fresh, NOW, false);
const token = tokenTimes(NOW, NOW + 9);
const clearedBy = [
  { secret: 'crm-refresh-token', version: 'v1' },
  { secret: 'crm-client-secret', version: null },
];
const failing = failed({ ...fresh, refreshTokenExpiresAt: 5 }, problem, handling, NOW);

describe('the transitions of a record', () => {
  const cases: Record<string, [ConnectionRecord, Partial<ConnectionRecord>]> = {
    'a new one is due at once': [newRecord('crm'), { phase: { state: 'idle' }, nextAttemptAt: 0, epoch: 0 }],
    'an intent raises the epoch and is due at once': [
      granting,
      {
        phase: { state: 'requesting', startedAt: NOW, firstStartedAt: NOW },
        epoch: 1,
        nextAttemptAt: NOW,
        version: 'v1',
      },
    ],
    'a second intent keeps the first start': [
      intended(granting, NOW + 5, true),
      {
        phase: { state: 'requesting', startedAt: NOW + 5, firstStartedAt: NOW },
        epoch: 2,
        forcedAt: NOW + 5,
      },
    ],
    'an intent withdrawn leaves the phase as it was, and the epoch raised': [
      intentWithdrawn(intended(granting, NOW + 5, false), granting),
      { phase: granting.phase, epoch: 2 },
    ],
    'a settled grant is idle': [settled(granting), { phase: { state: 'idle' }, version: 'v1' }],
    'a saved token counts as a generation': [
      refreshTokenSaved({ ...granting, refreshTokenExpiresAt: 7 }, { version: 'v2', expiresAt: undefined }),
      { phase: { state: 'idle' }, version: 'v2', generation: 1 },
    ],
    'a saved token with a known end': [
      refreshTokenSaved(granting, { version: 'v2', expiresAt: NOW + 9 }),
      { refreshTokenExpiresAt: NOW + 9 },
    ],
    'a found save never lowers epoch or generation': [
      versionFollowed({ ...granting, generation: 4 }, { version: 'v2', epoch: 0, generation: 3 }, NOW + 1),
      { phase: { state: 'idle' }, version: 'v2', epoch: 1, generation: 4, nextAttemptAt: NOW + 1 },
    ],
    'a found save brings its epoch and generation': [
      versionFollowed(newRecord('crm'), { version: 'v2', epoch: 5, generation: 3 }, NOW),
      { version: 'v2', epoch: 5, generation: 3 },
    ],
    'a recovered intent is a grant that is out': [
      intentRecovered(fresh, { startedAt: NOW - 9, firstStartedAt: NOW - 9, epoch: 6 }, undefined),
      { phase: { state: 'requesting', startedAt: NOW - 9, firstStartedAt: NOW - 9 }, epoch: 6 },
    ],
    'a recovered intent of a record that knows of an earlier one keeps the first start': [
      intentRecovered(granting, { startedAt: NOW + 9, firstStartedAt: NOW + 9, epoch: 6 }, undefined),
      { phase: { state: 'requesting', startedAt: NOW + 9, firstStartedAt: NOW } },
    ],
    'a recovered intent that was not the first: no grace': [
      intentRecovered(fresh, { startedAt: NOW, firstStartedAt: 0, epoch: 6 }, undefined),
      { phase: { state: 'requesting', startedAt: NOW, firstStartedAt: 0 } },
    ],
    'a recovered intent brings the access token that is published': [
      intentRecovered(fresh, { startedAt: NOW, firstStartedAt: NOW, epoch: 6 }, token),
      { accessToken: token },
    ],
    'a failure, with what may cure it': [
      failed(fresh, problem, { blocked: true, clearedBy, fingerprint: 'crm-1' }, NOW),
      {
        failure: {
          ...problem,
          since: NOW,
          at: NOW,
          count: 1,
          blocked: true,
          clearedBy,
          fingerprint: 'crm-1',
        },
        history: [{ code: problem.code, at: NOW }],
      },
    ],
    'a published token': [published(granting, token, NOW + 6), { accessToken: token, rotatedAt: NOW }],
    'a copy changes the version and nothing else': [
      versionCopied(granting, 'v2'),
      { ...granting, version: 'v2' },
    ],
    'a name proven': [publishableNoted(fresh, 'vault/name'), { publishable: 'vault/name' }],
    'the next attempt': [attemptAt(fresh, NOW + 1), { nextAttemptAt: NOW + 1 }],
  };
  test.each(Object.entries(cases))('%s', (_, [record, expected]) => {
    expect(record).toMatchObject(expected);
    expect(recordSchema.parse(JSON.parse(JSON.stringify(record)))).toEqual(record);
  });

  test("a person's token clears failure, phase and end", () => {
    const record = familyStarted({ ...failing, phase: granting.phase }, 'v9', NOW + 1);
    expect(record).toMatchObject({
      phase: { state: 'idle' },
      version: 'v9',
      nextAttemptAt: NOW + 1,
      familyStartedAt: NOW + 1,
    });
    expect(record).not.toHaveProperty('failure');
    expect(record).not.toHaveProperty('refreshTokenExpiresAt');
  });

  test('a published token clears the failure', () => {
    const record = published(failing, token, NOW + 6);
    expect(record).toMatchObject({ accessToken: token, rotatedAt: NOW, nextAttemptAt: NOW + 6 });
    expect(record).not.toHaveProperty('failure');
  });

  test('a published token beside which something failed keeps the failure', () => {
    const record = accessTokenNoted({ ...failing, phase: granting.phase }, token);
    expect(record).toEqual({ ...failing, phase: { state: 'idle' }, accessToken: token });
  });

  test('a takeover makes it due at once, and clears what failed for want of it and nothing else', () => {
    const foreign = failed(fresh, { ...problem, code: 'owned_elsewhere' }, handling, NOW);
    expect(takenOver(foreign)).toMatchObject({ version: 'v1', nextAttemptAt: 0 });
    expect(takenOver(foreign)).not.toHaveProperty('failure');
    expect(takenOver(failing)).toEqual({ ...failing, nextAttemptAt: 0 });
    expect(takenOver({ ...fresh, nextAttemptAt: NOW })).toEqual({ ...fresh, nextAttemptAt: 0 });
  });

  test('what is not said by the provider is forgotten', () => {
    const record = refreshTokenSaved(
      { ...granting, refreshTokenExpiresAt: 7 },
      { version: 'v2', expiresAt: undefined },
    );
    expect(record).not.toHaveProperty('refreshTokenExpiresAt');
    expect(publishableNoted({ ...fresh, publishable: 'a' }, undefined)).not.toHaveProperty('publishable');
  });
});

describe('failures', () => {
  test('of the same kind are counted from the first', () => {
    const again = failed(failing, problem, handling, NOW + 5);
    expect(again.failure).toMatchObject({ count: 2, since: NOW, at: NOW + 5 });
  });

  test('of another kind are counted anew, and belong to the same row', () => {
    const other = failed(failing, { ...problem, code: 'vault_throttled' }, handling, NOW + 5);
    expect(other.failure).toMatchObject({ count: 1, since: NOW });
  });

  test('of another kind, after what a person has cured, begin a row of their own', () => {
    const refused = failed(fresh, problem, { ...handling, blocked: true }, NOW);
    const other = failed(refused, { ...problem, code: 'vault_throttled' }, handling, NOW + 5);
    expect(other.failure).toMatchObject({ since: NOW + 5 });
    expect(failed(refused, problem, handling, NOW + 5).failure).toMatchObject({ since: NOW });
    const blocked = failed(
      failing,
      { ...problem, code: 'misconfigured' },
      { ...handling, blocked: true },
      NOW + 5,
    );
    expect(blocked.failure).toMatchObject({ since: NOW + 5 });
  });

  test('leave a history of the last ten', () => {
    let record: ConnectionRecord = fresh;
    for (let at = 1; at <= 12; at++) record = failed(record, problem, handling, at);
    expect(record.history.map(({ at }) => at)).toEqual([3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
  });

  test('a look in vain makes the next one later, and counts as no failure', () => {
    const looked = lookedInVain(failing, NOW + 120_000);
    expect(looked).toEqual({ ...failing, nextAttemptAt: NOW + 240_000 });
    expect(lookedInVain(fresh, NOW)).toBe(fresh);
  });
});
