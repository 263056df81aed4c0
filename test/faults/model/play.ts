import type { Process } from '../../unit/rotation/world/process.ts';
import {
  ACCESS_TOKEN,
  REFRESH_TOKEN,
  replaceByHand,
  type Scenario,
  seeded,
} from '../../unit/rotation/world/scenario.ts';
import { Disturbance } from './disturbance.ts';
import { type Event, type Schedule, TICK_MS, TICKS } from './schedule.ts';
import { type LossCause, Witness } from './witness.ts';

const LIFETIME_MS = 180_000;
/** After the last fault everything must be well, or be reported as lost, within this many ticks: 30 min. */
const CALM_TICKS = 180;

type End = 'healthy' | 'lost' | 'stuck';

/** How a schedule ended. */
export interface Verdict {
  readonly end: End;
  /** Why each refresh token that never came into the vault did not. */
  readonly losses: readonly LossCause[];
  readonly overlaps: number;
  readonly grants: number;
  readonly kills: number;
  /** Empty, or the protocol is broken. */
  readonly violations: readonly string[];
}

/** Plays a schedule against the protocol as it runs in production, and judges it by its invariants. */
export async function play(schedule: Schedule): Promise<Verdict> {
  const scenario = seeded({ refreshTokenGraceMs: schedule.graceMs });
  const { world } = scenario;
  world.provider.lifetimeMs = LIFETIME_MS;
  const witness = new Witness(world);
  const disturbance = new Disturbance(world, schedule, witness);
  const processes = Array.from({ length: schedule.racers }, () => world.process());
  for (let tick = 0; tick < TICKS; tick++) {
    happens(scenario, schedule.events.get(tick));
    await sweep(scenario, processes);
  }
  disturbance.end();
  for (let tick = 0; tick < CALM_TICKS; tick++) await sweep(scenario, processes);
  const { kills } = disturbance;
  return { ...judge(scenario, witness), kills, overlaps: witness.overlaps, grants: witness.grants };
}

/** What the timer does in each process: who is due stands in the list of records. Processes that were killed are started again. */
async function sweep({ world, connection }: Scenario, processes: Process[]): Promise<void> {
  const isDue = (world.records.read('crm')?.nextAttemptAt ?? 0) <= world.now();
  for (const [index, process] of processes.entries()) {
    const living = process.alive ? process : world.process();
    processes[index] = living;
    if (isDue && !living.frozen) void living.start(connection);
  }
  await world.clock.pass(TICK_MS);
}

function happens(scenario: Scenario, event: Event | undefined): void {
  if (event === 'person_replaces_token') replaceByHand(scenario);
  if (event === 'record_lost') scenario.world.records.lose('crm');
}

function judge(scenario: Scenario, witness: Witness): Pick<Verdict, 'end' | 'losses' | 'violations'> {
  const { world, connection } = scenario;
  const end = endOf(scenario);
  const losses = witness.losses();
  const found = [...witness.violations, ...world.leaks().map(() => 'A secret leaked.')];
  if (witness.overlaps > 0) found.push('Grants overlapped.');
  if (end === 'stuck') found.push(`It is stuck: ${JSON.stringify(world.record('crm'))}`);
  if (end === 'lost' && !witness.causeOfDeath())
    found.push('The chain is dead, and its last token was not lost.');
  if (end === 'lost' && connection.refreshTokenGraceMs === Number.POSITIVE_INFINITY)
    found.push('A reusable token was lost.');
  if (end === 'healthy') found.push(...wrongInVaults(scenario));
  return { end, losses, violations: found };
}

function endOf({ world }: Scenario): End {
  const { failure, phase } = world.record('crm');
  if (failure?.code === 'reauthorization_required') return 'lost';
  return failure || phase.state !== 'idle' ? 'stuck' : 'healthy';
}

function wrongInVaults({ world, connection }: Scenario): string[] {
  const latest = world.credentials.latest(REFRESH_TOKEN);
  const found: string[] = [];
  if (world.record('crm').version !== latest?.version) found.push('The record names another version.');
  if (connection.refreshTokenGraceMs === 0 && !world.provider.accepts(latest?.value))
    found.push('The provider does not take the stored token.');
  const expiresAt = world.tokens.latest(ACCESS_TOKEN)?.expiresAt ?? 0;
  if (expiresAt <= world.now()) found.push('The published access token is over.');
  return found;
}
