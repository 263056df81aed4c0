import { readOrigin } from '../../../lib/rotation/core/tags.ts';
import { ACCESS_TOKEN, REFRESH_TOKEN, type Scenario } from '../../unit/rotation/world/scenario.ts';
import type { Cause } from './flight.ts';
import type { Verdict } from './play.ts';
import type { Witness } from './witness.ts';

/**
 * Deaths whose cause the rotator can know: it saw that the outcome of an earlier grant was missing. Where a frozen process
 * saved its token after all, nothing is missing; only the provider knows why it is worth nothing.
 */
const EXPLICABLE: readonly (Cause | undefined)[] = [
  'response_lost',
  'killed_before_response',
  'killed_before_save',
];

/**
 * Judges how a history ended. Dead is excused only where the witness saw why.
 * @param recordLost on the way: what it told about earlier grants is lost with it
 */
export function judge(
  scenario: Scenario,
  witness: Witness,
  recordLost: boolean,
): Pick<Verdict, 'end' | 'death' | 'losses' | 'violations'> {
  const { world } = scenario;
  const end = endOf(scenario);
  const stored = world.credentials.latest(REFRESH_TOKEN)?.value ?? '';
  const death = end === 'lost' ? witness.causeOfDeath(stored) : undefined;
  const losses = witness.losses();
  const found = [...witness.violations, ...world.leaks().map(() => 'A secret leaked.')];
  if (end === 'stuck') found.push(`It is stuck: ${JSON.stringify(world.record('crm'))}`);
  if (end === 'lost') found.push(...wrongReport(scenario, death, recordLost || witness.cameLate(stored)));
  if (end === 'healthy') found.push(...wrongInVaults(scenario));
  return { end, death, losses, violations: found };
}

function endOf({ world }: Scenario): Verdict['end'] {
  const { failure, phase } = world.record('crm');
  if (failure?.code === 'reauthorization_required') return 'lost';
  return failure || phase.state !== 'idle' ? 'stuck' : 'healthy';
}

function wrongReport(
  { world, connection }: Scenario,
  death: Cause | undefined,
  forgotten: boolean,
): string[] {
  const found: string[] = [];
  if (!death) found.push('It is reported as lost, and the chain is not dead.');
  if (connection.behavior.refreshTokenGraceMs === Number.POSITIVE_INFINITY)
    found.push('A reusable token was lost.');
  const message = world.record('crm').failure?.message ?? '';
  if (
    !forgotten &&
    EXPLICABLE.includes(death) &&
    !/response to an earlier token request was lost/.test(message)
  )
    found.push(`The report does not tell the cause, ${death}: ${message}`);
  return found;
}

function wrongInVaults(scenario: Scenario): string[] {
  const { world, connection } = scenario;
  const latest = world.credentials.latest(REFRESH_TOKEN);
  const found: string[] = [];
  if (world.record('crm').version !== latest?.version) found.push('The record names another version.');
  if (connection.behavior.refreshTokenGraceMs === 0 && !world.provider.accepts(latest?.value))
    found.push('The provider does not take the stored token.');
  const parent = readOrigin(latest?.tags ?? {})?.parent;
  const needed = world.credentials
    .history(REFRESH_TOKEN)
    .filter(({ version }) => [latest?.version, parent].includes(version));
  if (needed.some(({ enabled }) => enabled === false))
    found.push('The token in use, or its parent, is disabled.');
  const expiresAt = world.tokens.latest(ACCESS_TOKEN)?.expiresAt ?? 0;
  if (expiresAt <= world.now()) found.push('The published access token is over.');
  return found;
}
