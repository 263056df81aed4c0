import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { LocalConnection } from '../../../local/connections.ts';
import type { FaultDecision, VaultOperation } from '../../../local/keyVault/types.ts';
import { type Stack, startStack } from '../../../local/stack.ts';
import { force, nextToken, statusOf, statusWhere } from '../../faults/process/stage.ts';
import { localConnection } from '../../support/localConnection.ts';

const POST = { clientAuthentication: 'client_secret_post' } as const;
const STRICT = localConnection('strict');
const GRACE = localConnection('grace', { rotation: 'grace', graceSeconds: 60, ...POST });
const REUSABLE = localConnection('reusable', { rotation: 'none', ...POST });
/** The lease of the killed process must expire before another process takes over. */
/** Another process waits for 62 s after the announcement, and then looks for 12 s whether the sender saves what it got. */
const TAKEOVER_TIMEOUT = 150_000;

/** Each has its own stack: most of the time, they wait for a lease to expire. */
describe.concurrent('SIGKILL of the function host', () => {
  /**
   * Starts a stack with one connection, lets `arrange` kill the host during the next rotation, restarts the host and waits
   * for a new token that works.
   */
  async function surviveKill(
    connection: LocalConnection,
    arrange: (stack: Stack, kill: () => Promise<void>) => void,
  ) {
    const stack = await startStack({
      port: 0,
      onLine: () => {},
      connections: [connection],
      schedule: '* * * * * *',
    });
    try {
      const old = await nextToken(stack.servers, connection.name);
      const killed = Promise.withResolvers<void>();
      let kills = 0;
      arrange(stack, async () => {
        if (kills++ > 0) return;
        await stack.host.kill();
        killed.resolve();
      });
      await force(stack.host, connection.name);
      await killed.promise;
      await stack.restartHost();
      await nextToken(stack.servers, connection.name, old);
      return await statusWhere(stack.host, connection.name, ({ state }) => state === 'fresh');
    } finally {
      await stack.close();
    }
  }

  /** Kills the host at the first such operation in the vault. */
  function atVault(
    vault: 'credentialVault' | 'tokenVault',
    operation: VaultOperation,
    decision: FaultDecision,
  ) {
    return ({ servers }: Stack, kill: () => Promise<void>) => {
      let first = true;
      servers[vault].intercept(async (request) => {
        if (!first || request.operation !== operation) return undefined;
        first = false;
        await kill();
        return decision;
      });
    };
  }

  /** Kills the host when the provider has executed the token request. */
  function duringRequest({ servers }: Stack, kill: () => Promise<void>) {
    const alter = async <Response>(response: Response) => {
      await kill();
      return response;
    };
    servers.authorization.intercept(() => ({ action: 'execute_then_alter', alter }));
  }

  test.for([
    [
      'when the refresh token has just been written: the next process finds it',
      STRICT,
      atVault('credentialVault', 'setSecret', { kind: 'executeThenDestroy' }),
    ],
    [
      'before the token request is announced in the vault: no token was used',
      STRICT,
      atVault('credentialVault', 'updateSecret', { kind: 'destroyBefore' }),
    ],
    [
      'before the access token is published: the next process obtains another one',
      STRICT,
      atVault('tokenVault', 'setSecret', { kind: 'destroyBefore' }),
    ],
    [
      'when the provider has executed the token request in a grace period: the rotator repeats it',
      GRACE,
      duringRequest,
    ],
    [
      'when the provider has executed the request with a reusable token: the rotator repeats it',
      REUSABLE,
      duringRequest,
    ],
  ] as const)('%s', { timeout: TAKEOVER_TIMEOUT }, async ([, connection, arrange], { expect }) => {
    expect(await surviveKill(connection, arrange)).toMatchObject({ state: 'fresh' });
  });
});

test(
  'the stack continues after a stop and a start with the same data',
  async () => {
    const dataDirectory = await mkdtemp(join(tmpdir(), 'rotator-test-'));
    // Tokens that are not due again before the end of the test, and a schedule that never runs in it.
    const lasting = { port: 0, onLine: () => {}, accessTokenSeconds: 3600, schedule: '0 0 0 1 1 *' };
    const options = { ...lasting, connections: [STRICT, REUSABLE], dataDirectory };
    const first = await startStack({ ...options, sweepImmediately: true });
    const before = await statusWhere(first.host, STRICT.name, ({ state }) => state === 'fresh');
    await first.close();
    const file = join(dataDirectory, 'connections.json');
    const { connections } = JSON.parse(await readFile(file, 'utf8'));
    await writeFile(file, JSON.stringify({ connections: { ...connections, added: connections.strict } }));
    const second = await startStack(options);
    expect(await statusOf(second.host, 'added')).toMatchObject({ name: 'added' });
    expect(await statusOf(second.host, STRICT.name)).toMatchObject({ generation: before.generation });
    expect((await force(second.host, STRICT.name))?.status).toBe(200);
    expect(await statusOf(second.host, STRICT.name)).toMatchObject({
      state: 'fresh',
      generation: Number(before.generation) + 1,
    });
    await second.close();
    await rm(dataDirectory, { recursive: true });
  },
  TAKEOVER_TIMEOUT,
);
