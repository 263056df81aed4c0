import { describe, expect, test } from 'vitest';
import type { ErrorCode } from '../../../lib/errors.ts';
import {
  type Decision,
  decide,
  decideEarly,
  mayClearAutomatically,
  NO_REFRESH_TOKEN,
  type Occasion,
  type Reason,
  type Situation,
  type Skip,
} from '../../../lib/rotation/core/decide.ts';
import { intended, type RecordedFailure } from '../../../lib/rotation/core/record.ts';
import { asUnsentCopy, savedTags } from '../../../lib/rotation/core/tags.ts';
import type { Secret } from '../../../lib/rotation/ports.ts';
import { connectionNamed, STORE } from './world/connection.ts';
import { failing, recordNamed, tokenTimes } from './world/record.ts';

type Early = [Skip['action'], Skip['reason']];
type Decided = [Exclude<Decision, Skip>['action'], Reason];

const NOW = 1_767_225_600_000;
const issuedAt = NOW - 1000;
const record = recordNamed('crm', {
  version: 'v1',
  nextAttemptAt: NOW,
  rotatedAt: issuedAt,
  accessToken: tokenTimes(issuedAt, NOW + 3_600_000),
});
const later = { ...record, nextAttemptAt: NOW + 1 };
const requesting = intended(record, NOW - 1000, false);
const BLOCKED = { blocked: true };

describe('before any request to a vault', () => {
  const occasion = { connection: connectionNamed(), record, now: NOW, force: false };
  const cases: Record<string, [Partial<Occasion>, Early | undefined]> = {
    'due: the vault is read': [{}, undefined],
    'not due': [{ record: later }, ['skip', 'not_due']],
    'failed, and not due again yet': [{ record: failing(later, NOW) }, ['skip', 'retrying']],
    blocked: [{ record: failing(later, NOW, BLOCKED) }, ['skip', 'blocked']],
    'blocked, and due for a look': [{ record: failing(record, NOW, BLOCKED) }, undefined],
    'a replay that must wait': [
      { record: { ...requesting, nextAttemptAt: NOW + 1 } },
      ['skip', 'outcome_unknown'],
    ],
    'blocked, with a replay that must wait': [
      { record: failing({ ...requesting, nextAttemptAt: NOW + 1 }, NOW, BLOCKED) },
      ['skip', 'blocked'],
    ],
    'forced although not due': [{ record: later, force: true }, undefined],
    'forced although blocked': [{ record: failing(later, NOW, BLOCKED), force: true }, undefined],
    'forced again too soon': [
      { record: { ...later, forcedAt: NOW - 9_999 }, force: true },
      ['skip', 'cooldown'],
    ],
    'forced again': [{ record: { ...later, forcedAt: NOW - 10_000 }, force: true }, undefined],
    'due, and forced just before': [{ record: { ...record, forcedAt: NOW - 1 } }, undefined],
  };
  test.each(Object.entries(cases))('%s', (_, [changes, expected]) => {
    const decision = decideEarly({ ...occasion, ...changes });
    expect(decision && [decision.action, decision.reason]).toEqual(expected);
    if (decision) expect(decision.message).toMatch(/\.$/);
  });
});

describe('what to do', () => {
  const tags = savedTags({ connection: 'crm', parent: 'p', epoch: 0, generation: 0, store: STORE }, {});
  const secret = { version: 'v1', createdAt: NOW, tags, value: 'refresh-token', properties: {} };
  const foreign = { ...secret, tags: { ...tags, store: 'other.example' } };
  const situation: Situation = {
    connection: connectionNamed(),
    record,
    now: NOW,
    force: false,
    latest: secret,
    reconciled: undefined,
    store: STORE,
    scheduleIntervalMs: 10_000,
  };
  const slowly = connectionNamed('crm', { behavior: { earliestRenewalMs: 570_000 } });
  const reusable = { refreshTokenGraceMs: Number.POSITIVE_INFINITY };
  const client = connectionNamed('crm', { grant: 'client_credentials', behavior: reusable });
  const withoutToken = { connection: client, latest: NO_REFRESH_TOKEN };
  const cases: Record<string, [Partial<Situation>, Decided]> = {
    'a refresh that is due': [{}, ['refresh', 'due']],
    'the first refresh': [{ record: recordNamed('crm', { version: 'v1' }) }, ['refresh', 'first']],
    'a forced refresh': [{ force: true }, ['refresh', 'forced']],
    'no refresh token': [{ latest: undefined }, ['block', 'secret_unusable']],
    'a refresh token of blanks': [{ latest: { ...secret, value: ' \n' } }, ['block', 'secret_unusable']],
    "another store's token": [{ latest: foreign }, ['block', 'owned_elsewhere']],
    'an empty token of another store': [{ latest: { ...foreign, value: '' } }, ['block', 'secret_unusable']],
    'another version of another store': [
      { latest: { ...foreign, version: 'v2' } },
      ['block', 'owned_elsewhere'],
    ],
    "another store's token, forced": [{ latest: foreign, force: true }, ['block', 'owned_elsewhere']],
    "another store's copy of an operator's token that was never sent: the vault shows which copy came first":
      [{ latest: { ...foreign, tags: asUnsentCopy(foreign.tags) } }, ['reconcile', 'version_changed']],
    'the refresh token of a removed connection': [
      { record: { ...record, removedAt: NOW - 1 } },
      ['block', 'removed'],
    ],
    'the refresh token of a removed connection, forced': [
      { record: { ...record, removedAt: NOW - 1 }, force: true },
      ['block', 'removed'],
    ],
    'another version than recorded, of a removed connection: an operator may have set it': [
      { record: { ...record, removedAt: NOW - 1 }, latest: { ...secret, version: 'v2' } },
      ['reconcile', 'version_changed'],
    ],
    'a refresh token, while the response to a request with the one before it may still arrive': [
      { record: { ...record, replacedAwaitedUntil: NOW + 1 } },
      ['wait', 'awaiting_response'],
    ],
    'the same, forced': [
      { record: { ...record, replacedAwaitedUntil: NOW + 1 }, force: true },
      ['wait', 'awaiting_response'],
    ],
    'the same, when no process waits for that response any more': [
      { record: { ...record, replacedAwaitedUntil: NOW } },
      ['refresh', 'due'],
    ],
    'another version than recorded': [
      { latest: { ...secret, version: 'v2' } },
      ['reconcile', 'version_changed'],
    ],
    'another version than recorded, already reconciled': [
      { latest: { ...secret, version: 'v2' }, reconciled: 'v2' },
      ['refresh', 'due'],
    ],
    'another version than recorded, after an interrupted token request': [
      { record: requesting, latest: { ...secret, version: 'v2' } },
      ['reconcile', 'version_changed'],
    ],
    'an interrupted token request': [{ record: requesting }, ['reconcile', 'request_interrupted']],
    'a token request whose outcome is unknown': [
      { record: requesting, reconciled: 'v1' },
      ['wait', 'outcome_unknown'],
    ],
    'a token request whose outcome is unknown, forced': [
      { record: requesting, reconciled: 'v1', force: true },
      ['wait', 'outcome_unknown'],
    ],
    'a token request whose outcome is unknown, and nothing valid is published': [
      {
        record: { ...intended(record, NOW - 62_000, false), accessToken: tokenTimes(issuedAt, NOW) },
        reconciled: 'v1',
      },
      ['refresh', 'replay'],
    ],
    'a token request whose response another process may still wait for, and nothing valid is published': [
      {
        record: { ...intended(record, NOW - 61_999, false), accessToken: tokenTimes(issuedAt, NOW) },
        reconciled: 'v1',
      },
      ['wait', 'outcome_unknown'],
    ],
    'a token request whose outcome is unknown, exactly when it may be repeated': [
      {
        record: {
          ...intended(record, NOW - 90_000, false),
          accessToken: tokenTimes(issuedAt, NOW + 60_000),
        },
        reconciled: 'v1',
      },
      ['refresh', 'replay'],
    ],
    'a refresh whose result was lost, at a provider that refuses to renew a young token': [
      { connection: slowly, record: recordNamed('crm', { version: 'v1' }) },
      ['wait', 'too_early'],
    ],
    'a forced refresh at a provider that refuses to renew a young token': [
      { connection: slowly, force: true },
      ['wait', 'too_early'],
    ],
    "an operator's refresh token at a provider that refuses to renew a young token": [
      { connection: slowly, latest: { ...secret, tags: {} } },
      ['refresh', 'due'],
    ],
    'a refresh at such a provider, a moment before the token is old enough': [
      { connection: slowly, now: issuedAt + 574_999 },
      ['wait', 'too_early'],
    ],
    'a refresh at such a provider, when the token is old enough': [
      { connection: slowly, now: issuedAt + 575_000 },
      ['refresh', 'due'],
    ],
    'a replay at such a provider: only the rule for replays counts': [
      {
        record: requesting,
        reconciled: 'v1',
        connection: connectionNamed('crm', { behavior: { ...reusable, earliestRenewalMs: 570_000 } }),
      },
      ['refresh', 'replay'],
    ],
    'a token request with a reusable token whose outcome is unknown': [
      { record: requesting, reconciled: 'v1', connection: connectionNamed('crm', { behavior: reusable }) },
      ['refresh', 'replay'],
    ],
    'a client without a refresh token that is due': [withoutToken, ['refresh', 'due']],
    'a client without a refresh token, forced': [{ ...withoutToken, force: true }, ['refresh', 'forced']],
    'a client without a refresh token, whose request was interrupted': [
      { ...withoutToken, record: requesting },
      ['refresh', 'replay'],
    ],
    'a client without a refresh token, whose request failed a moment ago without a known outcome': [
      { ...withoutToken, record: failing(requesting, NOW, { code: 'outcome_unknown' }) },
      ['wait', 'outcome_unknown'],
    ],
  };
  test.each(Object.entries(cases))('%s', (_, [changes, expected]) => {
    const decision = decide({ ...situation, ...changes });
    expect([decision.action, decision.reason]).toEqual(expected);
    expect(decision.message).toMatch(/\.$/);
  });

  test('a client without a refresh token sends none, and knows no version of one', () => {
    expect(decide({ ...situation, ...withoutToken })).toMatchObject({ latest: { value: '', version: '' } });
  });

  test('the refresh token of a removed connection: the problem names the connection, the secret and both commands', () => {
    expect(decide({ ...situation, record: { ...record, removedAt: NOW - 1 } })).toMatchObject({
      problem: {
        code: 'connection_removed',
        message: expect.stringMatching(/paused crm, .*crm-refresh-token can still be read/),
        fix: expect.stringMatching(/rotator remove crm .*rotator connect crm/),
      },
    });
  });

  test.each([
    ['a request in flight', { record: requesting, reconciled: 'v1' }, NOW + 3_540_000],
    ['a response to another request', { record: { ...record, replacedAwaitedUntil: NOW + 7 } }, NOW + 7],
    ['a provider that refuses to renew a young token', { connection: slowly }, issuedAt + 575_000],
  ])('waits for %s, and says until when', (_, changes, until) => {
    expect(decide({ ...situation, ...changes })).toMatchObject({ action: 'wait', until });
  });

  test.each<[string, Secret | undefined, ErrorCode, string]>([
    ['missing', undefined, 'secret_missing', 'Set crm-refresh-token to a refresh token'],
    ['empty', { ...secret, value: '' }, 'secret_empty', 'Set crm-refresh-token to a refresh token'],
    [
      "another store's",
      foreign,
      'owned_elsewhere',
      'Stop the other rotator, then set crm-refresh-token again',
    ],
  ])('a refresh token that is %s: the fix names the secret and what to do', (_, latest, code, fix) => {
    const decision = decide({ ...situation, latest });
    expect(decision).toMatchObject({ problem: { code, fix: expect.stringContaining(fix) } });
  });
});

describe('a blocked connection sends a token request although nothing was changed', () => {
  const MINUTE = 60_000;
  const HOUR = 60 * MINUTE;
  const blockedBy = (code: ErrorCode, changes: object = {}) => ({
    failure: { ...failing(recordNamed(), NOW, { blocked: true, code }).failure, ...changes },
  });
  const refused = (changes: object) => blockedBy('reauthorization_required', changes);
  const accessToken = tokenTimes(NOW, NOW + HOUR);
  /** How long after its failure the connection gets another request. */
  const expectRetryAfter = (delay: number, record: { failure: RecordedFailure }) => {
    expect(mayClearAutomatically(record, NOW + delay - 1)).toBe(false);
    expect(mayClearAutomatically(record, NOW + delay)).toBe(true);
  };
  const credential = (version: string, setAt?: number) => ({
    secret: 'crm-client-secret',
    version,
    ...(setAt !== undefined && { setAt }),
  });

  test.each(['misconfigured', 'client_rejected'] as const)('%s: after an hour', (code) =>
    expectRetryAfter(HOUR, blockedBy(code)),
  );

  test.each([
    ['were set a moment ago: after half a minute', [credential('s1', NOW - MINUTE)], 30_000],
    ['were set ten minutes ago: after an hour', [credential('s1', NOW - 10 * MINUTE)], HOUR],
    ['may have been set at any time: after an hour', [credential('s1')], HOUR],
    [
      'are several, and one was set a moment ago: after half a minute',
      [credential('s1'), credential('s2', NOW - MINUTE)],
      30_000,
    ],
  ])('client credentials that the provider refused, and that %s', (_, clearedBy, delay) =>
    expectRetryAfter(delay, blockedBy('client_rejected', { clearedBy })),
  );

  test('another refusal after an hour as well, although the client credentials are new', () =>
    expectRetryAfter(HOUR, blockedBy('misconfigured', { clearedBy: [credential('s1', NOW - MINUTE)] })));

  test('an Azure Policy that refused the proof: after a minute, and after longer the longer it lasts', () => {
    expectRetryAfter(MINUTE, blockedBy('vault_policy'));
    expectRetryAfter(3 * MINUTE, blockedBy('vault_policy', { since: NOW - 3 * MINUTE }));
  });

  test('an Azure Policy that refused a received token: after an hour', () =>
    expectRetryAfter(
      HOUR,
      blockedBy('vault_policy', { clearedBy: [{ secret: 'crm-refresh-token', version: 'v1' }] }),
    ));

  test.each(['reauthorization_required', 'refresh_token_too_large', 'owned_elsewhere'] as const)(
    '%s: never, unless the refusal may pass',
    (code) => {
      for (const later of [2 * HOUR, 9 * 24 * HOUR])
        expect(mayClearAutomatically(blockedBy(code), NOW + later)).toBe(false);
    },
  );

  test('not without a failure', () => expect(mayClearAutomatically({}, NOW)).toBe(false));

  test('a refused token that may be sent anyway: after its delay', () => {
    const once = { ...refused({ sentAgain: 'anyway' }), accessToken };
    expect(mayClearAutomatically(once, NOW + MINUTE - 1)).toBe(false);
    expect(mayClearAutomatically(once, NOW + MINUTE)).toBe(true);
    const thrice = refused({ sentAgain: 'anyway', count: 3 });
    expect(mayClearAutomatically(thrice, NOW + 4 * MINUTE - 1)).toBe(false);
    expect(mayClearAutomatically(thrice, NOW + 4 * MINUTE)).toBe(true);
    const forDays = refused({ sentAgain: 'anyway', since: NOW - 30 * HOUR });
    expect(mayClearAutomatically(forDays, NOW + HOUR)).toBe(false);
    expect(mayClearAutomatically(forDays, NOW + 24 * HOUR)).toBe(true);
  });

  test('another refused token: after its delay, and when the published access token has expired', () => {
    const failure = refused({ sentAgain: 'once_expired' });
    expect(mayClearAutomatically({ ...failure, accessToken }, NOW + HOUR - 1)).toBe(false);
    expect(mayClearAutomatically({ ...failure, accessToken }, NOW + HOUR)).toBe(true);
    expect(mayClearAutomatically(failure, NOW + MINUTE)).toBe(true);
  });
});
