import { type ChildProcess, fork, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { blobNameOf, bodyOf, metadataOf } from '../../lib/azure/recordBlob.ts';
import { HISTORY_LENGTH, newRecord } from '../../lib/rotation/core/record.ts';
import { SWEEP_LIMITS } from '../../lib/rotation/sweep.ts';
import { CONTAINER, handWritten, OPERATIONS, sampleLoop } from './baselines.ts';
import { bundled } from './bundled.ts';
import type { ColdStarts } from './coldStarts.ts';
import type { GrowthCost, GrowthStart } from './growthProcess.ts';
import type { IdleCost } from './idleProcess.ts';
import { type Cost, costOf, type Fleet, median, seedFleet, spread, startFleet } from './measure.ts';
import { type BenchRotator, idleName } from './rotator.ts';
import type { SeededRecord } from './servers.ts';
import { type Stage, startStage } from './stage.ts';

/** What a scenario found. */
export interface Finding {
  readonly goal: string;
  /** The figure that counts, for people. */
  readonly figure: string;
  readonly value: number;
  /** `most` or `least` is the limit. */
  readonly most?: number;
  readonly least?: number;
  /** As a part of the value. */
  readonly spread: number;
  /** What was measured beside it, for people. */
  readonly beside: readonly string[];
}

/** Points of a plot: the size, and what was measured. */
export interface Series {
  readonly name: string;
  readonly points: readonly (readonly [x: number, y: number])[];
}

/** The response times that a vault, a storage account and a token endpoint in the same region usually have, in milliseconds. */
const USUAL = { vault: 15, storage: 6, token: 150 };
const NONE = { vault: 0, storage: 0, token: 0 };
const HOUR_MS = 3_600_000;
/** CPU time, and a rate that it limits, vary more than the rest: by a tenth from round to round. */
const CPU_ROUNDS = 11;
const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/**
 * Runs the rotator and the hand-written loops in turn, once before it counts: a new process compiles, and has no connections.
 * @returns the costs, and the middle of each
 */
async function interleaved({ addresses, servers }: Stage, fleet: Fleet) {
  const loop = handWritten(addresses, fleet.targets);
  const keeping = handWritten(addresses, fleet.targets, { keepsAll: true });
  const rounds: { readonly ours: Cost; readonly loop: Cost; readonly keeping: Cost }[] = [];
  for (let round = 0; round <= CPU_ROUNDS; round++) {
    await fleet.becomeDue();
    const ours = await costOf(fleet.sweep);
    await servers.takeCounts();
    const byHand = await costOf(loop.round);
    const { resumed, requests } = await servers.takeCounts();
    const costs = { ours, loop: byHand, keeping: await costOf(keeping.round) };
    if (round === 0) continue;
    if (resumed !== requests.token)
      throw new Error(`The loop resumed ${resumed} TLS sessions in ${requests.token} token requests.`);
    rounds.push(costs);
  }
  await Promise.all([loop.close(), keeping.close()]);
  const middle = (pick: (round: (typeof rounds)[number]) => number) => median(rounds.map(pick));
  return { rounds, middle };
}

/** What a program of this folder prints as JSON. It has a process of its own, because this one grows from part to part. */
function measuredBy(program: string, ...args: readonly string[]) {
  const path = fileURLToPath(new URL(program, import.meta.url));
  const { stdout, stderr, status } = spawnSync(process.execPath, [path, ...args], { encoding: 'utf8' });
  if (status !== 0) throw new Error(stderr);
  return JSON.parse(stdout);
}

const text = (value: number, digits = 2) => value.toFixed(digits);

/** Goal 1: one token host that responds well. */
export async function oneHost(): Promise<Finding[]> {
  const stage = await startStage(1);
  try {
    const size = 200;
    const fleet = await startFleet(stage, size);
    await stage.servers.setLatencies(USUAL);
    const { rounds, middle } = await interleaved(stage, fleet);
    const ratios = rounds.map(({ ours, loop }) => loop.seconds / ours.seconds);
    const wide = handWritten(stage.addresses, fleet.targets, SWEEP_LIMITS);
    const wideSeconds: number[] = [];
    for (let round = 0; round < 4; round++) wideSeconds.push((await costOf(wide.round)).seconds);
    await wide.close();
    const sample = await costOf(() => sampleLoop(stage.addresses, fleet.targets.slice(0, 20)));
    await stage.servers.setLatencies(NONE);
    const strict = await startFleet(stage, 60, { prefix: 'strict', entry: () => ({ refreshTokenGrace: 0 }) });
    await stage.servers.rotateRefreshTokens(true);
    await stage.servers.setLatencies(USUAL);
    await strict.becomeDue();
    await stage.servers.takeCounts();
    await strict.sweep();
    const { mostInFlight } = await stage.servers.takeCounts();
    const rate = (seconds: number) => `${text(size / seconds, 0)} /s`;
    return [
      {
        goal: 'one token host, reusable tokens: rate, compared with a hand-written loop',
        figure: `${text(median(ratios))} of the hand-written loop`,
        value: median(ratios),
        least: 0.8,
        spread: spread(ratios),
        beside: [
          `${rate(middle(({ ours }) => ours.seconds))}, the loop ${rate(middle(({ loop }) => loop.seconds))}, one that keeps all connections ${rate(middle(({ keeping }) => keeping.seconds))}, one of ${SWEEP_LIMITS.concurrency} at a time ${rate(median(wideSeconds.slice(1)))}, a sequential loop of the SDK ${text(20 / sample.seconds, 1)} /s`,
        ],
      },
      {
        goal: 'one token host, single-use tokens: requests in flight',
        figure: `at most ${mostInFlight}`,
        value: mostInFlight,
        most: 8,
        spread: 0,
        beside: [],
      },
    ];
  } finally {
    await stage.close();
  }
}

/** Goal 2: CPU time. */
export async function cpu(): Promise<Finding[]> {
  const stage = await startStage(8);
  try {
    const size = 300;
    const fleet = await startFleet(stage, size);
    // The first sweep after the proof reads once more.
    for (let sweep = 0; sweep < 2; sweep++) {
      await fleet.becomeDue();
      await stage.servers.takeCounts();
      await fleet.sweep();
    }
    const { requests } = await stage.servers.takeCounts();
    // A sweep asks for the list, and notes itself with one write.
    const { list: _, ...rotating } = requests;
    const same = Object.keys({ ...OPERATIONS, ...rotating }).every((kind) => {
      const due = (OPERATIONS as Readonly<Record<string, number>>)[kind] ?? 0;
      const sent = rotating[kind] ?? 0;
      return sent >= due * size && sent <= due * size + 2;
    });
    if (!same)
      throw new Error(`A rotation sends something else than OPERATIONS: ${JSON.stringify(requests)}`);
    const { rounds, middle } = await interleaved(stage, fleet);
    const ratios = rounds.map(({ ours, loop }) => ours.cpuSeconds / loop.cpuSeconds);
    const each = (seconds: number) => `${text((seconds / size) * 1000, 1)} ms`;
    return [
      {
        goal: 'CPU time of a rotation, compared with a hand-written loop',
        figure: `${text(median(ratios))} times`,
        value: median(ratios),
        most: 1.7,
        spread: spread(ratios),
        beside: [
          `${each(middle(({ ours }) => ours.cpuSeconds))}, the loop ${each(middle(({ loop }) => loop.cpuSeconds))}, one that keeps all connections ${each(middle(({ keeping }) => keeping.cpuSeconds))}; without latency ${text(size / middle(({ ours }) => ours.seconds), 0)} /s, the loop ${text(size / middle(({ loop }) => loop.seconds), 0)} /s`,
        ],
      },
    ];
  } finally {
    await stage.close();
  }
}

const QUOTA = 300;

/** Goal 3: the quota of the vaults, with refresh tokens that the provider replaces. */
export async function quota(): Promise<Finding[]> {
  const stage = await startStage(8);
  try {
    const [, other] = stage.addresses.vaults;
    const size = 600;
    const reusable = { refreshTokenGrace: 'unlimited' };
    const one = await startFleet(stage, size, { isPaced: true, prefix: 'one' });
    const two = await startFleet(stage, size, {
      isPaced: true,
      prefix: 'two',
      entry: () => ({ ...reusable, vaults: { token: other } }),
    });
    await stage.servers.rotateRefreshTokens(true);
    await stage.servers.setQuota(QUOTA);
    await stage.servers.setLatencies(USUAL);
    const used = async (fleet: Fleet, vaults: number) => {
      await fleet.becomeDue();
      await stage.servers.takeCounts();
      await fleet.sweep();
      const counts = await stage.servers.takeCounts();
      const { versions, throttled, throttledSaves: refusedSaves, writingSeconds: seconds } = counts;
      const written = versions.reduce((sum, each) => sum + each, 0);
      const refused = throttled.setSecret ?? 0;
      const part = written / ((seconds / 10) * QUOTA * vaults);
      return { part, refused, refusedSaves, written, seconds };
    };
    const alone = await used(one, 1);
    const both = await used(two, 2);
    const refusedPart = (alone.refused + both.refused) / (alone.written + both.written);
    const refusedSaves = alone.refusedSaves + both.refusedSaves;
    const gain = alone.seconds / both.seconds;
    return [
      {
        goal: 'quota of a vault that is used',
        figure: `${text(alone.part * 100, 1)} %`,
        value: alone.part,
        least: 0.97,
        spread: 0,
        beside: [`${alone.written} versions in ${text(alone.seconds, 1)} s`],
      },
      {
        goal: 'writes that the vault refuses with 429',
        figure: `${text(refusedPart * 100)} %`,
        value: refusedPart,
        most: 0.002,
        spread: 0,
        beside: [`${alone.refused + both.refused} of ${alone.written + both.written}`],
      },
      {
        goal: 'saves of a refresh token that the vault refuses with 429',
        figure: `${refusedSaves}`,
        value: refusedSaves,
        most: 0,
        spread: 0,
        beside: [],
      },
      {
        goal: 'rate with two vaults, compared with one',
        figure: `${text(gain)} times`,
        value: gain,
        least: 1.9,
        spread: 0,
        beside: [],
      },
    ];
  } finally {
    await stage.close();
  }
}

/** Goal 5: from few connections to many, each in a process of its own. */
export async function growth(sizes: readonly number[]): Promise<{ findings: Finding[]; series: Series }> {
  const costs: (GrowthCost & { readonly firstMegabytes: number })[] = [];
  for (const size of sizes) costs.push(await growthOf(size));
  const points = sizes.map((size, place): [number, number] => [size, costs[place]?.cpuMs ?? Number.NaN]);
  const memory = costs.map(({ megabytes }) => megabytes);
  const [, first = 0] = points[0] ?? [];
  const [, last = 0] = points.at(-1) ?? [];
  const [small, large] = [sizes[0], sizes.at(-1)];
  const more = (memory.at(-1) ?? 0) / (memory[0] ?? 1);
  const [{ megabytes = Number.NaN, firstMegabytes = Number.NaN } = {}] = costs;
  const grown = megabytes / firstMegabytes;
  return {
    findings: [
      {
        goal: `CPU time of a rotation among ${large} due connections, compared with ${small}`,
        figure: `${text(last / first)} times`,
        value: last / first,
        most: 1.15,
        spread: 0,
        beside: [points.map(([size, ms]) => `${size}: ${text(ms, 1)} ms`).join(', ')],
      },
      {
        goal: `memory after ${GROWTH_ROTATIONS} rotations with ${large} due connections, compared with ${small}`,
        figure: `${text(more)} times`,
        value: more,
        most: 1.5,
        spread: 0,
        beside: [memory.map((each) => `${text(each, 0)} MB`).join(', ')],
      },
      {
        goal: `memory after ${GROWTH_ROTATIONS} rotations with ${small} due connections, compared with the first sweep`,
        figure: `${text(grown)} times`,
        value: grown,
        most: 3,
        spread: 0,
        beside: [`${text(firstMegabytes, 0)} MB after the first sweep`],
      },
    ],
    series: { name: 'CPU milliseconds of a rotation', points },
  };
}

/**
 * V8 takes memory for what a process has done before it collects, until it has taken what it may. So only processes that have done the
 * same work show what the number of connections costs.
 */
const GROWTH_ROTATIONS = 10_000;

/** A new process compiles, and its first rotations take half as much CPU time again as those that follow. So many do not count. */
const COMPILING_ROTATIONS = 2_000;

/** The rotator alone is in the process that is measured. */
async function growthOf(size: number) {
  const stage = await startStage(8);
  try {
    const { entries, becomeDue } = await seedFleet(stage, size);
    return await inBundle('growthProcess.ts', async (child) => {
      const start: GrowthStart = { addresses: stage.addresses, entries };
      child.send(start);
      const uncounted = Math.ceil(COMPILING_ROTATIONS / size);
      const all = GROWTH_ROTATIONS / size;
      const costs: GrowthCost[] = [];
      while (costs.length < Math.max(all, uncounted + 1)) {
        await becomeDue();
        child.send('sweep');
        costs.push(await answerOf<GrowthCost>(child));
      }
      child.disconnect();
      return {
        cpuMs: median(costs.slice(uncounted).map(({ cpuMs }) => cpuMs)),
        megabytes: costs[all - 1]?.megabytes ?? Number.NaN,
        firstMegabytes: costs[0]?.megabytes ?? Number.NaN,
      };
    });
  } finally {
    await stage.close();
  }
}

/** Resolves when so many versions were written to a vault since the last look at the counts. @returns the seconds until then */
async function secondsUntil(stage: Stage, vault: number, versions: number, work: () => Promise<unknown>) {
  await stage.servers.takeCounts();
  const startedAt = performance.now();
  const running = work();
  while ((await stage.servers.versions(vault)) < versions) await sleep(5);
  const seconds = (performance.now() - startedAt) / 1000;
  return { seconds, running };
}

/** A second of work varies by a tenth. */
const HANGING_ROUNDS = 9;

/** Goal 7: a provider that hangs. */
export async function hanging(): Promise<Finding[]> {
  const ratios: number[] = [];
  const without: number[] = [];
  for (let round = 0; round < HANGING_ROUNDS; round++) {
    let ended: Promise<unknown> | undefined;
    const stage = await startStage(10);
    try {
      const fleet = await startFleet(stage, 100);
      const healthy = Object.fromEntries(
        Object.entries(fleet.entries).filter((_, position) => position % 10 !== 9),
      );
      // Both are new, and have no connections.
      const [alone, all] = [stage.rotator(healthy), stage.rotator(fleet.entries)];
      await stage.servers.setLatencies(USUAL);
      const measure = async (rotator: BenchRotator) => {
        await fleet.becomeDue();
        return secondsUntil(stage, 0, 90, () => rotator.sweep().catch(() => {}));
      };
      const hang = async () => {
        await stage.servers.hang([9]);
        const { seconds, running } = await measure(all);
        ended = running;
        return seconds;
      };
      // In turns, because the second one finds servers that are warm.
      const early = round % 2 === 0 ? await hang() : undefined;
      const first = await measure(alone);
      await first.running;
      without.push(first.seconds);
      ratios.push((early ?? (await hang())) / first.seconds);
    } finally {
      await stage.close();
      // Without the servers, the requests that hang end.
      await ended;
    }
  }
  return [
    {
      goal: 'a provider with 10 of 100 connections hangs: time until the other 90 are fresh, compared with them alone',
      figure: `${text(median(ratios))} times`,
      value: median(ratios),
      most: 1.05,
      spread: spread(ratios),
      beside: [`${text(median(without))} s alone`],
    },
  ];
}

/** Goal 3, second part: a backlog at one vault and the connections of another. */
export async function backlog(): Promise<Finding[]> {
  const stage = await startStage(8);
  try {
    const [, other] = stage.addresses.vaults;
    const entry = (position: number) => ({
      refreshTokenGrace: 'unlimited',
      ...(position >= 600 && { vaults: { token: other } }),
    });
    const fleet = await startFleet(stage, 650, { isPaced: true, entry });
    await stage.servers.setQuota(QUOTA);
    await stage.servers.setLatencies(USUAL);
    await fleet.becomeDue();
    const { seconds, running } = await secondsUntil(stage, 1, 50, () => fleet.rotator.sweep());
    await running;
    return [
      {
        goal: 'a backlog of 600 at one vault: seconds until 50 connections of another vault are fresh',
        figure: `${text(seconds, 1)} s`,
        value: seconds,
        most: 10,
        spread: 0,
        beside: [],
      },
    ];
  } finally {
    await stage.close();
  }
}

/** Goal 4: nothing is due. */
export async function idle(sizes: readonly { size: number; mostCpu: number; mostMegabytes?: number }[]) {
  const points: [number, number][] = [];
  const findings: Finding[] = [];
  for (const { size, mostCpu, mostMegabytes } of sizes) {
    const stage = await startStage(1);
    try {
      const names = Array.from({ length: size }, (_, position) => idleName(position));
      const vault = new URL(stage.addresses.vaults[0]).hostname;
      for (let from = 0; from < size; from += 5_000)
        await stage.servers.putRecords(
          CONTAINER,
          names.slice(from, from + 5_000).map((name) => idleRecord(name, vault)),
        );
      const { cpuMs, megabytes } = await idleProcess(stage, size);
      const { list = 0 } = (await stage.servers.takeCounts()).requests;
      // At the first sweep, and at those 50 s and 100 s later.
      if (list < 3 * Math.ceil(size / LIST_PAGE)) throw new Error(`${list} list requests are too few.`);
      const part = cpuMs / SCHEDULE_MS;
      points.push([size, cpuMs]);
      findings.push({
        goal: `idle with ${size} connections: a core`,
        figure: `${text(part * 100, 1)} %`,
        value: part,
        most: mostCpu,
        spread: 0,
        beside: [`${text(cpuMs, 0)} ms of CPU a sweep, ${list} list requests, ${text(megabytes, 0)} MB`],
      });
      if (mostMegabytes !== undefined)
        findings.push({
          goal: `idle with ${size} connections: resident memory`,
          figure: `${text(megabytes, 0)} MB`,
          value: megabytes,
          most: mostMegabytes,
          spread: 0,
          beside: [],
        });
    } finally {
      await stage.close();
    }
  }
  return { findings, series: { name: 'CPU milliseconds of an idle sweep', points } };
}

/** Records in the response to one of them. */
const LIST_PAGE = 5_000;

/** The default schedule. */
const SCHEDULE_MS = 10_000;

/** As after some months. */
function idleRecord(name: string, vault: string): SeededRecord {
  const now = Date.now();
  const record = {
    ...newRecord(name),
    vaults: { credential: vault, token: vault },
    version: '0123456789abcdef0123456789abcdef',
    epoch: 2_000,
    generation: 2_000,
    familyStartedAt: now - 2_000 * HOUR_MS,
    rotatedAt: now,
    nextAttemptAt: now + 2_400_000,
    accessToken: { issuedAt: now, expiresAt: now + HOUR_MS, expiresInIsDefault: false },
    history: Array.from({ length: HISTORY_LENGTH }, (_, age) => ({
      result: 'rotated' as const,
      at: now - (HISTORY_LENGTH - age) * HOUR_MS,
    })),
  };
  return { name: blobNameOf(name), body: bodyOf(record), metadata: metadataOf(record) };
}

const idleProcess = ({ addresses }: Stage, size: number) =>
  inBundle('idleProcess.ts', (child) => {
    child.send({ addresses, size });
    return answerOf<IdleCost>(child);
  });

/**
 * Starts a bundled program in a process of its own, whose memory is that of the rotator.
 * @returns what `use` finds out
 */
async function inBundle<T>(program: string, use: (child: ChildProcess) => Promise<T>): Promise<T> {
  const child = fork(await bundled(program), { stdio: 'inherit' });
  const exit = once(child, 'exit');
  const found = await use(child);
  await exit;
  return found;
}

/** The next message of a process. @throws Error if it ends without one */
async function answerOf<T>(child: ChildProcess): Promise<T> {
  const answered = new AbortController();
  const { signal } = answered;
  const ended = once(child, 'exit', { signal }).then(([code]) => {
    throw new Error(`The process ended with ${code}.`);
  });
  try {
    const [answer] = await Promise.race([once(child, 'message', { signal }), ended]);
    return answer;
  } finally {
    answered.abort();
  }
}

/** Goal 6: what a cold start costs, with what `npm run build` makes. */
export async function coldStart(): Promise<Finding[]> {
  const build = spawnSync(process.execPath, ['scripts/build.ts'], { cwd: ROOT, encoding: 'utf8' });
  if (build.status !== 0) throw new Error(build.stderr);
  const times: ColdStarts = measuredBy('coldStarts.ts');
  const middle = (name: keyof ColdStarts) => median(times[name]);
  const [bare, built, source] = [middle('bare'), middle('bundle'), middle('source')];
  const megabytes = statSync(join(ROOT, 'dist.zip')).size / 1e6;
  const beside = [
    `${text(built, 3)} s; from source ${text(source, 3)} s, Node alone ${text(bare, 3)} s; with the identity library, which the first sign-in loads, ${text(middle('signedIn'), 3)} s`,
  ];
  const compared = (what: string, other: 'source' | 'bare', most: number) => {
    const ratios = times.bundle.map((seconds, round) => seconds / (times[other][round] ?? Number.NaN));
    const value = median(ratios);
    const goal = `cold import of the package, compared with ${what}`;
    return { goal, figure: `${text(value)} times`, value, most, spread: spread(ratios), beside };
  };
  return [
    compared('the source', 'source', 0.25),
    compared('Node alone', 'bare', 4),
    {
      goal: 'size of the package',
      figure: `${text(megabytes)} MB`,
      value: megabytes,
      most: 1.5,
      spread: 0,
      beside: [],
    },
  ];
}
