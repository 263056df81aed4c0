import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'vitest';
import type { ConnectionStatus } from '../../../lib/rotation/core/status.ts';
import type { LocalConnection } from '../../../local/connections.ts';
import { accepted, readAccessToken } from '../../../local/requests.ts';
import type { Servers } from '../../../local/servers.ts';
import { type Case, connectionOf, type Outcome, type Step } from './cases.ts';
import type { FaultHook, Moment, Passing, Strike } from './faultProxy.ts';
import { type Rig, type StruckHost, stopFor } from './rig.ts';

const NO_FAULTS: FaultHook = () => undefined;
const POLL_MS = 100;

/** A hook that acts once after it is armed: at one moment of the nth request of a step. */
export function once(
  connection: string,
  { operation, nth }: Step,
  moment: Moment,
  act: () => Promise<Strike | undefined>,
) {
  const struck = Promise.withResolvers<void>();
  let armed = false;
  let caught = false;
  let seen = 0;
  const hook: FaultHook = async (passing, at) => {
    if (!armed || !isOf(passing, connection, operation)) return undefined;
    if (at === 'before_forwarding') seen += 1;
    if (seen !== nth || at !== moment) return undefined;
    armed = false;
    caught = true;
    const strike = await act();
    struck.resolve();
    return strike;
  };
  const arm = () => {
    armed = !caught;
    seen = 0;
  };
  return { hook, arm, struck: struck.promise, isCaught: () => caught };
}

/** Asks for a rotation until the trap has caught one: the host refuses a call while another rotation runs. */
export async function provoke(host: StruckHost, name: string, trap: ReturnType<typeof once>): Promise<void> {
  while (!trap.isCaught()) {
    trap.arm();
    await Promise.race([force(host, name), trap.struck]);
    await sleep(POLL_MS);
  }
  await trap.struck;
}

/** `put refresh-token` stands for `put <connection>-refresh-token`, `lease` for `lease <connection>`. */
export function isOf({ operation, client }: Passing, connection: string, wanted: string): boolean {
  if (wanted === 'grant') return operation === 'grant' && client === connection;
  const [verb, secret] = wanted.split(' ');
  return operation === `${verb} ${secret ? `${connection}-${secret}` : connection}`;
}

/** Rotates once, injects the fault of a case into the second rotation, and compares the end with what the case expects. */
export async function playCase(rig: Rig, name: string, given: Case): Promise<void> {
  const connection = connectionOf(given.provider, name);
  let isKilled = false;
  const trap = once(name, given.step, given.moment, () => {
    isKilled = given.fault.kind === 'kill';
    return inject(given, host);
  });
  // Without this, the proxy might still forward a request that the host sent just before it was killed, and save its token by chance.
  const host: StruckHost = await rig.startHost([connection], (passing, at) =>
    isKilled && at === 'before_forwarding' ? { kind: 'lose' } : trap.hook(passing, at),
  );
  const old = await nextToken(rig.servers, name);
  await provoke(host, name, trap);
  // Another instance continues; after a kill, the platform starts one.
  const other = given.fault.kind === 'strike' ? host : await rig.startHost([connection], NO_FAULTS);
  await expectOutcome(rig.servers, other, name, given.outcome, old);
  expect(rig.servers.authorization.concurrentRequests(name)).toBe(1);
  await Promise.all([host.kill(), other.kill()]);
}

async function inject({ fault, moment }: Case, host: StruckHost): Promise<Strike | undefined> {
  if (fault.kind === 'strike') return fault.strike;
  if (fault.kind === 'kill') await host.kill();
  else void stopFor(host.processId, fault.ms);
  // Otherwise the proxy would forward a request whose sender was killed before forwarding.
  return fault.kind === 'kill' && moment === 'before_forwarding' ? { kind: 'lose' } : undefined;
}

/** Waits for the expected outcome of a case, until the test's timeout. */
export async function expectOutcome(
  servers: Servers,
  host: StruckHost,
  name: string,
  outcome: Outcome,
  old: string,
): Promise<void> {
  if (outcome === 'fresh') {
    await nextToken(servers, name, old);
    return expectAlive(host, name);
  }
  const dead = await statusWhere(host, name, ({ reason }) => reason === 'reauthorization_required');
  expect(dead.message).toMatch(/response to an earlier token request was lost/);
}

/** The stored refresh token still works: one more rotation succeeds, in any process. */
async function expectAlive(host: StruckHost, name: string): Promise<void> {
  const { generation } = await statusWhere(host, name, ({ state }) => state === 'fresh');
  await rotateSoon(host, name);
  expect((await statusOf(host, name)).generation).toBeGreaterThanOrEqual(generation ?? 0);
}

/** Resolves with the first access token that is new and that the resource accepts. */
export async function nextToken(servers: Servers, name: string, old?: string): Promise<string> {
  for (;;) {
    const token = await readAccessToken(name, servers);
    if (token !== undefined && token !== old && (await accepted(token, servers))) return token;
    await sleep(POLL_MS);
  }
}

/** Asks for a rotation until one succeeds: another one may be running, or may have just ended. */
export async function rotateSoon(host: Pick<StruckHost, 'url'>, name: string): Promise<void> {
  for (;;) {
    const response = await force(host, name);
    if (response?.status === 200) return;
    expect([409, 429, 503, undefined]).toContain(response?.status);
    await sleep(POLL_MS);
  }
}

/** Asks for a rotation now. @returns undefined if the host ended in the meantime */
export async function force({ url }: Pick<StruckHost, 'url'>, name: string): Promise<Response | undefined> {
  return fetch(`${url}/api/connections/${name}/rotate?force=true`, { method: 'POST' }).catch(() => undefined);
}

export async function statusOf({ url }: Pick<StruckHost, 'url'>, name: string): Promise<ConnectionStatus> {
  const response = await fetch(`${url}/api/connections/${name}`);
  return (await response.json()) as ConnectionStatus;
}

/** Waits until the status satisfies `isWanted`. */
export async function statusWhere(
  host: Pick<StruckHost, 'url'>,
  name: string,
  isWanted: (status: ConnectionStatus) => boolean,
): Promise<ConnectionStatus> {
  for (;;) {
    const status = await statusOf(host, name);
    if (isWanted(status)) return status;
    await sleep(POLL_MS);
  }
}

/** How many token requests of this connection the authorization server has executed. */
export function requestsOf({ authorization }: Servers, { name }: Pick<LocalConnection, 'name'>): number {
  return authorization.tokenRequests.filter(
    ({ clientId, grantType, executed }) => clientId === name && grantType === 'refresh_token' && executed,
  ).length;
}
