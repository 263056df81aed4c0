import { callVault } from './callVault.ts';
import { CONSUMER, OPERATOR, type Servers } from './servers.ts';

/** Writes a secret into the credential vault as an operator does. */
export async function setSecret({ credentialVault }: Servers, name: string, value: string): Promise<void> {
  const response = await callVault(credentialVault, OPERATOR, 'PUT', name, { value });
  if (!response.ok)
    throw new Error(`The local vault refused the secret ${name} with status ${response.status}.`);
}

/** The published access token as a consumer reads it; undefined if there is none yet. */
export async function readAccessToken(
  connection: string,
  { tokenVault }: { readonly tokenVault: Pick<Servers['tokenVault'], 'url'> },
): Promise<string | undefined> {
  const response = await callVault(tokenVault, CONSUMER, 'GET', `${connection}-access-token`);
  if (!response.ok) return undefined;
  const { value } = (await response.json()) as { value: string };
  return value;
}

/** Whether the resource accepts the access token. */
export async function accepted(
  token: string,
  { authorization }: { readonly authorization: Pick<Servers['authorization'], 'resourceEndpoint'> },
): Promise<boolean> {
  const response = await fetch(authorization.resourceEndpoint, {
    headers: { authorization: `Bearer ${token}` },
  });
  await response.body?.cancel();
  return response.ok;
}
