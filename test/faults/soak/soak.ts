import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ConnectionStatus } from '../../../lib/rotation/core/status.ts';
import type { LocalConnection } from '../../../local/connections.ts';
import type { VaultResponse } from '../../../local/keyVault/types.ts';
import { setSecret } from '../../../local/requests.ts';
import { localConnection } from '../../support/localConnection.ts';
import { pick, randomFrom } from '../model/random.ts';
import { Consumer } from '../process/consumer.ts';
import { type Rig, startRig } from '../process/rig.ts';
import { Crew } from './crew.ts';
import { OUTAGES } from './faults.ts';
import { Suspects } from './suspects.ts';

/** After the last fault, all connections must be fresh within this time. */
const RECOVERY_MS = 300_000;
const HOSTS = 2;
const UNEXPLAINED = 'no fault explains it';

/** The result of a soak. */
export interface SoakResult {
  readonly connections: readonly string[];
  readonly crew: Crew;
  readonly consumer: Consumer;
  /** How many token families were lost, by the fault that explains it. */
  readonly lost: ReadonlyMap<string, number>;
  readonly repairs: number;
  readonly tokenRequests: number;
  /** How many clients have overlapping token requests that a late execution or a frozen sender explains. */
  readonly strayOverlaps: number;
  /** The largest resident memory of a host, in bytes. */
  readonly peakMemory: number;
  /** Milliseconds from the last fault until all connections were fresh. */
  readonly recoveredAfter: number;
  /** Empty if the rotator kept all its promises. */
  readonly violations: readonly string[];
}

/** Four connections of each kind. */
const SOAKED: readonly LocalConnection[] = (['single_use', 'grace', 'none'] as const).flatMap((rotation) =>
  [1, 2, 3, 4].map((number) =>
    localConnection(`${rotation.replace('_', '-')}-${number}`, {
      rotation,
      ...(rotation === 'grace' && { graceSeconds: 60 }),
      clientAuthentication: number % 2 === 0 ? 'client_secret_post' : 'client_secret_basic',
    }),
  ),
);

/** Runs the local stack under random faults for `ms` milliseconds, then waits until all connections are fresh. */
export async function soak(ms: number, seed: number): Promise<SoakResult> {
  const rig = await startRig(SOAKED);
  try {
    return await new Soak(rig, seed).run(ms);
  } finally {
    await rig.close();
  }
}

class Soak {
  readonly #rig: Rig;
  readonly #random: () => number;
  readonly #suspects = new Suspects();
  readonly #crew: Crew;
  readonly #consumer: Consumer;
  readonly #lost = new Map<string, number>();
  readonly #violations: string[] = [];
  #repairs = 0;
  #peakMemory = 0;

  constructor(rig: Rig, seed: number) {
    this.#rig = rig;
    this.#random = randomFrom(seed);
    this.#crew = new Crew(rig, SOAKED, this.#suspects, this.#random);
    this.#consumer = new Consumer(rig.servers, (...version) => this.#suspects.isLate(...version));
  }

  async run(ms: number): Promise<SoakResult> {
    for (let number = 0; number < HOSTS; number++) await this.#crew.start();
    const over = new AbortController();
    const names = SOAKED.map(({ name }) => name);
    const watching = this.#consumer.watch(names, 100, over.signal);
    for (const end = Date.now() + ms; Date.now() < end; await sleep(1_000)) await this.#second();
    this.#crew.calm = true;
    const recoveredAfter = await this.#recover();
    await this.#crew.end();
    over.abort();
    await watching;
    return this.#result(names, recoveredAfter);
  }

  async #second(): Promise<void> {
    await this.#repairLost();
    this.#measure();
    if (this.#random() > 1 / 15) return;
    const outage = pick(this.#random, OUTAGES);
    const now = Date.now();
    // One at a time: during both outages, a host can neither save a received token nor keep other hosts from replacing it.
    if (now < Math.max(this.#crew.readOnlyUntil, this.#crew.storageOutUntil)) return;
    if (outage === 'drain') return this.#crew.drainOne();
    this.#crew.count(outage);
    if (outage === 'credential vault read-only')
      this.#crew.readOnlyUntil = now + 5_000 + this.#random() * 85_000;
    if (outage === 'storage outage') this.#crew.storageOutUntil = now + 5_000 + this.#random() * 55_000;
    if (outage === 'slow provider') {
      this.#crew.slowUntil = now + 60_000;
      this.#crew.slowMs = pick(this.#random, [5_000, 10_000, 20_000, 37_000]);
    }
    if (outage === 'lagging list of versions') this.#lag(now + 60_000);
    if (outage === 'forced rotation') void this.#force();
  }

  /** Until then, lists of versions do not show what was written in the last 30 s. */
  #lag(until: number): void {
    const { credentialVault } = this.#rig.servers;
    credentialVault.intercept(({ operation }) => {
      if (operation !== 'listVersions' || Date.now() >= until || this.#crew.calm) return undefined;
      return { kind: 'executeThenAnswer', answer: withoutNewest };
    });
  }

  async #force(): Promise<void> {
    const host = this.#crew.living[0];
    const { name } = pick(this.#random, [...SOAKED] as [LocalConnection, ...LocalConnection[]]);
    const url = `${host?.url}/api/connections/${name}/rotate?force=true`;
    await fetch(url, { method: 'POST', signal: AbortSignal.timeout(60_000) }).catch(() => {});
  }

  /** The status of each connection, from the first host that responds; undefined if no host does. */
  async #states(): Promise<readonly ConnectionStatus[] | undefined> {
    for (const { url } of this.#crew.living) {
      const response = await fetch(`${url}/api/connections`, { signal: AbortSignal.timeout(3_000) }).catch(
        () => {},
      );
      if (response?.ok)
        return ((await response.json()) as { connections: readonly ConnectionStatus[] }).connections;
    }
    return undefined;
  }

  /** Signs in again for each connection that is reported as lost, as the operator would. */
  async #repairLost(): Promise<void> {
    for (const { name, reason } of (await this.#states().catch(() => undefined)) ?? []) {
      if (reason !== 'reauthorization_required' || this.#repaired.has(name)) continue;
      const isSignedIn = await this.#signIn(name).catch(() => false);
      if (isSignedIn) this.#noteLoss(name);
    }
    for (const { name, reason } of (await this.#states().catch(() => undefined)) ?? [])
      if (reason !== 'reauthorization_required') this.#repaired.delete(name);
  }

  async #signIn(name: string): Promise<true> {
    const token = await this.#rig.servers.authorization.seedRefreshToken(name);
    await setSecret(this.#rig.servers, `${name}-refresh-token`, token);
    return true;
  }

  #noteLoss(name: string): void {
    const why = this.#suspects.explain(name) ?? UNEXPLAINED;
    if (why === UNEXPLAINED)
      this.#violations.push(`${name}: the token family was lost, and no fault explains it.`);
    this.#lost.set(why, (this.#lost.get(why) ?? 0) + 1);
    this.#repairs += 1;
    this.#repaired.add(name);
  }

  /** The connections that are repaired, but that the rotator still reports as lost. */
  readonly #repaired = new Set<string>();

  async #recover(): Promise<number> {
    const startedAt = Date.now();
    while (Date.now() - startedAt < RECOVERY_MS) {
      await this.#repairLost();
      const states = await this.#states().catch(() => undefined);
      if (states?.every(({ state }) => state === 'fresh')) return Date.now() - startedAt;
      await sleep(1_000);
    }
    const states = (await this.#states().catch(() => undefined)) ?? [];
    const unwell = states.filter(({ state }) => state !== 'fresh');
    this.#violations.push(
      `Not all connections are fresh after ${RECOVERY_MS / 60_000} min: ${JSON.stringify(unwell)}`,
    );
    return RECOVERY_MS;
  }

  #measure(): void {
    for (const { processId } of this.#crew.living)
      this.#peakMemory = Math.max(this.#peakMemory, residentMemory(processId));
  }

  #result(names: readonly string[], recoveredAfter: number): SoakResult {
    const { authorization } = this.#rig.servers;
    const overlapping = names.filter((name) => authorization.concurrentRequests(name) > 1);
    const avoidable = overlapping.filter((name) => !this.#suspects.strays.has(name));
    const violations = [
      ...this.#violations,
      ...this.#consumer.violations,
      ...avoidable.map((name) => `${name}: two token requests were in flight at the same time.`),
      ...this.#leaks(),
    ];
    return {
      connections: names,
      crew: this.#crew,
      consumer: this.#consumer,
      lost: this.#lost,
      repairs: this.#repairs,
      tokenRequests: authorization.tokenRequests.filter(
        ({ grantType, executed }) => executed && grantType === 'refresh_token',
      ).length,
      strayOverlaps: overlapping.length - avoidable.length,
      peakMemory: this.#peakMemory,
      recoveredAfter,
      violations,
    };
  }

  #leaks(): string[] {
    const { authorization, clients } = this.#rig.servers;
    const printed = this.#crew.lines.flat().join('\n');
    const secrets = [...authorization.issuedValues(), ...clients.map(({ clientSecret }) => clientSecret)];
    return secrets.some((secret) => printed.includes(secret)) ? ['A host printed a secret.'] : [];
  }
}

const LAG_S = 30;

function withoutNewest(real: VaultResponse): VaultResponse {
  const { value = [], ...page } = real.body as { value?: { attributes: { created: number } }[] };
  const shown = value.filter(({ attributes }) => attributes.created <= Date.now() / 1000 - LAG_S);
  return { ...real, body: { ...page, value: shown } };
}

/** In bytes, from /proc on Linux; 0 on other systems, and for a process that has ended. */
function residentMemory(processId: number): number {
  try {
    const status = readFileSync(`/proc/${processId}/status`, 'utf8');
    return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1] ?? 0) * 1024;
  } catch {
    return 0;
  }
}
