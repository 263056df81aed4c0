import type { Reason } from '../core/decide.ts';
import { type ConnectionRecord, intentWithdrawn } from '../core/record.ts';
import type { Secret } from '../ports.ts';
import { adoptSeed, announce, NotSent, reserveWrites } from './announceGrant.ts';
import { clientCredentials, forgetDoubtful } from './clientCredentials.ts';
import { ensurePublishable } from './publishable.ts';
import type { RotationResult, Run } from './run.ts';
import { sendGrant } from './sendGrant.ts';
import { type LOOK_AGAIN, settle } from './settleGrant.ts';

/**
 * Steps 4 to 8 of the protocol: prove that the result can be stored, announce the grant, send it, save the refresh token,
 * publish the access token.
 * @param record as it is stored
 * @param current the refresh token that counts
 * @throws RotatorError for what failed before the announcement; NotSent, Unsavable, LeaseLost
 */
export async function refresh(
  run: Run,
  record: ConnectionRecord,
  current: Secret,
  reason: Reason,
): Promise<RotationResult | typeof LOOK_AGAIN> {
  forgetDoubtful(run, record, current);
  await clientCredentials(run);
  const publishable = await ensurePublishable(run, record);
  const { record: before, refreshToken: sent } = await adoptSeed(run, publishable, current);
  run.state.refreshTokens.set(run.connection.name, sent.version);
  await reserveWrites(run);
  const granting = await announce(run, before, sent);
  const issuedAt = run.lease.now();
  const outcome = await sendGrant(run, before, granting, sent).catch((thrown) => {
    throw new NotSent(intentWithdrawn(granting, before), thrown);
  });
  return settle(run, { before, record: granting, sent, issuedAt, reason, outcome });
}
