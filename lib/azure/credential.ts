import {
  AzureCliCredential,
  AzureDeveloperCliCredential,
  AzurePowerShellCredential,
  ChainedTokenCredential,
  EnvironmentCredential,
  ManagedIdentityCredential,
  type TokenCredential,
  VisualStudioCodeCredential,
} from '@azure/identity';

/** The identity endpoint is on the same host; retries must fit into the time limit of one storage request. */
const RETRIES = { maxRetries: 2, retryDelayInMs: 250 };

/** Who the rotator is. */
export interface CredentialOptions {
  /** Client id of a user-assigned managed identity; absent means the system-assigned one. */
  readonly managedIdentityClientId?: string | undefined;
  /** Is there a managed identity endpoint, as App Service and Functions announce by `IDENTITY_ENDPOINT`? */
  readonly inAzure: boolean;
}

/**
 * The credential for vaults and storage: in Azure the managed identity and nothing else; elsewhere a service principal
 * of the environment or whoever is signed in to one of the developer tools. Nothing is sent before the first token is
 * asked for.
 */
export function createCredential({ managedIdentityClientId, inAzure }: CredentialOptions): TokenCredential {
  if (inAzure) {
    const identity = managedIdentityClientId ? { clientId: managedIdentityClientId } : {};
    return new ManagedIdentityCredential({ ...identity, retryOptions: RETRIES });
  }
  return new ChainedTokenCredential(
    new EnvironmentCredential(),
    new AzureCliCredential(),
    new AzureDeveloperCliCredential(),
    new AzurePowerShellCredential(),
    new VisualStudioCodeCredential(),
  );
}
