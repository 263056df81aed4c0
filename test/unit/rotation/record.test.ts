import { describe, expect, test } from 'vitest';
import {
  accessTokenNoted,
  attemptAt,
  awaitedNoted,
  type ConnectionRecord,
  failed,
  familyStarted,
  gaveUp,
  intended,
  intentRecovered,
  intentWithdrawn,
  lookedInVain,
  newRecord,
  outcomesIn,
  publishableNoted,
  published,
  type RecordedFailure,
  refreshTokenExpiryNoted,
  refreshTokenSaved,
  removalBegun,
  removalDone,
  removalEnded,
  settled,
  summaryOf,
  takenOver,
  versionCopied,
  versionFollowed,
  versionLost,
} from '../../../lib/rotation/core/record.ts';
import { recordSchema, summarySchema } from '../../../lib/rotation/core/recordSchema.ts';
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
const twice = intended(requesting, NOW + 5, false);

const blockedFailure: RecordedFailure = {
  ...problem,
  since: NOW - 3,
  at: NOW - 2,
  count: 2,
  blocked: true,
  clearedBy: [
    { secret: 'crm-key', kind: 'key', version: 'k1' },
    { secret: 'crm-certificate', kind: 'certificate', version: null, setAt: NOW - 10 },
  ],
  fingerprint: 'crm-1',
  sentAgain: 'once_expired',
};
/** Every field has a value. */
const full: Required<ConnectionRecord> = {
  ...fresh,
  version: 'v1',
  lostVersion: 'v0',
  vaults: { credential: 'credentials.vault.example', token: 'tokens.vault.example' },
  phase: twice.phase,
  replacedAwaitedUntil: NOW + 1,
  epoch: 3,
  generation: 2,
  nextAttemptAt: NOW + 2,
  familyStartedAt: NOW - 9,
  removedAt: NOW - 8,
  revokedAt: NOW - 7,
  copiesExpireAt: NOW + 3,
  rotatedAt: NOW - 6,
  forcedAt: NOW - 5,
  accessToken: { issuedAt: NOW - 4, expiresAt: NOW + 4, expiresInIsDefault: true },
  refreshTokenExpiresAt: NOW + 5,
  refreshTokenEndIsFixed: true,
  publishable: 'tokens.vault.example/crm-access-token',
  failure: blockedFailure,
  history: [
    { result: 'rotated', at: 1_000 },
    { result: 'blocked', code: problem.code, at: 2_000 },
  ],
};
const stored = (record: ConnectionRecord) => recordSchema.parse(JSON.parse(JSON.stringify(record)));

test('a record with every field is read as it was written', () => {
  expect(stored(full)).toEqual(full);
  const sentAnyway: ConnectionRecord = { ...full, failure: { ...blockedFailure, sentAgain: 'anyway' } };
  expect(stored(sentAnyway)).toEqual(sentAnyway);
});

describe('the transitions of a record', () => {
  const cases: Record<string, [() => ConnectionRecord, Partial<ConnectionRecord>]> = {
    'a new record is due immediately': [
      () => newRecord('crm'),
      { phase: { state: 'idle' }, nextAttemptAt: 0, epoch: 0 },
    ],
    'an intent raises the epoch and makes the record due immediately': [
      () => requesting,
      {
        phase: { state: 'requesting', startedAt: NOW, firstStartedAt: NOW, awaitedUntil: NOW + 62_000 },
        epoch: 1,
        nextAttemptAt: NOW,
        version: 'v1',
      },
    ],
    'a second intent keeps the start of the first': [
      () => intended(requesting, NOW + 5, true),
      {
        phase: {
          state: 'requesting',
          startedAt: NOW + 5,
          firstStartedAt: NOW,
          awaitedUntil: NOW + 62_005,
          earlierAwaitedUntil: NOW + 62_000,
        },
        epoch: 2,
        forcedAt: NOW + 5,
      },
    ],
    'a second intent by a clock that is behind keeps no longer wait than a record can say': [
      () => intended(requesting, NOW - 500, false),
      {
        phase: {
          state: 'requesting',
          startedAt: NOW - 500,
          firstStartedAt: NOW,
          awaitedUntil: NOW + 61_500,
          earlierAwaitedUntil: NOW + 61_500,
        },
      },
    ],
    'a third intent keeps until when both before it are awaited': [
      () => intended(gaveUp(twice, NOW + 6), NOW + 7, false),
      {
        phase: {
          state: 'requesting',
          startedAt: NOW + 7,
          firstStartedAt: NOW,
          awaitedUntil: NOW + 62_007,
          earlierAwaitedUntil: NOW + 62_000,
        },
      },
    ],
    'a withdrawn intent restores the phase and keeps the raised epoch': [
      () => intentWithdrawn(intended(requesting, NOW + 5, false), requesting),
      { phase: requesting.phase, epoch: 2 },
    ],
    'a settled token request makes the record idle': [
      () => settled(requesting),
      { phase: { state: 'idle' }, version: 'v1' },
    ],
    'a saved token raises the generation': [
      () =>
        refreshTokenSaved(
          { ...requesting, refreshTokenExpiresAt: 7 },
          { version: 'v2', expiresAt: undefined },
        ),
      { phase: { state: 'idle' }, version: 'v2', generation: 1 },
    ],
    'a saved token with a known expiry sets the expiry': [
      () => refreshTokenSaved(requesting, { version: 'v2', expiresAt: NOW + 9 }),
      { refreshTokenExpiresAt: NOW + 9 },
    ],
    'a save found in the vault never lowers epoch or generation': [
      () =>
        versionFollowed(
          { ...requesting, generation: 4 },
          { version: 'v2', epoch: 0, generation: 3 },
          NOW + 1,
        ),
      { phase: { state: 'idle' }, version: 'v2', epoch: 1, generation: 4, nextAttemptAt: NOW + 1 },
    ],
    'a save found in the vault sets epoch and generation': [
      () => versionFollowed(newRecord('crm'), { version: 'v2', epoch: 5, generation: 3 }, NOW),
      { version: 'v2', epoch: 5, generation: 3 },
    ],
    'a save found in the vault keeps a failure that does not concern the refresh token': [
      () => versionFollowed(failing, { version: 'v2', epoch: 5, generation: 3 }, NOW),
      { version: 'v2', failure: failing.failure },
    ],
    'a recovered intent counts as a token request in flight': [
      () => intentRecovered(fresh, { startedAt: NOW - 9, firstStartedAt: NOW - 9, epoch: 6 }, undefined),
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
      () => intentRecovered(requesting, { startedAt: NOW + 9, firstStartedAt: NOW + 9, epoch: 6 }, undefined),
      { phase: { state: 'requesting', startedAt: NOW + 9, firstStartedAt: NOW, awaitedUntil: NOW + 62_009 } },
    ],
    'a recovered intent that was not the first has no grace period': [
      () => intentRecovered(fresh, { startedAt: NOW, firstStartedAt: 0, epoch: 6 }, undefined),
      { phase: { state: 'requesting', startedAt: NOW, firstStartedAt: 0, awaitedUntil: NOW + 62_000 } },
    ],
    'a recovered intent records the published access token': [
      () => intentRecovered(fresh, { startedAt: NOW, firstStartedAt: NOW, epoch: 6 }, token),
      { accessToken: token },
    ],
    'a failure records what would clear it': [
      () => failed(fresh, problem, { blocked: true, clearedBy, fingerprint: 'crm-1' }, NOW),
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
      () => published(requesting, token, NOW + 6),
      { accessToken: token, rotatedAt: NOW },
    ],
    'a copy changes only the version': [
      () => versionCopied(requesting, 'v2'),
      { ...requesting, version: 'v2' },
    ],
    'a proven name is recorded': [() => publishableNoted(fresh, 'vault/name'), { publishable: 'vault/name' }],
    'a new time for the next attempt is recorded': [
      () => attemptAt(fresh, NOW + 1),
      { nextAttemptAt: NOW + 1 },
    ],
    'a sender that gives up waits until now': [
      () => gaveUp(requesting, NOW + 3),
      { phase: { state: 'requesting', startedAt: NOW, firstStartedAt: NOW, awaitedUntil: NOW + 3 } },
    ],
    'a sender that gives up leaves those of earlier requests their time': [
      () => gaveUp(twice, NOW + 6),
      {
        phase: { state: 'requesting', startedAt: NOW + 5, firstStartedAt: NOW, awaitedUntil: NOW + 62_000 },
      },
    ],
    'a sender that gives up when those of earlier requests did waits until now': [
      () => gaveUp(twice, NOW + 62_003),
      {
        phase: { state: 'requesting', startedAt: NOW + 5, firstStartedAt: NOW, awaitedUntil: NOW + 62_003 },
      },
    ],
    'a sender without a request in flight gives nothing up': [() => gaveUp(fresh, NOW), fresh],
    'the new end of a refresh token that stays is recorded': [
      () => refreshTokenExpiryNoted(full, NOW + 99),
      { ...full, refreshTokenExpiresAt: NOW + 99 },
    ],
    'an end of the refresh token of which nothing new is known stays': [
      () => refreshTokenExpiryNoted(full, undefined),
      full,
    ],
  };
  test.each(Object.entries(cases))('%s', (_, [act, expected]) => {
    const record = act();
    expect(record).toMatchObject(expected);
    expect(stored(record)).toEqual(record);
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

  test("what was obtained with a lost version is no longer expected after a save or an operator's token", () => {
    const record = versionLost(requesting, 'v0');
    expect(record).toMatchObject({ lostVersion: 'v0' });
    const saved = { version: 'v2', epoch: 5, generation: 3 };
    for (const next of [
      familyStarted(record, 'v9', NOW),
      versionFollowed(record, saved, NOW),
      refreshTokenSaved(record, { version: 'v2', expiresAt: undefined }),
    ])
      expect(next).not.toHaveProperty('lostVersion');
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

describe('the wait for a response to a request that no longer counts', () => {
  const cases: Record<string, [() => ConnectionRecord, number | undefined]> = {
    'goes on if an operator sets a token meanwhile': [
      () => familyStarted(requesting, 'v9', NOW + 1),
      NOW + 62_000,
    ],
    'goes on if an operator sets yet another token': [
      () => familyStarted({ ...fresh, replacedAwaitedUntil: NOW + 7 }, 'v9', NOW + 1),
      NOW + 7,
    ],
    'is not shortened by an operator who sets a token during a request': [
      () => familyStarted({ ...requesting, replacedAwaitedUntil: NOW + 90_000 }, 'v9', NOW + 1),
      NOW + 90_000,
    ],
    'does not begin if an operator sets a token and no request is in flight': [
      () => familyStarted(fresh, 'v9', NOW + 1),
      undefined,
    ],
    'begins if an earlier request brought the saved token': [
      () => versionFollowed(twice, { version: 'v2', epoch: 1, generation: 1 }, NOW + 9),
      NOW + 62_005,
    ],
    'goes on for the earlier request if the latest one brought the saved token': [
      () => versionFollowed(twice, { version: 'v2', epoch: 2, generation: 1 }, NOW + 9),
      NOW + 62_000,
    ],
    'goes on for the earlier request if the latest one saved its token': [
      () => refreshTokenSaved(twice, { version: 'v2', expiresAt: undefined }),
      NOW + 62_000,
    ],
    'goes on for the earlier request if the latest one brought only an access token': [
      () => accessTokenNoted(twice, token),
      NOW + 62_000,
    ],
    'goes on for the earlier request if the latest one was refused': [() => settled(twice), NOW + 62_000],
    'does not begin if the only request brought the saved token': [
      () => versionFollowed(requesting, { version: 'v2', epoch: 1, generation: 1 }, NOW + 9),
      undefined,
    ],
    'does not begin if the earlier request was over when it was repeated': [
      () => settled(intended(requesting, NOW + 62_000, false)),
      undefined,
    ],
    'does not begin if no request is in flight': [
      () => versionFollowed(settled(requesting), { version: 'v2', epoch: 1, generation: 1 }, NOW + 9),
      undefined,
    ],
    'lasts until the time that a tag shows': [() => awaitedNoted(fresh, NOW + 5), NOW + 5],
    'is prolonged by a later request': [() => awaitedNoted(awaitedNoted(fresh, NOW + 5), NOW + 6), NOW + 6],
    'is not shortened by an earlier request': [
      () => awaitedNoted(awaitedNoted(fresh, NOW + 6), NOW + 5),
      NOW + 6,
    ],
    'is over when the next request is announced': [
      () => intended(awaitedNoted(fresh, NOW + 5), NOW + 5, false),
      undefined,
    ],
  };
  test.each(Object.entries(cases))('%s', (_, [act, until]) => {
    const record = act();
    expect(record.replacedAwaitedUntil).toBe(until);
    expect(stored(record)).toEqual(record);
  });
});

describe('a removal', () => {
  const { removedAt: _removed, revokedAt: _revoked, copiesExpireAt: _copies, ...used } = full;
  const problemOfRemoval = problemWith('connection_removed');
  const begin = () => failed(removalBegun(used, NOW), problemOfRemoval, handling, NOW);
  const complete = () => removalDone(begin(), { version: 'v7', revokedAt: NOW + 5 });

  test('takes from the record what is no longer published or renewed, and keeps until when copies work', () => {
    const begun = begin();
    expect(begun).toMatchObject({ removedAt: NOW, copiesExpireAt: NOW + 4, version: 'v1', generation: 2 });
    const gone = ['accessToken', 'refreshTokenExpiresAt', 'refreshTokenEndIsFixed', 'publishable'] as const;
    for (const field of gone) expect(begun).not.toHaveProperty(field);
  });

  test('keeps the request in flight until it is complete', () => {
    expect(begin()).toMatchObject({ phase: full.phase, replacedAwaitedUntil: NOW + 1 });
    const done = complete();
    expect(done.phase).toEqual({ state: 'idle' });
    expect(done).not.toHaveProperty('replacedAwaitedUntil');
  });

  test('of a connection that never published leaves no copies', () => {
    expect(removalBegun(fresh, NOW)).toEqual({ ...fresh, removedAt: NOW });
  });

  test('records the newest version, and when the provider revoked the token', () => {
    const { failure } = begin();
    expect(complete()).toMatchObject({ removedAt: NOW, version: 'v7', revokedAt: NOW + 5, failure });
  });

  test('that found no version and revoked nothing changes neither', () => {
    const known = removalDone(
      { ...begin(), revokedAt: NOW - 1 },
      { version: undefined, revokedAt: undefined },
    );
    expect(known).toMatchObject({ version: 'v1', revokedAt: NOW - 1 });
    const unknown = removalDone(removalBegun(newRecord('crm'), NOW), {
      version: undefined,
      revokedAt: undefined,
    });
    expect(unknown).toStrictEqual({ ...newRecord('crm'), removedAt: NOW });
  });

  test('ends with its failure when the connection is used again', () => {
    const ended = removalEnded(complete());
    expect(ended).toMatchObject({ version: 'v7', copiesExpireAt: NOW + 4 });
    for (const field of ['removedAt', 'revokedAt', 'failure'] as const)
      expect(ended).not.toHaveProperty(field);
  });

  test('ends without a failure if there is none', () => {
    expect(removalEnded({ ...fresh, removedAt: NOW })).toStrictEqual(fresh);
  });

  test('that has ended does not hide another failure', () => {
    expect(removalEnded({ ...failing, removedAt: NOW })).toEqual(failing);
  });

  test('cannot end if there was none', () => {
    const named = failed(fresh, problemOfRemoval, handling, NOW);
    expect(removalEnded(named)).toBe(named);
  });
});

describe('the summary of a record', () => {
  const texts = () =>
    Object.fromEntries(Object.entries(summaryOf(full)).map(([field, value]) => [field, String(value)]));

  test('has a value for each field, and is read from texts as it was written', () => {
    const summary = summaryOf(full);
    expect(Object.keys(summary)).toEqual(Object.keys(summarySchema.shape));
    expect(summarySchema.parse(texts())).toEqual(summary);
  });

  test.each([
    ['true', true],
    ['false', false],
  ])('reads the flag %o', (text, flag) => {
    const read = summarySchema.parse({ ...texts(), blocked: text, expiresInIsDefault: text });
    expect(read).toMatchObject({ blocked: flag, expiresInIsDefault: flag });
  });

  test.each([
    ['a blank number', { generation: ' ' }],
    ['a word instead of a number', { nextAttemptAt: 'soon' }],
    ['another word instead of a flag', { blocked: 'yes' }],
    ['an empty host', { credentialVault: '' }],
  ])('is not readable with %s', (_, forged) => {
    expect(summarySchema.safeParse({ ...texts(), ...forged }).success).toBe(false);
  });

  test('has messages that fit into a header', () => {
    const said = { ...problem, message: 'The tenant “Café”\nis locked.', fix: 'Ask Zoë.' };
    expect(summaryOf(failed(fresh, said, handling, NOW))).toMatchObject({
      failureMessage: 'The tenant ?Caf?? is locked.',
      failureFix: 'Ask Zo?.',
    });
  });

  test('has the outcomes to the second, each with a code only if it failed', () => {
    expect(outcomesIn(summaryOf(full))).toStrictEqual(full.history);
    expect(outcomesIn(summaryOf(fresh))).toEqual([]);
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
