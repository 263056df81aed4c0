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
const requesting = intended(fresh, NOW, false);
const token = tokenTimes(NOW, NOW + 9);
const clearedBy = [
  { secret: 'crm-refresh-token', version: 'v1' },
  { secret: 'crm-client-secret', version: null },
];
const failing = failed({ ...fresh, refreshTokenExpiresAt: 5 }, problem, handling, NOW);

const refused = failed(fresh, problemWith('reauthorization_required'), { ...handling, blocked: true }, NOW);

describe('the transitions of a record', () => {
  const cases: Record<string, [ConnectionRecord, Partial<ConnectionRecord>]> = {
    'a new record is due immediately': [
      newRecord('crm'),
      { phase: { state: 'idle' }, nextAttemptAt: 0, epoch: 0 },
    ],
    'an intent raises the epoch and makes the record due immediately': [
      requesting,
      {
        phase: { state: 'requesting', startedAt: NOW, firstStartedAt: NOW, awaitedUntil: NOW + 62_000 },
        epoch: 1,
        nextAttemptAt: NOW,
        version: 'v1',
      },
    ],
    'a second intent keeps the start of the first': [
      intended(requesting, NOW + 5, true),
      {
        phase: { state: 'requesting', startedAt: NOW + 5, firstStartedAt: NOW, awaitedUntil: NOW + 62_005 },
        epoch: 2,
        forcedAt: NOW + 5,
      },
    ],
    'a withdrawn intent restores the phase and keeps the raised epoch': [
      intentWithdrawn(intended(requesting, NOW + 5, false), requesting),
      { phase: requesting.phase, epoch: 2 },
    ],
    'a settled token request makes the record idle': [
      settled(requesting),
      { phase: { state: 'idle' }, version: 'v1' },
    ],
    'a saved token raises the generation': [
      refreshTokenSaved({ ...requesting, refreshTokenExpiresAt: 7 }, { version: 'v2', expiresAt: undefined }),
      { phase: { state: 'idle' }, version: 'v2', generation: 1 },
    ],
    'a saved token with a known expiry sets the expiry': [
      refreshTokenSaved(requesting, { version: 'v2', expiresAt: NOW + 9 }),
      { refreshTokenExpiresAt: NOW + 9 },
    ],
    'a save found in the vault never lowers epoch or generation': [
      versionFollowed({ ...requesting, generation: 4 }, { version: 'v2', epoch: 0, generation: 3 }, NOW + 1),
      { phase: { state: 'idle' }, version: 'v2', epoch: 1, generation: 4, nextAttemptAt: NOW + 1 },
    ],
    'a save found in the vault sets epoch and generation': [
      versionFollowed(newRecord('crm'), { version: 'v2', epoch: 5, generation: 3 }, NOW),
      { version: 'v2', epoch: 5, generation: 3 },
    ],
    'a save found in the vault keeps a failure that does not concern the refresh token': [
      versionFollowed(failing, { version: 'v2', epoch: 5, generation: 3 }, NOW),
      { version: 'v2', failure: failing.failure },
    ],
    'a recovered intent counts as a token request in flight': [
      intentRecovered(fresh, { startedAt: NOW - 9, firstStartedAt: NOW - 9, epoch: 6 }, undefined),
      {
        phase: {
          state: 'requesting',
          startedAt: NOW - 9,
          firstStartedAt: NOW - 9,
          awaitedUntil: NOW + 61_991,
        },
        epoch: 6,
      },
    ],
    'a recovered intent keeps the start of an earlier intent in the record': [
      intentRecovered(requesting, { startedAt: NOW + 9, firstStartedAt: NOW + 9, epoch: 6 }, undefined),
      { phase: { state: 'requesting', startedAt: NOW + 9, firstStartedAt: NOW, awaitedUntil: NOW + 62_009 } },
    ],
    'a recovered intent that was not the first has no grace period': [
      intentRecovered(fresh, { startedAt: NOW, firstStartedAt: 0, epoch: 6 }, undefined),
      { phase: { state: 'requesting', startedAt: NOW, firstStartedAt: 0, awaitedUntil: NOW + 62_000 } },
    ],
    'a recovered intent records the published access token': [
      intentRecovered(fresh, { startedAt: NOW, firstStartedAt: NOW, epoch: 6 }, token),
      { accessToken: token },
    ],
    'a failure records what would clear it': [
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
        history: [{ result: 'blocked', code: problem.code, at: NOW }],
      },
    ],
    'a published token is recorded with its time': [
      published(requesting, token, NOW + 6),
      { accessToken: token, rotatedAt: NOW },
    ],
    'a copy changes only the version': [versionCopied(requesting, 'v2'), { ...requesting, version: 'v2' }],
    'a proven name is recorded': [publishableNoted(fresh, 'vault/name'), { publishable: 'vault/name' }],
    'a new time for the next attempt is recorded': [attemptAt(fresh, NOW + 1), { nextAttemptAt: NOW + 1 }],
  };
  test.each(Object.entries(cases))('%s', (_, [record, expected]) => {
    expect(record).toMatchObject(expected);
    expect(recordSchema.parse(JSON.parse(JSON.stringify(record)))).toEqual(record);
  });

  test('a save found in the vault is not the refresh token that was refused', () => {
    const saved = { version: 'v2', epoch: 5, generation: 3 };
    expect(versionFollowed(refused, saved, NOW)).not.toHaveProperty('failure');
  });

  test("an operator's token clears failure, phase and expiry", () => {
    const record = familyStarted({ ...failing, phase: requesting.phase }, 'v9', NOW + 1);
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

  test('a published token keeps the failure if another publication failed', () => {
    const record = accessTokenNoted({ ...failing, phase: requesting.phase }, token);
    expect(record).toEqual({ ...failing, phase: { state: 'idle' }, accessToken: token });
  });

  test('a takeover makes the record due immediately and clears only the failure owned_elsewhere', () => {
    const foreign = failed(fresh, { ...problem, code: 'owned_elsewhere' }, handling, NOW);
    expect(takenOver(foreign)).toMatchObject({ version: 'v1', nextAttemptAt: 0 });
    expect(takenOver(foreign)).not.toHaveProperty('failure');
    expect(takenOver(failing)).toEqual({ ...failing, nextAttemptAt: 0 });
    expect(takenOver({ ...fresh, nextAttemptAt: NOW })).toEqual({ ...fresh, nextAttemptAt: 0 });
  });

  test('a value that the provider no longer sends is removed', () => {
    const record = refreshTokenSaved(
      { ...requesting, refreshTokenExpiresAt: 7 },
      { version: 'v2', expiresAt: undefined },
    );
    expect(record).not.toHaveProperty('refreshTokenExpiresAt');
    expect(publishableNoted({ ...fresh, publishable: 'a' }, undefined)).not.toHaveProperty('publishable');
  });
});

describe('failures', () => {
  test('of the same kind are counted from the first one', () => {
    const again = failed(failing, problem, handling, NOW + 5);
    expect(again.failure).toMatchObject({ count: 2, since: NOW, at: NOW + 5 });
  });

  test('of another kind restart the count and keep the start of the series', () => {
    const other = failed(failing, { ...problem, code: 'vault_throttled' }, handling, NOW + 5);
    expect(other.failure).toMatchObject({ count: 1, since: NOW });
  });

  test('of another kind start a new series if one of the two blocks the connection', () => {
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

  test('stay in the history of the last 16 outcomes', () => {
    let record: ConnectionRecord = published(fresh, tokenTimes(0, NOW), NOW);
    for (let at = 1; at <= 15; at++) record = failed(record, problem, handling, at);
    expect(record.history[0]).toEqual({ result: 'rotated', at: 0 });
    const blocked = failed(record, problem, { ...handling, blocked: true }, 16);
    const unknown = failed(blocked, { ...problem, code: 'outcome_unknown' }, handling, 17);
    expect(unknown.history.map(({ at }) => at)).toEqual(Array.from({ length: 16 }, (_, index) => index + 2));
    expect(unknown.history.slice(-3)).toEqual([
      { result: 'retrying', code: problem.code, at: 15 },
      { result: 'blocked', code: problem.code, at: 16 },
      { result: 'outcome_unknown', code: 'outcome_unknown', at: 17 },
    ]);
  });

  test('of records that older versions wrote have a result as well', () => {
    const old = { ...fresh, history: [{ code: 'vault_unavailable', at: 1 }] };
    expect(recordSchema.parse(old).history).toEqual([
      { result: 'retrying', code: 'vault_unavailable', at: 1 },
    ]);
  });

  test('a look that finds no change delays the next look and does not count as a failure', () => {
    const looked = lookedInVain(failing, NOW + 120_000);
    expect(looked).toEqual({ ...failing, nextAttemptAt: NOW + 240_000 });
    expect(lookedInVain(fresh, NOW)).toBe(fresh);
  });
});
