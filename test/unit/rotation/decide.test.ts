import { describe, expect, test } from 'vitest';
import type { ErrorCode } from '../../../lib/errors.ts';
import {
  type Decision,
  decide,
  decideEarly,
  type Occasion,
  type Reason,
  type Situation,
  type Skip,
} from '../../../lib/rotation/core/decide.ts';
import { intended } from '../../../lib/rotation/core/record.ts';
import { savedTags } from '../../../lib/rotation/core/tags.ts';
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
const granting = intended(record, NOW - 1000, false);
const BLOCKED = { blocked: true };

describe('before any vault is asked', () => {
  const occasion = { connection: connectionNamed(), record, now: NOW, force: false };
  const cases: Record<string, [Partial<Occasion>, Early | undefined]> = {
    'due: the vault is asked': [{}, undefined],
    'not due': [{ record: later }, ['skip', 'not_due']],
    'failed lately': [{ record: failing(later, NOW) }, ['skip', 'retrying']],
    blocked: [{ record: failing(later, NOW, BLOCKED) }, ['skip', 'blocked']],
    'blocked is due for a look': [{ record: failing(record, NOW, BLOCKED) }, undefined],
    'a replay that waits': [{ record: { ...granting, nextAttemptAt: NOW + 1 } }, ['skip', 'outcome_unknown']],
    'blocked comes before a replay that waits': [
      { record: failing({ ...granting, nextAttemptAt: NOW + 1 }, NOW, BLOCKED) },
      ['skip', 'blocked'],
    ],
    'forced although not due': [{ record: later, force: true }, undefined],
    'forced although blocked': [{ record: failing(later, NOW, BLOCKED), force: true }, undefined],
    'forced again too soon': [
      { record: { ...later, forcedAt: NOW - 9_999 }, force: true },
      ['skip', 'cooldown'],
    ],
    'forced again': [{ record: { ...later, forcedAt: NOW - 10_000 }, force: true }, undefined],
    'due, and forced a moment ago': [{ record: { ...record, forcedAt: NOW - 1 } }, undefined],
  };
  test.each(Object.entries(cases))('%s', (_, [changes, expected]) => {
    const decision = decideEarly({ ...occasion, ...changes });
    expect(decision && [decision.action, decision.reason]).toEqual(expected);
    if (decision) expect(decision.message).toMatch(/\.$/);
  });
});

describe('what is to be done', () => {
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
  const cases: Record<string, [Partial<Situation>, Decided]> = {
    'a refresh that is due': [{}, ['refresh', 'due']],
    'the first refresh': [{ record: recordNamed('crm', { version: 'v1' }) }, ['refresh', 'first']],
    'a forced refresh': [{ force: true }, ['refresh', 'forced']],
    'no refresh token': [{ latest: undefined }, ['block', 'secret_unusable']],
    'a refresh token of blanks': [{ latest: { ...secret, value: ' \n' } }, ['block', 'secret_unusable']],
    "another store's token": [{ latest: foreign }, ['block', 'owned_elsewhere']],
    'an empty token comes before whose it is': [
      { latest: { ...foreign, value: '' } },
      ['block', 'secret_unusable'],
    ],
    'whose it is comes before healing': [
      { latest: { ...foreign, version: 'v2' } },
      ['block', 'owned_elsewhere'],
    ],
    'force does not take a token from another store': [
      { latest: foreign, force: true },
      ['block', 'owned_elsewhere'],
    ],
    'another version than recorded': [
      { latest: { ...secret, version: 'v2' } },
      ['reconcile', 'version_changed'],
    ],
    'another version, searched for already': [
      { latest: { ...secret, version: 'v2' }, reconciled: 'v2' },
      ['refresh', 'due'],
    ],
    'a version changes before an interrupted grant counts': [
      { record: granting, latest: { ...secret, version: 'v2' } },
      ['reconcile', 'version_changed'],
    ],
    'a grant that was interrupted': [{ record: granting }, ['reconcile', 'request_interrupted']],
    'a grant of unknown outcome': [{ record: granting, reconciled: 'v1' }, ['wait', 'outcome_unknown']],
    'force does not shorten that wait': [
      { record: granting, reconciled: 'v1', force: true },
      ['wait', 'outcome_unknown'],
    ],
    'a grant of unknown outcome, nothing valid published': [
      { record: { ...granting, accessToken: tokenTimes(issuedAt, NOW) }, reconciled: 'v1' },
      ['refresh', 'replay'],
    ],
    'a grant of unknown outcome, at the very moment when it may be repeated': [
      {
        record: {
          ...intended(record, NOW - 30_000, false),
          accessToken: tokenTimes(issuedAt, NOW + 60_000),
        },
        reconciled: 'v1',
      },
      ['refresh', 'replay'],
    ],
    'a grant of unknown outcome of a reusable token': [
      {
        record: granting,
        reconciled: 'v1',
        connection: connectionNamed('crm', { behavior: { refreshTokenGraceMs: Number.POSITIVE_INFINITY } }),
      },
      ['refresh', 'replay'],
    ],
  };
  test.each(Object.entries(cases))('%s', (_, [changes, expected]) => {
    const decision = decide({ ...situation, ...changes });
    expect([decision.action, decision.reason]).toEqual(expected);
    expect(decision.message).toMatch(/\.$/);
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
  ])('a refresh token that is %s: a person learns what to do', (_, latest, code, fix) => {
    const decision = decide({ ...situation, latest });
    expect(decision).toMatchObject({ problem: { code, fix: expect.stringContaining(fix) } });
  });
});
