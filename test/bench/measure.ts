import type { Target } from './baselines.ts';
import type { BenchRotator } from './rotator.ts';
import type { Stage } from './stage.ts';

/** What some work took. */
export interface Cost {
  readonly seconds: number;
  /** Of this process. */
  readonly cpuSeconds: number;
}

/** Measures what some work takes. */
export async function costOf(work: () => Promise<unknown>): Promise<Cost> {
  const startedAt = performance.now();
  const before = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(before);
  return { seconds: (performance.now() - startedAt) / 1000, cpuSeconds: (user + system) / 1e6 };
}

/** The middle of the values, or the larger one of two in the middle. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((one, other) => one - other);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

/** Half of the distance between the quartiles, as a part of the median: one bad round widens it by nothing. */
export function spread(values: readonly number[]): number {
  const sorted = values.toSorted((one, other) => one - other);
  const quarter = Math.floor(sorted.length / 4);
  const [low = Number.NaN, high = Number.NaN] = [sorted[quarter], sorted.at(-1 - quarter)];
  return (high - low) / 2 / median(values);
}

/** Connections whose secrets are in the vault. */
interface SeededFleet {
  readonly entries: Readonly<Record<string, object>>;
  readonly targets: readonly Target[];
  /** Lets so much time pass that all of them are due. */
  becomeDue(): Promise<void>;
}

/** Connections that were rotated once. */
export interface Fleet extends SeededFleet {
  readonly rotator: BenchRotator;
  /** Sweeps until none is due any more. */
  sweep(): Promise<void>;
}

/** How the connections of a fleet differ from the usual ones: reusable refresh tokens, everything in the first vault. */
export interface FleetOptions {
  readonly prefix?: string;
  readonly entry?: (position: number) => object;
}

/** Access tokens live for an hour, and two thirds of it make them due. */
export const UNTIL_DUE_MS = 50 * 60_000;

/** Makes connections, spread over the token endpoints. */
export async function seedFleet(
  { servers, addresses }: Stage,
  size: number,
  { prefix = 'crm', entry = () => ({ refreshTokenGrace: 'unlimited' }) }: FleetOptions = {},
): Promise<SeededFleet> {
  const { tokenEndpoints } = addresses;
  const targets = Array.from({ length: size }, (_, position) => ({
    name: `${prefix}-${position}`,
    tokenEndpoint: tokenEndpoints[position % tokenEndpoints.length] ?? '',
  }));
  const entries = Object.fromEntries(
    targets.map(({ name, tokenEndpoint }, position) => [
      name,
      {
        tokenUri: tokenEndpoint,
        clientId: 'id',
        clientAuthentication: 'client_secret_post',
        ...entry(position),
      },
    ]),
  );
  const secrets = targets.flatMap(({ name }) => [
    [`${name}-client-secret`, 'secret'],
    [`${name}-refresh-token`, `first of ${name}`],
  ]);
  await servers.putSecrets(0, Object.fromEntries(secrets));
  return { entries, targets, becomeDue: async () => void (await servers.advance(UNTIL_DUE_MS)) };
}

/** Makes connections as {@link seedFleet} does, and rotates each once. */
export async function startFleet(
  stage: Stage,
  size: number,
  { isPaced = false, ...options }: FleetOptions & { readonly isPaced?: boolean } = {},
): Promise<Fleet> {
  const fleet = await seedFleet(stage, size, options);
  const unpaced = stage.rotator(fleet.entries, false);
  const rotator = isPaced ? stage.rotator(fleet.entries, true) : unpaced;
  await sweepAll(unpaced.hasty, size, unpaced.complaints);
  await stage.servers.takeCounts();
  return { ...fleet, rotator, sweep: () => sweepAll(rotator, size, rotator.complaints) };
}

/**
 * Sweeps until none of so many connections is due any more.
 * @throws Error with the first complaint if a rotation fails, or if some were never due
 */
export async function sweepAll(
  rotator: Pick<BenchRotator, 'sweep'>,
  size: number,
  complaints: readonly string[],
): Promise<void> {
  for (let left = size; left > 0; ) {
    const { due, postponed, results } = await rotator.sweep();
    const failed = due - postponed - (results.rotated ?? 0) - (results.provider_slow ?? 0);
    if (failed > 0) throw new Error(`${failed} rotations failed: ${complaints[0]}`);
    if (due === 0) throw new Error(`${left} of ${size} connections were not due.`);
    left -= results.rotated ?? 0;
  }
}
