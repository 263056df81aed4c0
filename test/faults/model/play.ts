import type { ConnectionRecord } from '../../../lib/rotation/core/record.ts';
import type { Process } from '../../unit/rotation/world/process.ts';
import { REFRESH_TOKEN, replaceByHand, type Scenario, seeded } from '../../unit/rotation/world/scenario.ts';
import { Consumer } from './consumer.ts';
import { Disturbance } from './disturbance.ts';
import type { Cause } from './flight.ts';
import { judge } from './judge.ts';
import { type Event, type FaultKind, INTERVAL_MS, INTERVALS, type Schedule } from './schedule.ts';
import { Witness } from './witness.ts';

/** Long enough that a replay has to wait: a token is renewed when a third of its life is left, and spared until the last minute. */
const LIFETIME_MS = 300_000;
/** After the last fault everything must be well, or be reported as lost, within this many ticks: 30 min. */
const CALM_INTERVALS = 180;
/** A tick, and the time that a rotation takes. */
const REPORTED_WITHIN_MS = INTERVAL_MS + 5_000;

/** How a schedule ended. */
export interface Verdict {
  readonly end: 'healthy' | 'lost' | 'stuck';
  /** Why the chain is dead, where it is. */
  readonly death: Cause | undefined;
  /** Why each refresh token that never came into the vault did not. */
  readonly losses: readonly Cause[];
  /** Overlapping grants that nobody can rule out. */
  readonly overlaps: number;
  /** Times that a consumer read an access token that was over though a newer one had been there, by late writes. */
  readonly staleReads: number;
  readonly grants: number;
  readonly struck: ReadonlyMap<FaultKind, number>;
  /** Empty, or the protocol is broken. */
  readonly violations: readonly string[];
}

/** Plays a schedule against the protocol as it runs in production, and judges it by its invariants. */
export async function play(schedule: Schedule): Promise<Verdict> {
  const scenario = seeded({ behavior: { refreshTokenGraceMs: schedule.graceMs } });
  const { world } = scenario;
  world.provider.lifetimeMs = LIFETIME_MS;
  const witness = new Witness(world);
  const disturbance = new Disturbance(scenario, schedule, witness);
  const consumer = new Consumer(world, disturbance);
  const processes = Array.from({ length: schedule.racers }, () => world.process());
  const happens = happenings(scenario);
  for (let tick = 0; tick < INTERVALS; tick++) {
    happens(schedule.events.get(tick));
    await sweep(scenario, processes);
    consumer.looks();
  }
  disturbance.end();
  for (let tick = 0; tick < CALM_INTERVALS; tick++) {
    await sweep(scenario, processes);
    consumer.looks();
    seeThatItIsReported(scenario, witness, disturbance);
  }
  const { end, death, losses, violations } = judge(
    scenario,
    witness,
    [...schedule.events.values()].some((event) => event === 'record_lost' || event === 'record_restored'),
  );
  return {
    end,
    death,
    losses,
    overlaps: witness.strayOverlaps,
    staleReads: consumer.staleReads,
    grants: witness.grants,
    struck: disturbance.struck,
    violations: [...new Set([...violations, ...consumer.violations])],
  };
}

/** What the timer does in each process: who is due stands in the list of records. Processes that were killed are started again. */
async function sweep({ world, connection }: Scenario, processes: Process[]): Promise<void> {
  const isDue = (world.records.read('crm')?.nextAttemptAt ?? 0) <= world.now();
  for (const [index, process] of processes.entries()) {
    const living = process.alive ? process : world.process();
    processes[index] = living;
    if (isDue && !living.frozen) void living.start(connection);
  }
  await world.clock.pass(INTERVAL_MS);
}

/** What people do to the storage account and the vault between two sweeps. */
function happenings(scenario: Scenario): (event: Event | undefined) => void {
  const { records } = scenario.world;
  let copy: ConnectionRecord | undefined;
  return (event) => {
    if (event === 'operator_replaces_token') replaceByHand(scenario);
    if (event === 'record_lost') records.lose('crm');
    if (event === 'record_copied') copy = records.read('crm');
    if (event === 'record_restored') records.change('crm', (record) => copy ?? record);
  };
}

/** A dead chain is reported within one tick after the provider has told it to a living process, unless another fault comes in between. */
function seeThatItIsReported({ world }: Scenario, witness: Witness, { struckUntil }: Disturbance): void {
  const since = witness.knownDeadSince(world.credentials.latest(REFRESH_TOKEN)?.value ?? '');
  if (since === undefined || struckUntil >= since) return;
  const late = world.clock.monotonic() - since > REPORTED_WITHIN_MS;
  if (late && world.record('crm').failure?.code !== 'reauthorization_required')
    witness.violations.push('A dead chain was not reported within a tick.');
}
