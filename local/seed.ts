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
  { name, wrongSecret }: LocalConnection,
  client: LocalClient,
  servers: Servers,
  data: DataDirectory,
): Promise<void> {
  const { refresh_token: refreshToken = '' } = await signIn(servers.authorization.issuer, client);
  const secret = wrongSecret ? await data.secret('wrong-client-secret') : client.clientSecret;
  await setSecret(servers, `${name}-client-id`, client.clientId);
  await setSecret(servers, `${name}-client-secret`, secret);
  await setSecret(servers, `${name}-refresh-token`, refreshToken);
  if (wrongSecret) await data.write(repairFile(name), JSON.stringify({ value: client.clientSecret }));
}

/** The request body that fixes a wrong client secret; a file, so that the secret does not appear on a screen. */
export function repairFile(name: string): string {
  return `${name}-client-secret.json`;
}
