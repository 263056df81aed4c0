import { signIn } from './authorizationServer/authorizationCode.ts';
import type { LocalClient } from './authorizationServer/server.ts';
import type { LocalConnection } from './connections.ts';
import type { DataDirectory } from './dataDirectory.ts';
import { OPERATOR, type Servers } from './servers.ts';

/** Any version that the local vault takes; the current one of the secrets data plane when this was written. */
export const API_VERSION = '2025-07-01';

/**
 * Does once what a person does for each connection: signs in by the authorization-code flow, and puts client id, client
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
  await data.write('seeded', 'The connections have their first refresh tokens.\n');
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

/** The request body that repairs a wrong client secret; a file, so that no secret stands on a screen. */
export function repairFile(name: string): string {
  return `${name}-client-secret.json`;
}

/** Writes a secret into the credential vault as a person would. */
export async function setSecret({ credentialVault }: Servers, name: string, value: string): Promise<void> {
  const answer = await fetch(`${credentialVault.url}/secrets/${name}?api-version=${API_VERSION}`, {
    method: 'PUT',
    headers: { authorization: `Bearer ${OPERATOR}`, 'content-type': 'application/json' },
    body: JSON.stringify({ value }),
  });
  if (!answer.ok) throw new Error(`The local vault refused the secret ${name} with status ${answer.status}.`);
}
