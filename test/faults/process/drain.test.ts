import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, test } from 'vitest';
import { connectionOf, SAVE } from './cases.ts';
import type { FaultHook } from './faultProxy.ts';
import { DRAINS } from './outages.ts';
import { type Rig, type StruckHost, startRig } from './rig.ts';
import { expectOutcome, isOf, nextToken, once, provoke, requestsOf } from './stage.ts';

const TIMEOUT = 120_000;

let rig: Rig;
const connections = DRAINS.map((_, index) => connectionOf('strict', `drained-${index}`));
beforeAll(async () => {
  rig = await startRig(connections);
}, TIMEOUT);
afterAll(() => rig.close(), TIMEOUT);

/** Refuses the first `refused` saves after the signal. */
function refusing(
  hook: FaultHook,
  connection: string,
  refused: number,
  isSignaled: () => boolean,
): FaultHook {
  let left = refused;
  return (passing, moment) => {
    const isSave = isOf(passing, connection, SAVE.operation) && moment === 'before_forwarding';
    if (isSave && isSignaled() && left-- > 0) return { kind: 'answer', status: 503 };
    return hook(passing, moment);
  };
}

describe.concurrent('a process that gets the signal to end', () => {
  test.for(DRAINS.map((given, index) => ({ ...given, index })))(
    '$when',
    { timeout: TIMEOUT },
    async ({ step, moment, tokenRequests, refused, heldMs, index }, { expect }) => {
      const connection = connectionOf('strict', `drained-${index}`);
      const { name } = connection;
      let signaled = false;
      const trap = once(name, step, moment, async () => {
        signaled = true;
        process.kill(host.processId, 'SIGTERM');
        await sleep(heldMs);
        return undefined;
      });
      const host: StruckHost = await rig.startHost(
        [connection],
        refusing(trap.hook, name, refused, () => signaled),
      );
      const old = await nextToken(rig.servers, name);
      const before = requestsOf(rig.servers, connection);
      await provoke(host, name, trap);
      expect(await host.ended).toBe(0);
      expect(requestsOf(rig.servers, connection)).toBe(before + tokenRequests);
      const next = await rig.startHost([connection], () => undefined);
      await expectOutcome(rig.servers, next, name, 'fresh', old);
      await next.kill();
    },
  );
});
