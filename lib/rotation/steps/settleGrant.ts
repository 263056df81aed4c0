import { type ErrorCode, RotatorError } from '../../errors.ts';
import type { Reason } from '../core/decide.ts';
import { blocked, grantFailed, retryLater, succeeded } from '../core/outcome.ts';
import {
  accessTokenNoted,
  attemptAt,
  type ConnectionRecord,
  intentWithdrawn,
  publishableNoted,
  settled,
} from '../core/record.ts';
import { withoutIntent } from '../core/tags.ts';
import type { GrantFailure, IssuedAccessToken } from '../core/tokenRequest.ts';
import type { Secret } from '../ports.ts';
import { NotSent } from './announceGrant.ts';
import { warnOfExpiry } from './clientCredentials.ts';
import { disableSuperseded } from './disableSuperseded.ts';
import { publishAccessToken, publishConnectionString } from './publish.ts';
import {
  credentialVault,
  finish,
  logRun,
  outcomeContext,
  type RotationResult,
  type Run,
  retryAfterOf,
} from './run.ts';
import { saveRefreshToken } from './saveRefreshToken.ts';
import type { GrantOutcome } from './sendGrant.ts';

/** The refresh token was refused, but another one has taken its place meanwhile: look again. */
export const LOOK_AGAIN = Symbol('look again');

/** A grant that has been answered, or given up, and what it was sent from. */
export interface Grant {
  readonly before: ConnectionRecord;
  readonly record: ConnectionRecord;
  readonly sent: Secret;
  readonly issuedAt: number;
  readonly reason: Reason;
  readonly outcome: GrantOutcome;
}

/** Steps 7 and 8: what a grant brought is kept first, then told. */
export async function settle(run: Run, grant: Grant): Promise<RotationResult | typeof LOOK_AGAIN> {
  const { answer, refused } = grant.outcome;
  if (refused) return giveBack(run, grant);
  const received = answer.refreshToken;
  // The refresh token is saved before the access token is published, and whatever else the answer says.
  const saved = received !== undefined && received !== grant.sent.value;
  const record = saved ? await save(run, grant, received) : grant.record;
  if (answer.accessToken) return publish(run, grant, record, answer.accessToken);
  if (!saved) return settleFailure(run, grant, answer.failure);
  await disableSuperseded(run, grant.sent, saved);
  return finish(run, retryLater(record, answer.failure, outcomeContext(run)), 'failed');
}

async function save(
  run: Run,
  { record, sent, issuedAt, outcome }: Grant,
  value: string,
): Promise<ConnectionRecord> {
  const lifetime = outcome.answer.refreshTokenLifetimeMs;
  const expiresAt = lifetime === undefined ? undefined : issuedAt + lifetime;
  try {
    return await saveRefreshToken(run, record, { value, obtainedWith: sent, expiresAt });
  } catch (thrown) {
    if (!(thrown instanceof RotatorError)) throw thrown;
    const watch = [{ secret: run.connection.secrets.refreshToken, version: sent.version }];
    throw new Unsavable(blocked(settled(record), thrown, watch, outcomeContext(run)));
  }
}

/** The received refresh token can never be stored. */
export class Unsavable extends Error {
  override readonly name = 'Unsavable';
  readonly record: ConnectionRecord;

  constructor(record: ConnectionRecord) {
    super('The refresh token cannot be stored.');
    this.record = record;
  }
}

async function publish(
  run: Run,
  grant: Grant,
  record: ConnectionRecord,
  accessToken: IssuedAccessToken,
): Promise<RotationResult> {
  const saved = record !== grant.record;
  const unpublished = await writePublished(run, grant, record, accessToken);
  // No consumer waits for it; and a crash here leaves the intent, so that the next look at the vault finds what was left.
  await disableSuperseded(run, grant.sent, saved);
  const result = unpublished
    ? await publishFailed(run, unpublished)
    : await rotated(run, grant, record, accessToken);
  if (!saved) await clearIntent(run, grant.sent);
  return result;
}

/** What kept an access token or its connection string from being published, and the record of what was published before it. */
interface Unpublished {
  readonly record: ConnectionRecord;
  readonly thrown: RotatorError;
}

async function writePublished(
  run: Run,
  { sent, issuedAt, outcome }: Grant,
  record: ConnectionRecord,
  accessToken: IssuedAccessToken,
): Promise<Unpublished | undefined> {
  const noted = succeeded(record, accessToken, issuedAt, run.connection).accessToken;
  let reached = settled(record);
  try {
    await publishAccessToken(run, record, accessToken, issuedAt);
    if (noted) reached = accessTokenNoted(record, noted);
    const refreshToken = outcome.answer.refreshToken ?? sent.value;
    const values = { ...outcome.client, accessToken: accessToken.value, refreshToken };
    await publishConnectionString(run, record, accessToken, values, issuedAt);
    return undefined;
  } catch (thrown) {
    if (!(thrown instanceof RotatorError)) throw thrown;
    return { record: reached, thrown };
  }
}

async function rotated(
  run: Run,
  { before, issuedAt, reason }: Grant,
  record: ConnectionRecord,
  accessToken: IssuedAccessToken,
): Promise<RotationResult> {
  const { connection } = run;
  const done = succeeded(record, accessToken, issuedAt, connection);
  await run.lease.write(done);
  warnOfExpiry(run, before, done);
  const { generation } = done;
  const expiresAt = issuedAt + accessToken.lifetimeMs;
  return { result: 'rotated', connection: connection.name, reason, generation, expiresAt };
}

/** The next access token would be too large again, and its connection string no more writable. */
const FOR_A_PERSON: readonly ErrorCode[] = [
  'access_token_too_large',
  'connection_string_too_large',
  'connection_string_unwritable',
];

async function publishFailed(run: Run, { record, thrown }: Unpublished): Promise<RotationResult> {
  const unproven = publishableNoted(record, undefined);
  const context = outcomeContext(run);
  if (!FOR_A_PERSON.includes(thrown.code))
    return finish(run, retryLater(unproven, thrown, context, retryAfterOf(thrown)), 'failed');
  const watch = [{ secret: run.connection.secrets.refreshToken, version: record.version ?? null }];
  return finish(run, blocked(unproven, thrown, watch, context), 'blocked');
}

async function settleFailure(
  run: Run,
  grant: Grant,
  failure: GrantFailure,
): Promise<RotationResult | typeof LOOK_AGAIN> {
  const { before, record, sent, outcome } = grant;
  if (failure.class === 'reauthorization_required' && (await wasReplaced(run, sent))) return LOOK_AGAIN;
  const next = grantFailed(record, before, failure, outcome.credentials, outcomeContext(run));
  const idle = next.phase.state === 'idle';
  const result = await finish(run, next, next.failure?.blocked ? 'blocked' : idle ? 'failed' : 'waiting');
  if (idle) await clearIntent(run, sent);
  return result;
}

/** `invalid_grant` may only mean that somebody else was faster: the secret is read once more. */
async function wasReplaced(run: Run, sent: Secret): Promise<boolean> {
  const latest = await credentialVault(run)
    .get(run.connection.secrets.refreshToken)
    .catch(() => undefined);
  return latest !== undefined && latest.version !== sent.version;
}

async function giveBack(run: Run, { before, record, sent }: Grant): Promise<RotationResult> {
  const withdrawn = attemptAt(intentWithdrawn(record, before), run.lease.now());
  await run.lease.write(withdrawn).catch((thrown) => {
    throw new NotSent(withdrawn, thrown);
  });
  if (before.phase.state === 'idle') await clearIntent(run, sent);
  const result = run.state.draining ? 'draining' : 'in_progress';
  return { result, connection: run.connection.name };
}

/**
 * The outcome is known and recorded, so the tag is of no use any more; where it stays, it only makes a lost record store wait
 * longer. Recorded first: who has lost the lease by then must not take away the intent of the next holder.
 */
async function clearIntent(run: Run, { version, tags }: Secret): Promise<void> {
  const { secrets } = run.connection;
  await credentialVault(run)
    .tag(secrets.refreshToken, version, withoutIntent(tags))
    .catch(() => logRun(run, 'warn', 'intent_tag_left', { version }));
}
