import type { ConnectionRecord } from '../../../lib/rotation/core/record.ts';
import { readIntent } from '../../../lib/rotation/core/tags.ts';
import { RESERVED_MS } from '../../../lib/rotation/core/times.ts';
import type { TokenResponse } from '../../../lib/rotation/core/tokenRequest.ts';
import { STORE } from '../../unit/rotation/world/connection.ts';
import type { Process } from '../../unit/rotation/world/process.ts';
import { refusal } from '../../unit/rotation/world/provider.ts';
import {
  forgeTags,
  REFRESH_TOKEN,
  replaceByHand,
  type Scenario,
  seeded,
} from '../../unit/rotation/world/scenario.ts';
import type { World } from '../../unit/rotation/world.ts';
import { Consumer } from './consumer.ts';
import { Disturbance } from './disturbance.ts';
import type { Cause } from './flight.ts';
import { judge, owningRecord } from './judge.ts';
import { type Event, type FaultKind, INTERVAL_MS, INTERVALS, type Schedule } from './schedule.ts';
import { Witness } from './witness.ts';

/** Long enough that a replay must wait: a rotation is due when a third of the life is left, but a replay waits for the last minute. */
const LIFETIME_MS = 300_000;
/** After the last fault, each connection must be fresh or reported as lost within this many schedule intervals: 30 min. */
const CALM_INTERVALS = 180;
/** A schedule interval, and the time that a rotation takes. */
const REPORTED_WITHIN_MS = INTERVAL_MS + 5_000;

/** How a schedule ended. */
export interface Verdict {
  readonly end: 'healthy' | 'lost' | 'stuck';
  /** Why the provider revoked the token family, if it did. */
  readonly death: Cause | undefined;
  /** One cause for each refresh token that the vault never received. */
  readonly losses: readonly Cause[];
  /** Overlapping token requests that no protocol can rule out. */
  readonly overlaps: number;
  /** How often a consumer read an expired access token because a late write had replaced a newer one. */
  readonly staleReads: number;
  readonly tokenRequests: number;
  readonly struck: ReadonlyMap<FaultKind, number>;
  /** Empty if the protocol kept its invariants. */
  readonly violations: readonly string[];
}

/** Plays a schedule against the protocol as it runs in production, and judges it by its invariants. */
export async function play(schedule: Schedule): Promise<Verdict> {
  const scenario = seeded({ behavior: { refreshTokenGraceMs: schedule.graceMs } });
  const { world } = scenario;
  world.listAgeMs = schedule.listAgeMs;
  world.provider.lifetimeMs = LIFETIME_MS;
  world.provider.deadline = schedule.deadline;
  if (schedule.deadline) replaceByHand(scenario);
  const witness = new Witness(world, refuseOnce(world, schedule.refused));
  const disturbance = new Disturbance(scenario, schedule, witness);
  const consumer = new Consumer(world, disturbance);
  const processes = Array.from({ length: schedule.racers }, () => world.process());
  if (schedule.twoStores) processes.push(world.process(world.otherRecords));
  const cause = eventsIn(scenario, schedule, { disturbance, witness });
  Object.assign(world.credentials, schedule.lag);
  for (let interval = 0; interval < INTERVALS; interval++) {
    const event = schedule.events.get(interval);
    if (!isUnknowable(event, interval, schedule)) cause(event);
    if (interval === schedule.readOnly?.from) failOver(scenario, witness, schedule.readOnly.lostMs);
    await sweep(scenario, processes);
    consumer.looks();
  }
  disturbance.end();
  Object.assign(world.credentials, { listingLagMs: 0, latestLagMs: 0 });
  for (let interval = 0; interval < CALM_INTERVALS; interval++) {
    await sweep(scenario, processes);
    consumer.looks();
    checkReport(scenario, witness, disturbance);
  }
  const events = [...schedule.events.values()];
  // Another deployment knows of a lost response from the tags alone.
  const areTagsLost = schedule.twoStores && events.includes('tags_forged');
  const isRecordLost = events.some((event) => event === 'record_lost' || event === 'record_restored');
  const { end, death, losses, violations } = judge(scenario, witness, isRecordLost || areTagsLost);
  const avoidable: string[] = [];
  if (death === 'expired' && schedule.deadline?.kind === 'idle' && isCalm(schedule))
    avoidable.push(
      'A refresh token reached its idle deadline, although nothing kept the rotator from renewing it.',
    );
  return {
    end,
    death,
    losses,
    overlaps: witness.strayOverlaps,
    staleReads: consumer.staleReads,
    tokenRequests: witness.tokenRequests,
    struck: disturbance.struck,
    violations: [...new Set([...violations, ...avoidable, ...consumer.violations])],
  };
}

/**
 * A vault that failed over may have lost the announcement of a request whose token its process cannot save yet. If the record is lost as
 * well, nothing says so.
 */
function isUnknowable(event: Event | undefined, interval: number, { readOnly }: Schedule): boolean {
  if (!readOnly || readOnly.lostMs === 0) return false;
  const { from, intervals } = readOnly;
  return (
    (event === 'record_lost' || event === 'record_restored') &&
    interval >= from &&
    interval < from + intervals + 2
  );
}

/** Does nothing happen in this history that could delay a rotation? */
function isCalm({ faults, events, readOnly, slow, lag, refused, twoStores }: Schedule): boolean {
  return faults.size + events.size === 0 && !(readOnly || slow || lag || refused || twoStores);
}

/** @returns the response that the provider gives to the `nth` request that repeats no other */
function refuseOnce({ provider, records }: World, nth: number | undefined): TokenResponse {
  const transient = refusal('reauthorization_required');
  const behave = provider.behave.bind(provider);
  let requests = 0;
  provider.behave = (request) => {
    const { phase } = records.read('crm') ?? {};
    const isFirst = phase?.state === 'requesting' && phase.startedAt === phase.firstStartedAt;
    if (!isFirst || !provider.accepts(request.refreshToken)) return behave(request);
    requests += 1;
    return requests === nth ? transient : behave(request);
  };
  return transient;
}

/** Runs the timer in each process; the list of records says which connections are due. Starts killed processes again. */
export async function sweep(
  { world, connection }: Pick<Scenario, 'world' | 'connection'>,
  processes: Process[],
): Promise<void> {
  for (const [index, process] of processes.entries()) {
    const living = process.alive ? process : world.process(process.records);
    processes[index] = living;
    if (!living.frozen && (await isDue(living, world))) void living.start(connection);
  }
  await world.clock.pass(INTERVAL_MS);
}

/** By the list of the records, or by what the process remembers of an earlier one. */
async function isDue({ records, state, ports: { clock } }: Process, world: World): Promise<boolean> {
  if (world.listAgeMs === undefined) return (records.read('crm')?.nextAttemptAt ?? 0) <= world.now();
  const list = async () => records.list();
  const { now, summaries } = await state.records.list({ records: { list }, clock });
  return (summaries.get('crm')?.nextAttemptAt ?? 0) <= now;
}

/** What operators do to the storage account and the vault between two sweeps. */
function eventsIn(
  scenario: Scenario,
  { twoStores }: Schedule,
  { disturbance, witness }: { readonly disturbance: Disturbance; readonly witness: Witness },
): (event: Event | undefined) => void {
  const { records, credentials, now } = scenario.world;
  let copy: ConnectionRecord | undefined;
  return (event) => {
    if (event && event !== 'record_copied') disturbance.happens();
    if (event === 'operator_replaces_token') replaceByHand(scenario);
    if (event === 'record_lost' || event === 'record_restored') witness.forgets();
    if (event === 'record_lost') records.lose('crm');
    if (event === 'record_copied') copy = records.read('crm');
    if (event === 'record_restored') records.change('crm', (record) => copy ?? record);
    if (event === 'record_forged') records.change('crm', forged);
    // Another deployment knows of a request in flight from the tags alone.
    const intent = readIntent(credentials.latest(REFRESH_TOKEN)?.tags ?? {});
    const isSent = intent !== undefined && now() < intent.startedAt + RESERVED_MS;
    if (event === 'tags_forged' && !(twoStores && isSent)) forgeTags(scenario, STORE);
  };
}

const IN_2121 = Date.parse('2121-01-01T00:00:00Z');

/** The connection looks fresh for a hundred years. */
function forged(record: ConnectionRecord): ConnectionRecord {
  const accessToken = { issuedAt: 0, expiresAt: IN_2121, expiresInIsDefault: false };
  return { ...record, nextAttemptAt: IN_2121, accessToken };
}

/** The vault loses the writes of the last `lostMs`, but not what operators set before the history began. */
function failOver({ world: { credentials, clock, now } }: Scenario, witness: Witness, lostMs: number): void {
  if (lostMs === 0) return;
  const before = credentials.history(REFRESH_TOKEN);
  credentials.failOver(now() - Math.min(lostMs, clock.monotonic() - 1));
  const left = credentials.history(REFRESH_TOKEN);
  witness.lostByVault(before.filter((version) => !left.includes(version)).map(({ value }) => value));
}

/**
 * The rotator must report a revoked token family within one schedule interval after a living process received the refusal,
 * unless another fault or event occurs in between.
 */
function checkReport({ world }: Scenario, witness: Witness, { struckUntil }: Disturbance): void {
  const since = witness.knownDeadSince(world.credentials.latest(REFRESH_TOKEN)?.value ?? '');
  if (since === undefined || struckUntil >= since) return;
  const late = world.clock.monotonic() - since > REPORTED_WITHIN_MS;
  if (late && owningRecord(world, witness).failure?.code !== 'reauthorization_required')
    witness.violations.push('The rotator did not report a revoked token family within a schedule interval.');
}
