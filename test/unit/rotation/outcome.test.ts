import { describe, expect, test } from 'vitest';
import type { ErrorCode } from '../../../lib/errors.ts';
import {
  blocked,
  requestFailed,
  retryLater,
  succeeded,
  tokenTimes as timesOf,
  waitsForReplay,
} from '../../../lib/rotation/core/outcome.ts';
import {
  type ConnectionRecord,
  intended,
  type Phase,
  type RecordedFailure,
} from '../../../lib/rotation/core/record.ts';
import type { FailureClass, TokenRequestFailure } from '../../../lib/rotation/core/tokenRequest.ts';
import { problemWith } from '../../support/problem.ts';
import { connectionNamed } from './world/connection.ts';
import { issuedToken, refusal } from './world/provider.ts';
import { recordNamed, tokenTimes } from './world/record.ts';

const NOW = 1_767_225_600_000;
const connection = connectionNamed();
const context = { connection, now: NOW, scheduleIntervalMs: 10_000 };
const EXPIRY = NOW + 3_600_000;
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
    const record = succeeded(interrupted, interrupted, timesOf(token, NOW - 3_000), connection);
    expect(record).toMatchObject({
      phase: { state: 'idle' },
      rotatedAt: NOW - 3_000,
      accessToken: { issuedAt: NOW - 3_000, expiresAt: NOW - 3_000 + 3_600_000, expiresInIsDefault: true },
    });
    expect(record.nextAttemptAt).toBeLessThan(NOW + 2_400_000);
  });
});
