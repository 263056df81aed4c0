import type { ConnectionRecord } from '../../../lib/rotation/core/record.ts';
import { readOrigin } from '../../../lib/rotation/core/tags.ts';
import { ACCESS_TOKEN, REFRESH_TOKEN, type Scenario } from '../../unit/rotation/world/scenario.ts';
import type { World } from '../../unit/rotation/world.ts';
import type { Cause } from './flight.ts';
import type { Verdict } from './play.ts';
import type { Witness } from './witness.ts';

/**
 * The causes that the rotator can know: it saw that an earlier token request had no response. If a frozen process
 * saved its token after all, nothing is missing; only the provider knows why that token is revoked.
 */
const EXPLICABLE: readonly (Cause | undefined)[] = [
  'response_lost',
  'killed_before_response',
  'killed_before_save',
];

/**
 * Judges how a history ended. A lost token family is acceptable only if the witness saw the cause.
 * @param forgotten whether what was known about earlier token requests was lost on the way, with the record or with the tags
 */
export function judge(
  scenario: Scenario,
  witness: Witness,
  forgotten: boolean,
): Pick<Verdict, 'end' | 'death' | 'losses' | 'violations'> {
  const { world } = scenario;
  const owner = owningRecord(world, witness);
  const end = endOf(owner);
  const stored = world.credentials.latest(REFRESH_TOKEN)?.value ?? '';
  const death = end === 'lost' ? witness.causeOfDeath(stored) : undefined;
  const losses = witness.losses();
  const found = [...witness.violations, ...world.leaks().map(() => 'A secret leaked.')];
  if (end === 'stuck') found.push(`The connection is stuck: ${JSON.stringify(owner)}`);
  if (end === 'lost')
    found.push(...wrongReport(scenario, owner, { death, forgotten: forgotten || witness.cameLate(stored) }));
  if (end === 'healthy') found.push(...wrongInVaults(scenario, owner));
  return { end, death, losses, violations: found };
}

/**
 * The record of the deployment that wrote the latest refresh token: only that one may use it, and reports its loss. An attacker can take
 * the name of the deployment out of the tags of that version, so the witness knows better.
 */
export function owningRecord(
  { credentials, records, otherRecords }: World,
  witness: Witness,
): ConnectionRecord {
  const { tags = {}, value = '' } = credentials.latest(REFRESH_TOKEN) ?? {};
  const store = readOrigin(tags)?.store ?? witness.lastHolder(value)?.records.host;
  const record = (store === otherRecords.host ? otherRecords : records).read('crm');
  if (!record) throw new Error('The owner of the latest refresh token has no record.');
  return record;
}

function endOf({ failure, phase }: ConnectionRecord): Verdict['end'] {
  if (failure?.code === 'reauthorization_required') return 'lost';
  return failure || phase.state !== 'idle' ? 'stuck' : 'healthy';
}

function wrongReport(
  { connection }: Scenario,
  owner: ConnectionRecord,
  { death, forgotten }: { readonly death: Cause | undefined; readonly forgotten: boolean },
): string[] {
  const found: string[] = [];
  if (!death)
    found.push(
      'The rotator reports the connection as lost, but the provider did not revoke the token family.',
    );
  if (connection.behavior.refreshTokenGraceMs === Number.POSITIVE_INFINITY && death !== 'expired')
    found.push('The connection lost a reusable refresh token.');
  const message = owner.failure?.message ?? '';
  if (
    !forgotten &&
    EXPLICABLE.includes(death) &&
    !/response to an earlier token request was lost/.test(message)
  )
    found.push(`The report does not name the cause, ${death}: ${message}`);
  return found;
}

function wrongInVaults(scenario: Scenario, owner: ConnectionRecord): string[] {
  const { world, connection } = scenario;
  const latest = world.credentials.latest(REFRESH_TOKEN);
  const found: string[] = [];
  if (owner.version !== latest?.version) found.push('The record does not name the latest version.');
  if (connection.behavior.refreshTokenGraceMs === 0 && !world.provider.accepts(latest?.value))
    found.push('The provider refuses the stored refresh token.');
  const parent = readOrigin(latest?.tags ?? {})?.parent;
  const needed = world.credentials
    .history(REFRESH_TOKEN)
    .filter(({ version }) => [latest?.version, parent].includes(version));
  if (needed.some(({ enabled }) => enabled === false))
    found.push('The refresh token in use, or its parent, is disabled.');
  const expiresAt = world.tokens.latest(ACCESS_TOKEN)?.expiresAt ?? 0;
  if (expiresAt <= world.now()) found.push('The published access token has expired.');
  return found;
}
