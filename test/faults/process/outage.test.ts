import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, test } from 'vitest';
import { connectionOf, slice } from './cases.ts';
import type { FaultHook, Strike } from './faultProxy.ts';
import { OUTAGES } from './outages.ts';
import { type Rig, startRig } from './rig.ts';
import { expectOutcome, force, isOf, nextToken, requestsOf, rotateSoon } from './stage.ts';

const TIMEOUT = 300_000;
const cases = slice(OUTAGES, 5).map((given, index) => ({ ...given, index }));

let rig: Rig;
const struckOf = (index: number) => connectionOf('strict', `struck-${index}`);
const otherOf = (index: number) => connectionOf('strict', `other-${index}`);

beforeAll(async () => {
  rig = await startRig(cases.flatMap(({ index }) => [struckOf(index), otherOf(index)]));
}, TIMEOUT);
afterAll(() => rig.close(), TIMEOUT);

/** The vault refuses the writes of one connection from the first token request after `arm` on, for `ms` milliseconds. */
function outage(connection: string, strike: Strike, ms: number) {
  let armed = false;
  let endsAt: number | undefined;
  const began = Promise.withResolvers<void>();
  const hook: FaultHook = (passing, moment) => {
    if (armed && moment === 'after_execution' && isOf(passing, connection, 'grant')) {
      endsAt ??= Date.now() + ms;
      began.resolve();
    }
    const isWrite =
      isOf(passing, connection, 'put refresh-token') || isOf(passing, connection, 'tag refresh-token');
    const isOut = endsAt !== undefined && Date.now() < endsAt;
    return isWrite && isOut && moment === 'before_forwarding' ? strike : undefined;
  };
  const arm = () => {
    armed = true;
  };
  const isOver = () => Date.now() >= (endsAt ?? Number.POSITIVE_INFINITY);
  return { hook, arm, began: began.promise, isOver };
}

describe.concurrent('the vault refuses the refresh token of a new token response', () => {
  test.for(cases)('$name', { timeout: TIMEOUT }, async ({ strike, ms, index }, { expect }) => {
    const [connection, other] = [struckOf(index), otherOf(index)];
    const { hook, arm, began, isOver } = outage(connection.name, strike, ms);
    const host = await rig.startHost([connection, other], hook);
    const { servers } = rig;
    const old = await nextToken(servers, connection.name);
    const executed = requestsOf(servers, connection);
    arm();
    void force(host, connection.name);
    await began;
    const otherOld = await nextToken(servers, other.name);
    await rotateSoon(host, other.name);
    await nextToken(servers, other.name, otherOld);
    // On a busy machine, a short outage may already be over.
    if (ms >= 30_000) expect(isOver(), 'rotates the other connection during the outage').toBe(false);
    await sleep(ms - 2_000);
    expect(requestsOf(servers, connection), 'sends no further token request during the outage').toBe(
      executed + 1,
    );
    // No other process rotates this connection, so the same process saved the refresh token that it uses now.
    await expectOutcome(servers, host, connection.name, 'fresh', old);
    await host.kill();
  });
});
