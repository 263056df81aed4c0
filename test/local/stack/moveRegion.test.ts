import { readFile, writeFile } from 'node:fs/promises';
import { afterAll, expect, test } from 'vitest';
import { callVault } from '../../../local/callVault.ts';
import { type LocalConnection, revocationOf } from '../../../local/connections.ts';
import { openDataDirectory } from '../../../local/dataDirectory.ts';
import { environmentOf } from '../../../local/environment.ts';
import { startHostProcess } from '../../../local/hostProcess.ts';
import { accepted, readAccessToken, setSecret } from '../../../local/requests.ts';
import { seedConnections } from '../../../local/seed.ts';
import { type Servers, startServers } from '../../../local/servers.ts';
import { localConnection } from '../../support/localConnection.ts';
import { until } from '../../support/until.ts';

// The runbook of docs/deploy.md, "To another region": two pairs of vaults, two storage accounts, two rotators, and one provider.

const NAME = 'crm';
const byKey = { clientAuthentication: 'private_key_jwt', clientKey: 'secret' } as const;
const closing: (() => Promise<void>)[] = [];

afterAll(async () => {
  for (const close of closing.reverse()) await close();
});

/** The vaults, the storage account and the settings of a region whose connection uses the token endpoint of `provider`. */
async function startRegion(connection: LocalConnection, provider?: Servers) {
  const connections = [connection];
  const data = await openDataDirectory(undefined);
  closing.push(() => data.close());
  const servers = await startServers(connections, data, false);
  closing.push(() => servers.close());
  if (!provider) await seedConnections(connections, servers, data);
  const environment = await environmentOf(servers, data, connections);
  const file = environment.CONNECTIONS ?? '';
  const changeEntry = async (change: object) => {
    const { connections: entries } = JSON.parse(await readFile(file, 'utf8'));
    await writeFile(file, JSON.stringify({ connections: { [NAME]: { ...entries[NAME], ...change } } }));
  };
  const tokenUri = provider?.authorization.tokenEndpoint;
  if (tokenUri) await changeEntry({ tokenUri, revocationUri: revocationOf(tokenUri) });
  const startRotator = async () => {
    const host = await startHostProcess(environment, 0, () => {});
    closing.push(() => host.stop());
    const status = async () => (await fetch(`${host.url}/api/connections/${NAME}`)).json();
    const rotate = async () => {
      const address = `${host.url}/api/connections/${NAME}/rotate?force=true`;
      return (await fetch(address, { method: 'POST' })).json();
    };
    return { status, rotate, stop: () => host.stop() };
  };
  return { servers, changeEntry, startRotator };
}

/** What an operator does with `az keyvault secret`: the answer of the credential vault. */
async function asOperator(
  { credentialVault, bearers }: Servers,
  method: string,
  path: string,
  body?: object,
): Promise<{ id?: string; value: string }> {
  const response = await callVault(credentialVault, bearers.operator, method, path, body);
  return (await response.json()) as { id?: string; value: string };
}

test.each([
  ['a client secret', localConnection(NAME)],
  ['a private key', localConnection(NAME, byKey)],
])(
  'a move with %s to another region keeps the token family, and the old region cannot end it when it returns',
  async (_, connection) => {
    const old = await startRegion(connection);
    const next = await startRegion(connection, old.servers);
    const oldRotator = await old.startRotator();
    await until(oldRotator.rotate, { result: 'rotated' });
    expect(await oldRotator.status()).toMatchObject({ state: 'fresh' });

    const rotator = await next.startRotator();
    await until(rotator.rotate, { code: 'secret_missing' });

    await old.changeEntry({ enabled: false });
    await until(oldRotator.status, { state: 'paused' });
    await oldRotator.stop();

    let refreshToken = '';
    for (const secret of ['client-id', 'client-secret', 'client-key', 'refresh-token']) {
      const { value, id } = await asOperator(old.servers, 'GET', `${NAME}-${secret}`);
      if (id === undefined) continue;
      await setSecret(next.servers, `${NAME}-${secret}`, value);
      if (secret === 'refresh-token') refreshToken = id.split('/').slice(-2).join('/');
    }
    await asOperator(old.servers, 'PATCH', refreshToken, { attributes: { enabled: false } });

    await until(rotator.rotate, { result: 'rotated' });
    const isAccepted = async () => accepted((await readAccessToken(NAME, next.servers)) ?? '', old.servers);
    expect(await isAccepted()).toBe(true);

    // The old region returns, and its rotator runs again.
    await old.changeEntry({ enabled: true });
    const returned = await old.startRotator();
    await until(returned.status, { reason: 'secret_disabled' });
    await until(rotator.rotate, { result: 'rotated' });
    expect(await isAccepted()).toBe(true);
  },
);
