import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'vitest';
import type { Problem } from '../../../lib/errors.ts';
import type { ConnectionStatus } from '../../../lib/rotation/core/status.ts';
import type { LocalConnection } from '../../../local/connections.ts';
import { accepted, readAccessToken } from '../../../local/requests.ts';
import type { Servers } from '../../../local/servers.ts';
import { type Case, connectionOf, type Outcome, type Step } from './cases.ts';
import type { FaultHook, Moment, Passing, Strike } from './faultProxy.ts';
import { type Rig, type StruckHost, stopFor } from './rig.ts';

const NO_FAULTS: FaultHook = () => undefined;
const POLL_MS = 100;

type Status = ConnectionStatus & { readonly failure?: Problem };

/** A hook that acts once it is armed: at the nth request of a step, at one moment. */
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

/** Asks for a rotation until the trap has caught one: a first call is refused where another rotation runs. */
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

/** Rotates once, brings the fault of a case down on the second rotation, and holds the end against what the case expects. */
export async function playCase(rig: Rig, name: string, given: Case): Promise<void> {
  const connection = connectionOf(given.provider, name);
  let isKilled = false;
  const trap = once(name, given.step, given.moment, () => {
    isKilled = given.fault.kind === 'kill';
    return bringDown(given, host);
  });
  // What a host has sent right before it was killed would be forwarded, and its token saved, by chance.
  const host: StruckHost = await rig.startHost([connection], (passing, at) =>
    isKilled && at === 'before_forwarding' ? { kind: 'lose' } : trap.hook(passing, at),
  );
  const old = await nextToken(rig.servers, name);
  await provoke(host, name, trap);
  // Another instance goes on; after a kill the platform starts one.
  const other = given.fault.kind === 'strike' ? host : await rig.startHost([connection], NO_FAULTS);
  await expectOutcome(rig.servers, other, name, given.outcome, old);
  expect(rig.servers.authorization.concurrentRequests(name)).toBe(1);
  await Promise.all([host.kill(), other.kill()]);
}

async function bringDown({ fault, moment }: Case, host: StruckHost): Promise<Strike | undefined> {
  if (fault.kind === 'strike') return fault.strike;
  if (fault.kind === 'kill') await host.kill();
  else void stopFor(host.processId, fault.ms);
  // A request that waits in the proxy would be executed although its sender died before it was forwarded.
  return fault.kind === 'kill' && moment === 'before_forwarding' ? { kind: 'lose' } : undefined;
}

/** Waits for what a case expects; the test's timeout ends the waiting. */
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
  const dead = await statusWhere(host, name, ({ failure }) => failure?.code === 'reauthorization_required');
  expect(dead.failure?.message).toContain('response to an earlier token request was lost');
}

/** The stored refresh token still works: one more rotation succeeds, by whoever may do it. */
async function expectAlive(host: StruckHost, name: string): Promise<void> {
  const { generation } = await statusWhere(host, name, ({ state }) => state === 'fresh');
  await rotateSoon(host, name);
  expect((await statusOf(host, name)).generation).toBeGreaterThanOrEqual(generation ?? 0);
}

/** Resolves with the first access token that is new and works at the resource. */
export async function nextToken(servers: Servers, name: string, old?: string): Promise<string> {
  for (;;) {
    const token = await readAccessToken(name, servers);
    if (token !== undefined && token !== old && (await accepted(token, servers))) return token;
    await sleep(POLL_MS);
  }
}

/** Asks for a rotation until there is one: another one may run, or have been forced a moment ago. */
export async function rotateSoon(host: Pick<StruckHost, 'url'>, name: string): Promise<void> {
  for (;;) {
    const answer = await force(host, name);
    if (answer?.status === 200) return;
    expect([409, 429, 503, undefined]).toContain(answer?.status);
    await sleep(POLL_MS);
  }
}

/** Asks for a rotation now. @returns undefined where the host ended meanwhile */
export async function force({ url }: Pick<StruckHost, 'url'>, name: string): Promise<Response | undefined> {
  return fetch(`${url}/api/connections/${name}/rotate?force=true`, { method: 'POST' }).catch(() => undefined);
}

export async function statusOf({ url }: Pick<StruckHost, 'url'>, name: string): Promise<Status> {
  const answer = await fetch(`${url}/api/connections/${name}`);
  return (await answer.json()) as Status;
}

/** Waits until the status is as wanted. */
export async function statusWhere(
  host: Pick<StruckHost, 'url'>,
  name: string,
  isWanted: (status: Status) => boolean,
): Promise<Status> {
  for (;;) {
    const status = await statusOf(host, name);
    if (isWanted(status)) return status;
    await sleep(POLL_MS);
  }
}

/** Grants of this connection that the authorization server executed so far. */
export function requestsOf({ authorization }: Servers, { name }: Pick<LocalConnection, 'name'>): number {
  return authorization.tokenRequests.filter(
    ({ clientId, grantType, executed }) => clientId === name && grantType === 'refresh_token' && executed,
  ).length;
}
