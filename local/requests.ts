import { callVault } from './callVault.ts';
import { CONSUMER, OPERATOR, type Servers } from './servers.ts';

/** Writes a secret into the credential vault as an operator does. */
export async function setSecret({ credentialVault }: Servers, name: string, value: string): Promise<void> {
  const answer = await callVault(credentialVault, OPERATOR, 'PUT', name, { value });
  if (!answer.ok) throw new Error(`The local vault refused the secret ${name} with status ${answer.status}.`);
}

/** The published access token as a consumer reads it; undefined where there is none yet. */
export async function readAccessToken(
  connection: string,
  { tokenVault }: { readonly tokenVault: Pick<Servers['tokenVault'], 'url'> },
): Promise<string | undefined> {
  const answer = await callVault(tokenVault, CONSUMER, 'GET', `${connection}-access-token`);
  if (!answer.ok) return undefined;
  const { value } = (await answer.json()) as { value: string };
  return value;
}

/** Does the resource take the access token? */
export async function accepted(
  token: string,
  { authorization }: { readonly authorization: Pick<Servers['authorization'], 'resourceEndpoint'> },
): Promise<boolean> {
  const answer = await fetch(authorization.resourceEndpoint, {
    headers: { authorization: `Bearer ${token}` },
  });
  await answer.body?.cancel();
  return answer.ok;
}
