import { describe, expect, test } from 'vitest';
import { type ErrorCode, RotatorError } from '../../../lib/errors.ts';
import {
  blocked,
  mayRepeat,
  notStored,
  problemIn,
  requestFailed,
  retryLater,
  succeeded,
  tellsMore,
  thrownAt,
  tokenTimes as timesOf,
  waitsForReplay,
} from '../../../lib/rotation/core/outcome.ts';
import {
  type ConnectionRecord,
  intended,
  type Phase,
  type RecordedFailure,
} from '../../../lib/rotation/core/record.ts';
import { recordSchema } from '../../../lib/rotation/core/recordSchema.ts';
import type { FailureClass, TokenRequestFailure } from '../../../lib/rotation/core/tokenRequest.ts';
import { problemWith } from '../../support/problem.ts';
import { connectionNamed } from './world/connection.ts';
import { issuedToken, refusal } from './world/provider.ts';
import { failing, recordNamed, tokenTimes } from './world/record.ts';

const NOW = 1_767_225_600_000;
const connection = connectionNamed();
const context = { connection, now: NOW, scheduleIntervalMs: 10_000 };
const EXPIRY = NOW + 3_600_000;
const DAY = 24 * 3_600_000;
const idle = recordNamed('crm', { version: 'v1', accessToken: tokenTimes(NOW - 1000, EXPIRY) });
const interrupted = intended(idle, NOW - 50_000, false);
const secrets = [{ secret: 'crm-client-secret', version: 's1' }];
const refreshToken = [{ secret: 'crm-refresh-token', version: 'v1' }];

function afterRequest(before: ConnectionRecord, failure: TokenRequestFailure, graceMs = 0) {
  const changed = {
    ...context,
    connection: connectionNamed('crm', { behavior: { refreshTokenGraceMs: graceMs } }),
  };
  return requestFailed({ record: intended(before, NOW, false), before }, failure, secrets, changed);
}

describe('a failed token request', () => {
  const cases: Record<
    string,
    [
      FailureClass,
      ConnectionRecord,
      { phase: Phase['state']; code: ErrorCode; next: number; clearedBy: RecordedFailure['clearedBy'] },
    ]
  > = {
    'retrying: nothing was sent': [
      'retrying',
      idle,
      { phase: 'idle', code: 'provider_throttled', next: NOW + 10_000, clearedBy: [] },
    ],
    'retrying, at a replay: the outcome of the request before stays unknown': [
      'retrying',
      interrupted,
      { phase: 'requesting', code: 'provider_throttled', next: NOW + 10_000, clearedBy: [] },
    ],
    'outcome_unknown: waits until the published token ends': [
      'outcome_unknown',
      idle,
      { phase: 'requesting', code: 'outcome_unknown', next: EXPIRY - 60_000, clearedBy: [] },
    ],
    'outcome_unknown, at a replay': [
      'outcome_unknown',
      interrupted,
      { phase: 'requesting', code: 'outcome_unknown', next: EXPIRY - 60_000, clearedBy: [] },
    ],
    'reauthorization required: until the refresh token changes': [
      'reauthorization_required',
      idle,
      { phase: 'idle', code: 'reauthorization_required', next: NOW + 60_000, clearedBy: refreshToken },
    ],
    'reauthorization required, at a replay': [
      'reauthorization_required',
      interrupted,
      { phase: 'idle', code: 'reauthorization_required', next: NOW + 60_000, clearedBy: refreshToken },
    ],
    'client rejected: until a client secret changes': [
      'client_rejected',
      idle,
      { phase: 'idle', code: 'client_rejected', next: NOW + 60_000, clearedBy: secrets },
    ],
    'client rejected, at a replay': [
      'client_rejected',
      interrupted,
      { phase: 'requesting', code: 'client_rejected', next: NOW + 60_000, clearedBy: secrets },
    ],
    'misconfigured: until the entry, the refresh token or the client credentials change': [
      'misconfigured',
      idle,
      { phase: 'idle', code: 'misconfigured', next: NOW + 60_000, clearedBy: [...refreshToken, ...secrets] },
    ],
    'misconfigured, at a replay': [
      'misconfigured',
      interrupted,
      {
        phase: 'requesting',
        code: 'misconfigured',
        next: NOW + 60_000,
        clearedBy: [...refreshToken, ...secrets],
      },
    ],
  };
  test.each(Object.entries(cases))('%s', (_, [failureClass, before, expected]) => {
    const record = afterRequest(before, refusal(failureClass).failure);
    const { phase, failure, nextAttemptAt } = record;
    expect({
      phase: phase.state,
      code: failure?.code,
      next: nextAttemptAt,
      clearedBy: failure?.clearedBy,
    }).toEqual(expected);
    expect(failure?.blocked).toBe(expected.clearedBy.length > 0);
    expect(record.epoch).toBe(before.epoch + 1);
  });

  test('a replay that was not processed keeps its phase, to the millisecond', () => {
    expect(afterRequest(interrupted, refusal('retrying').failure).phase).toEqual(interrupted.phase);
  });

  test('outcome_unknown, reusable: retried with a delay', () => {
    const record = afterRequest(idle, refusal('outcome_unknown').failure, Number.POSITIVE_INFINITY);
    expect(record).toMatchObject({
      phase: { state: 'idle' },
      nextAttemptAt: NOW + 10_000,
      failure: { code: 'provider_unavailable', blocked: false },
    });
  });

  test('outcome_unknown, within the grace period: due immediately', () => {
    const record = afterRequest(idle, refusal('outcome_unknown').failure, 60_000);
    expect(record).toMatchObject({ phase: { state: 'requesting' }, nextAttemptAt: NOW });
  });

  test('outcome_unknown again: each delay is longer if nothing valid is published', () => {
    const { accessToken: _, ...never } = idle;
    const once = afterRequest(never, refusal('outcome_unknown').failure);
    const twice = afterRequest(once, refusal('outcome_unknown').failure);
    expect(once.nextAttemptAt).toBe(NOW + 10_000);
    expect(twice.nextAttemptAt).toBe(NOW + 20_000);
  });

  test('refused after a lost token response: the message says what was lost', () => {
    const failure = refusal('reauthorization_required').failure;
    expect(afterRequest(idle, failure).failure?.message).toBe(failure.message);
    expect(afterRequest(interrupted, failure).failure?.message).toContain(
      'The response to an earlier token request was lost',
    );
  });

  test('outcome_unknown: the message says why and what is unknown, and the fix says to wait', () => {
    const { failure } = refusal('outcome_unknown');
    expect(afterRequest(idle, failure).failure).toMatchObject({
      message: `${failure.message} Whether the provider used up the refresh token is unknown.`,
      fix: expect.stringMatching(/^Wait: /),
    });
  });

  test('Retry-After is followed, up to an hour', () => {
    const next = (retryAfterMs: number) =>
      afterRequest(idle, refusal('retrying', { retryAfterMs }).failure).nextAttemptAt - NOW;
    expect([next(1), next(90_000), next(1e9)]).toEqual([10_000, 90_000, 3_600_000]);
  });
});

describe('other outcomes', () => {
  const problem = problemWith('vault_forbidden');

  test('a failure that can be retried is retried with growing delays', () => {
    const once = retryLater(idle, problem, context);
    expect(once.nextAttemptAt).toBe(NOW + 10_000);
    expect(retryLater(once, problem, context).nextAttemptAt).toBe(NOW + 20_000);
  });

  test('a failure that blocks records what would clear it', () => {
    const record = blocked(idle, problem, refreshToken, context);
    expect(record.failure).toMatchObject({ blocked: true, clearedBy: refreshToken, fingerprint: 'crm-1' });
  });

  test('an interrupted token request counts as one failure', () => {
    const once = waitsForReplay(interrupted, NOW + 5, context);
    expect(once).toMatchObject({
      nextAttemptAt: NOW + 5,
      failure: {
        code: 'outcome_unknown',
        message: expect.stringContaining('ended before its outcome was recorded'),
        count: 1,
      },
    });
    expect(waitsForReplay(once, NOW + 9, context)).toEqual({ ...once, nextAttemptAt: NOW + 9 });
  });

  test('the lifetime of a token counts from its request', () => {
    const token = issuedToken({ lifetimeMs: 3_600_000, expiresInIsDefault: true });
    const record = succeeded(interrupted, interrupted, timesOf(token, NOW - 3_000), context);
    expect(record).toMatchObject({
      phase: { state: 'idle' },
      rotatedAt: NOW - 3_000,
      accessToken: { issuedAt: NOW - 3_000, expiresAt: NOW - 3_000 + 3_600_000, expiresInIsDefault: true },
    });
    expect(record.nextAttemptAt).toBeLessThan(NOW + 2_400_000);
  });

  test('a token that lives for a month is renewed after a week', () => {
    const token = tokenTimes(NOW, NOW + 30 * DAY);
    expect(succeeded(idle, idle, token, context).nextAttemptAt).toBe(NOW + 7 * DAY);
  });

  test('a success is read back from storage as it was written, and without what is no longer known', () => {
    const before = { ...idle, refreshTokenEndIsFixed: true };
    const record = succeeded(before, before, tokenTimes(NOW, EXPIRY), context);
    expect(recordSchema.parse(JSON.parse(JSON.stringify(record)))).toStrictEqual(record);
    expect(record).not.toHaveProperty('refreshTokenEndIsFixed');
  });

  test('a client without a refresh token is blocked until its entry or its credentials change', () => {
    const client = { ...context, connection: connectionNamed('crm', { grant: 'client_credentials' }) };
    const clearedBy = (failureClass: FailureClass) =>
      requestFailed({ record: idle, before: idle }, refusal(failureClass).failure, secrets, client).failure
        ?.clearedBy;
    expect(clearedBy('misconfigured')).toEqual(secrets);
    expect(clearedBy('reauthorization_required')).toEqual([]);
  });
});

describe('a refused refresh token is sent again', () => {
  const GRACE = 60_000;
  const ALWAYS = Number.POSITIVE_INFINITY;
  test.each([
    ['works once: once the published token has expired', idle, {}, 0, 'once_expired'],
    ['has a grace period: the same', idle, {}, GRACE, 'once_expired'],
    ['is reusable: anyway', idle, {}, ALWAYS, 'anyway'],
    ['is refused for a time: anyway', idle, { refusal: 'transient' }, 0, 'anyway'],
    ['has ended: never', idle, { refusal: 'final' }, ALWAYS, undefined],
    ['was sent before without a response: never', interrupted, {}, ALWAYS, undefined],
    [
      'was sent before, and is refused for a time: never',
      interrupted,
      { refusal: 'transient' },
      0,
      undefined,
    ],
  ] as const)('if it %s', (_, before, more, graceMs, expected) => {
    const { failure } = refusal('reauthorization_required', more);
    expect(afterRequest(before, failure, graceMs).failure?.sentAgain).toBe(expected);
  });
});

describe('a refused refresh token that is sent again', () => {
  const refusedAt = NOW - 120_000;
  const before = failing(idle, refusedAt, { blocked: true, code: 'reauthorization_required' });
  const ALWAYS = Number.POSITIVE_INFINITY;

  test.each([
    ['retrying', 0, 'idle'],
    ['outcome_unknown', 0, 'requesting'],
    ['outcome_unknown', 60_000, 'requesting'],
    ['outcome_unknown', ALWAYS, 'idle'],
  ] as const)('stays refused after the answer %s with a grace of %s ms', (answer, graceMs, state) => {
    const record = afterRequest(before, refusal(answer).failure, graceMs);
    expect(record).toMatchObject({ phase: { state }, failure: { ...before.failure, count: 2 } });
    expect(record.history.map(({ at }) => at)).toEqual([refusedAt, NOW]);
  });

  test('stays refused if its process ended before the answer', () => {
    const sent = intended(before, NOW - 50_000, false);
    expect(waitsForReplay(sent, NOW + 5, context)).toEqual({ ...sent, nextAttemptAt: NOW + 5 });
  });

  test('waits longer each time', () => {
    const { accessToken: _, ...never } = before;
    const once = afterRequest(never, refusal('outcome_unknown').failure);
    const twice = afterRequest(once, refusal('outcome_unknown').failure);
    expect([once, twice].map(({ nextAttemptAt }) => nextAttemptAt - NOW)).toEqual([20_000, 40_000]);
    expect(afterRequest(twice, refusal('retrying').failure).nextAttemptAt - NOW).toBe(80_000);
  });

  test('is not said to have been replaced', () => {
    const sent = intended(before, NOW - 50_000, false);
    const { failure } = afterRequest(sent, refusal('reauthorization_required').failure);
    expect(failure?.message).toContain('It had refused it before that');
    expect(failure?.message).not.toContain('replaced');
    expect(failure).not.toHaveProperty('sentAgain');
  });
});

describe('a token request is sent a second time right after its response', () => {
  const requesting = intended(idle, NOW, false);
  const withGrace = (refreshTokenGraceMs: number) =>
    connectionNamed('crm', { behavior: { refreshTokenGraceMs } });
  const unknown = refusal('outcome_unknown');

  test('if its outcome is unknown and the grace period runs', () => {
    expect(mayRepeat(requesting, unknown, withGrace(60_000), NOW)).toBe(true);
    expect(mayRepeat(requesting, unknown, withGrace(60_000), NOW + 60_000)).toBe(false);
  });

  test('not in any other case', () => {
    expect(mayRepeat(requesting, unknown, withGrace(0), NOW)).toBe(false);
    expect(mayRepeat(requesting, unknown, withGrace(Number.POSITIVE_INFINITY), NOW)).toBe(false);
    expect(mayRepeat(idle, unknown, withGrace(60_000), NOW)).toBe(false);
    expect(mayRepeat(requesting, refusal('retrying'), withGrace(60_000), NOW)).toBe(false);
    expect(mayRepeat(requesting, { ...unknown, refreshToken: 'r' }, withGrace(60_000), NOW)).toBe(false);
    expect(mayRepeat(requesting, { accessToken: issuedToken() }, withGrace(60_000), NOW)).toBe(false);
  });
});

describe('a replay says more than the request before it', () => {
  const answered = (failureClass: FailureClass, more = {}) => ({ ...refusal(failureClass), ...more });
  test.each([
    ['with a token', { answer: { accessToken: issuedToken() }, refused: false }, true],
    ['if the token is refused', { answer: answered('reauthorization_required'), refused: false }, true],
    ['if its outcome is unknown', { answer: answered('outcome_unknown'), refused: false }, true],
    ['not if it was not sent', { answer: answered('reauthorization_required'), refused: true }, false],
    ['not if it came too early', { answer: answered('retrying'), refused: false }, false],
    ['not if the client was rejected', { answer: answered('client_rejected'), refused: false }, false],
    ['not if the request was wrong', { answer: answered('misconfigured'), refused: false }, false],
    [
      'with a refresh token in any case',
      { answer: answered('retrying', { refreshToken: 'r' }), refused: true },
      true,
    ],
  ] as const)('%s', (_, outcome, expected) => expect(tellsMore(outcome)).toBe(expected));
});

describe('an error that was thrown', () => {
  const errorOf = (code: ErrorCode, more = {}) => new RotatorError(problemWith(code), more);

  test('blocks if it names what clears it', () => {
    const record = thrownAt(idle, errorOf('secret_missing', { clearedBy: secrets }), context);
    expect(record.failure).toMatchObject({ blocked: true, clearedBy: secrets, code: 'secret_missing' });
  });

  test('leaves a block as it is, and the next look comes later', () => {
    const before = failing(idle, NOW - 90_000, { blocked: true, code: 'reauthorization_required' });
    const record = thrownAt(before, errorOf('vault_unavailable'), context);
    expect(record).toEqual({ ...before, nextAttemptAt: NOW + 90_000 });
  });

  test('blocks if an Azure Policy refused the proof, and no secret clears that', () => {
    const record = thrownAt(idle, errorOf('vault_policy', { retryAfterMs: 45_000 }), context);
    expect(record).toMatchObject({
      nextAttemptAt: NOW + 60_000,
      failure: { code: 'vault_policy', blocked: true, clearedBy: [] },
    });
  });

  test('replaces a block by an Azure Policy, because each attempt asks the vault again', () => {
    const before = failing(idle, NOW - 90_000, { blocked: true, code: 'vault_policy' });
    const record = thrownAt(before, errorOf('vault_unavailable'), context);
    expect(record).toMatchObject({
      nextAttemptAt: NOW + 10_000,
      failure: { code: 'vault_unavailable', blocked: false, count: 1 },
    });
  });

  test('is retried otherwise, as late as the service asks', () => {
    const record = thrownAt(idle, errorOf('vault_throttled', { retryAfterMs: 45_000 }), context);
    expect(record).toMatchObject({ nextAttemptAt: NOW + 45_000, failure: { blocked: false, count: 1 } });
  });

  test.each([
    ['vault_policy', true],
    ['refresh_token_too_large', true],
    ['access_token_too_large', true],
    ['connection_string_too_large', true],
    ['connection_string_unwritable', true],
    ['vault_unavailable', false],
  ] as const)('%s while a token is stored blocks: %s', (code, isBlocked) => {
    const record = notStored(idle, errorOf(code, { retryAfterMs: 20_000 }), context);
    expect(record.failure).toMatchObject({
      code,
      blocked: isBlocked,
      clearedBy: isBlocked ? refreshToken : [],
    });
    expect(record.nextAttemptAt).toBe(isBlocked ? NOW + 60_000 : NOW + 20_000);
  });

  test('is shown without its count and its times', () => {
    expect(problemIn(failing(idle, NOW))).toEqual({ problem: { ...problemWith('vault_unavailable') } });
    expect(problemIn(idle)).toEqual({});
  });

  test('is not retried after two thirds of the rest of the refresh token, if its delay is shorter', () => {
    const ending = { ...idle, refreshTokenExpiresAt: NOW + 600_000 };
    const retryAt = (retryAfterMs: number) =>
      retryLater(ending, problemWith('provider_throttled'), context, retryAfterMs).nextAttemptAt - NOW;
    expect(retryAt(3_000_000)).toBe(400_000);
    expect(retryAt(300_000)).toBe(300_000);
    expect(retryAt(0)).toBe(10_000);
  });
});
