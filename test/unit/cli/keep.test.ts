import { expect, test } from 'vitest';
import { keep } from '../../../cli/keep.ts';
import { createTerminal } from '../../../cli/terminal.ts';
import { firstRotation } from '../../../lib/authorization/firstRotation.ts';
import { readEnvironment } from '../../../lib/config/environment.ts';
import type { ErrorCode } from '../../../lib/errors.ts';
import { GOOD_ENV } from '../config/support.ts';
import { connectionNamed } from '../rotation/world/connection.ts';
import { failure } from '../rotation/world/fakeVault.ts';
import { World } from '../rotation/world.ts';

const connection = connectionNamed('crm', { clientId: undefined });

/** The lines that the command prints after it has stored the credentials and tried to rotate. */
async function printed(world: World): Promise<string[]> {
  const lines: string[] = [];
  const plain = createTerminal({ json: false, verbose: false });
  const terminal = {
    ...plain,
    result: (_document: object, shown: readonly string[]) => lines.push(...shown),
  };
  const cli = { options: {}, terminal, env: {}, interrupted: new AbortController().signal };
  const parts = { ports: world.process().ports, settings: readEnvironment(GOOD_ENV), stack: undefined };
  const beginning = {
    connection,
    entry: undefined,
    replace: false,
    clientId: 'crm-client',
    clientSecret: 'client-secret-one',
    refreshToken: world.provider.consent(),
  };
  await world.settle(keep(cli, parts, beginning));
  return lines;
}

/** A world whose token vault refuses to store the access token. */
function worldThatRefuses(code: ErrorCode): World {
  const world = new World();
  const refuse = () => Promise.reject(failure(code));
  world.before(/^put crm-access-token/, refuse, Number.POSITIVE_INFINITY);
  return world;
}

test('tells an operator without permission to publish that the deployed rotator publishes', async () => {
  expect((await printed(worldThatRefuses('vault_forbidden'))).at(-1)).toMatch(
    /credentials are stored.*deployed rotator/,
  );
});

test('prints any other failure without a hint about the deployed rotator', async () => {
  const text = (await printed(worldThatRefuses('vault_unavailable'))).join(' ');
  expect(text).toContain('vault_unavailable: ');
  expect(text).not.toContain('deployed');
});

test('says what it stored if the first rotation fails', async () => {
  const text = (await printed(worldThatRefuses('vault_unavailable'))).join('\n');
  expect(text).toContain(
    `Stored in ${connection.vaults.credential}: crm-client-id, crm-client-secret, crm-refresh-token.`,
  );
});

test('says that the running rotator was faster', async () => {
  const world = new World();
  const running = world.process();
  world.after('release crm', () => firstRotation(connection, running.ports).then(() => undefined));
  expect(await printed(world)).toEqual(['crm was rotated by the running rotator.']);
});
