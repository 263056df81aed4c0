import { signIn } from './authorizationServer/authorizationCode.ts';
import type { LocalClient } from './authorizationServer/server.ts';
import type { LocalConnection } from './connections.ts';
import type { DataDirectory } from './dataDirectory.ts';
import { setSecret } from './requests.ts';
import type { Servers } from './servers.ts';

/**
 * Does once what an operator does for each connection: signs in with the authorization code flow, and writes client id, client
 * secret and the first refresh token into the credential vault.
 */
export async function seedConnections(
  connections: readonly LocalConnection[],
  servers: Servers,
  data: DataDirectory,
): Promise<void> {
  if (!data.fresh) return;
  for (const connection of connections) {
    const client = servers.clients.find(({ clientId }) => clientId === connection.name);
    if (client) await seed(connection, client, servers, data);
  }
  await data.write('seeded', 'All connections have their first refresh tokens.\n');
}

async function seed(
  { name, wrongSecret, clientKey, grant }: LocalConnection,
  client: LocalClient,
  servers: Servers,
  data: DataDirectory,
): Promise<void> {
  const secret = wrongSecret ? await data.secret('wrong-client-secret') : client.clientSecret;
  await setSecret(servers, `${name}-client-id`, client.clientId);
  if (client.clientSecret !== '') await setSecret(servers, `${name}-client-secret`, secret);
  const key = servers.clientKeys.get(name);
  if (key && clientKey === 'secret') await setSecret(servers, `${name}-client-key`, key.pem);
  if (key && clientKey !== 'secret') servers.credentialVault.importKey(`${name}-client-key`, key);
  if (grant !== 'client_credentials')
    await setSecret(servers, `${name}-refresh-token`, await firstRefreshToken(client, servers));
  if (wrongSecret) await data.write(repairFile(name), JSON.stringify({ value: client.clientSecret }));
}

/** A browser and a web application sign in, if the application proves its identity with a client secret in a usual way. */
async function firstRefreshToken(client: LocalClient, { authorization }: Servers): Promise<string> {
  const { clientAuthentication, clientSecret, clientId } = client;
  const isUsual =
    clientAuthentication === 'client_secret_basic' || clientAuthentication === 'client_secret_post';
  if (!isUsual || clientSecret === '') return authorization.seedRefreshToken(clientId);
  return (await signIn(authorization.issuer, client)).refresh_token ?? '';
}

/** The request body that fixes a wrong client secret; a file, so that the secret does not appear on a screen. */
export function repairFile(name: string): string {
  return `${name}-client-secret.json`;
}
