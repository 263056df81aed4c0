import { callVault } from './callVault.ts';
import type { Bearers, Servers } from './servers.ts';

/** Writes a secret into the credential vault as an operator does. */
export async function setSecret(
  { credentialVault, bearers }: Servers,
  name: string,
  value: string,
): Promise<void> {
  const response = await callVault(credentialVault, bearers.operator, 'PUT', name, { value });
  if (!response.ok)
    throw new Error(`The local vault refused the secret ${name} with status ${response.status}.`);
}

/** What a consumer needs to read a token. */
export interface TokenPlace {
  readonly tokenVault: Pick<Servers['tokenVault'], 'url'>;
  readonly bearers: Pick<Bearers, 'consumer'>;
}

/** The published access token as a consumer reads it; undefined if there is none yet. */
export async function readAccessToken(
  connection: string,
  { tokenVault, bearers }: TokenPlace,
): Promise<string | undefined> {
  const response = await callVault(tokenVault, bearers.consumer, 'GET', `${connection}-access-token`);
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
