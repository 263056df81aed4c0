import type { TokenCredential } from '@azure/identity';
import { notSignedIn, unavailable } from './serviceErrors.ts';
import { readFailure } from './serviceFailure.ts';

/**
 * Gets a token for the vaults and throws it away.
 * @throws RotatorError `vault_forbidden`, or `vault_unavailable` if the sign-in service does not respond
 */
export async function signIn(credential: TokenCredential, vaultUrl: string): Promise<void> {
  try {
    await credential.getToken(vaultScope(vaultUrl));
  } catch (thrown) {
    const failure = readFailure(thrown);
    throw failure.kind === 'identity'
      ? notSignedIn('vault', 'use its secrets', vaultUrl)
      : unavailable('vault', 'authenticate', vaultUrl, failure);
  }
}

/** The scope of a token for the vaults of a cloud: `https://vault.azure.net/.default` in the public one. */
function vaultScope(vaultUrl: string): string {
  const domain = /\.(vault\..+)$/.exec(new URL(vaultUrl).hostname)?.[1] ?? 'vault.azure.net';
  return `https://${domain}/.default`;
}
