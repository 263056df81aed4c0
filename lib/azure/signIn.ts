import type { Identity } from './credential.ts';
import { notSignedIn, unavailable } from './serviceErrors.ts';
import { readFailure } from './serviceFailure.ts';
import { WAYS } from './signInFailure.ts';

/**
 * Gets a token for the vaults and throws it away.
 * @returns the way in which it signed in, for people: "Azure CLI (az)"
 * @throws RotatorError `vault_forbidden`, or `vault_unavailable` if the sign-in service does not respond
 */
export async function signIn(credential: Identity, vaultUrl: string): Promise<string> {
  try {
    await credential.getToken(vaultScope(vaultUrl));
    return WAYS[credential.signedInBy ?? 'identity'];
  } catch (thrown) {
    const failure = readFailure(thrown);
    const vault = { service: 'vault', address: vaultUrl } as const;
    throw failure.signIn
      ? notSignedIn({ ...vault, what: 'use its secrets' }, failure.signIn)
      : unavailable({ ...vault, what: 'authenticate' }, failure);
  }
}

/** The scope of a token for the vaults of a cloud: `https://vault.azure.net/.default` in the public one. */
function vaultScope(vaultUrl: string): string {
  const domain = /\.(vault\..+)$/.exec(new URL(vaultUrl).hostname)?.[1] ?? 'vault.azure.net';
  return `https://${domain}/.default`;
}
