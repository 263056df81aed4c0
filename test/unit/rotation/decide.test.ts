import { describe, expect, test } from 'vitest';
import { decide, decideEarly, type Occasion, type Situation } from '../../../lib/rotation/decide.ts';
import { type ConnectionRecord, failed, intended, newRecord } from '../../../lib/rotation/record.ts';
import { savedTags } from '../../../lib/rotation/tags.ts';
import { connectionNamed, STORE } from './world/connection.ts';

const NOW = 1_767_225_600_000;
const token = { issuedAt: NOW - 1000, expiresAt: NOW + 3_600_000, lifetimeAssumed: false };
const record: ConnectionRecord = {
  ...newRecord('crm'),
  version: 'v1',
  nextAttemptAt: NOW,
  rotatedAt: NOW - 1000,
  accessToken: token,
};
const later = { ...record, nextAttemptAt: NOW + 1 };
const problem = { code: 'vault_unavailable', message: 'It is away.', fix: 'Wait.' } as const;
const failing = (blocked: boolean, of: ConnectionRecord = later) =>
  failed(of, problem, { blocked, watch: [], fingerprint: 'crm-1' }, NOW);
const granting = intended(record, NOW - 1000, false);

describe('before any vault is asked', () => {
  const occasion = { connection: connectionNamed(), record, now: NOW, force: false };
  const cases: Record<string, [Partial<Occasion>, [string, string] | undefined]> = {
    'due: the vault is asked': [{}, undefined],
    'not due': [{ record: later }, ['skip', 'not_due']],
    'failed lately': [{ record: failing(false) }, ['skip', 'backing_off']],
    blocked: [{ record: failing(true) }, ['skip', 'blocked']],
    'blocked is due for a look': [{ record: failing(true, record) }, undefined],
    'a replay that waits': [
      { record: { ...granting, nextAttemptAt: NOW + 1 } },
      ['wait', 'waiting_for_replay'],
    ],
    'blocked comes before a replay that waits': [
      { record: failing(true, { ...granting, nextAttemptAt: NOW + 1 }) },
      ['skip', 'blocked'],
    ],
    'forced although not due': [{ record: later, force: true }, undefined],
    'forced although blocked': [{ record: failing(true), force: true }, undefined],
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
    refreshToken: secret,
    healedVersion: undefined,
    store: STORE,
    tickMs: 10_000,
  };
  const cases: Record<string, [Partial<Situation>, [string, string]]> = {
    'a refresh that is due': [{}, ['refresh', 'due']],
    'the first refresh': [{ record: { ...newRecord('crm'), version: 'v1' } }, ['refresh', 'first']],
    'a forced refresh': [{ force: true }, ['refresh', 'forced']],
    'no refresh token': [{ refreshToken: undefined }, ['block', 'secret_unusable']],
    'a refresh token of blanks': [
      { refreshToken: { ...secret, value: ' \n' } },
      ['block', 'secret_unusable'],
    ],
    "another store's token": [{ refreshToken: foreign }, ['block', 'owned_elsewhere']],
    'an empty token comes before whose it is': [
      { refreshToken: { ...foreign, value: '' } },
      ['block', 'secret_unusable'],
    ],
    'whose it is comes before healing': [
      { refreshToken: { ...foreign, version: 'v2' } },
      ['block', 'owned_elsewhere'],
    ],
    'force does not take a token from another store': [
      { refreshToken: foreign, force: true },
      ['block', 'owned_elsewhere'],
    ],
    'another version than recorded': [
      { refreshToken: { ...secret, version: 'v2' } },
      ['heal', 'version_changed'],
    ],
    'another version, searched for already': [
      { refreshToken: { ...secret, version: 'v2' }, healedVersion: 'v2' },
      ['refresh', 'due'],
    ],
    'a version changes before an interrupted grant counts': [
      { record: granting, refreshToken: { ...secret, version: 'v2' } },
      ['heal', 'version_changed'],
    ],
    'a grant that was interrupted': [{ record: granting }, ['heal', 'grant_interrupted']],
    'a grant of unknown outcome': [{ record: granting, healedVersion: 'v1' }, ['wait', 'waiting_for_replay']],
    'force does not shorten that wait': [
      { record: granting, healedVersion: 'v1', force: true },
      ['wait', 'waiting_for_replay'],
    ],
    'a grant of unknown outcome, nothing valid published': [
      { record: { ...granting, accessToken: { ...token, expiresAt: NOW } }, healedVersion: 'v1' },
      ['refresh', 'replay'],
    ],
    'a grant of unknown outcome, at the very moment when it may be repeated': [
      {
        record: {
          ...intended(record, NOW - 30_000, false),
          accessToken: { ...token, expiresAt: NOW + 60_000 },
        },
        healedVersion: 'v1',
      },
      ['refresh', 'replay'],
    ],
    'a grant of unknown outcome of a reusable token': [
      {
        record: granting,
        healedVersion: 'v1',
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

  test.each([
    ['missing', undefined, 'secret_missing', 'Set crm-refresh-token to a refresh token'],
    ['empty', { ...secret, value: '' }, 'secret_empty', 'Set crm-refresh-token to a refresh token'],
    [
      "another store's",
      foreign,
      'owned_elsewhere',
      'Stop the other rotator, then set crm-refresh-token again',
    ],
  ])('a refresh token that is %s: a person learns what to do', (_, refreshToken, code, fix) => {
    const decision = decide({ ...situation, refreshToken });
    expect(decision).toMatchObject({ problem: { code, fix: expect.stringContaining(fix) } });
  });
});
