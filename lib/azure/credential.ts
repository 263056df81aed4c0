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

/** The identity of the rotator. */
export interface CredentialOptions {
  /** Client id of a user-assigned managed identity; if missing, the system-assigned one is used. */
  readonly managedIdentityClientId?: string | undefined;
  /** Is there a managed identity endpoint, which App Service and Functions announce in `IDENTITY_ENDPOINT`? */
  readonly inAzure: boolean;
}

/**
 * The credential for vaults and storage: in Azure the managed identity and nothing else; elsewhere a service principal
 * from the environment, or the user who is signed in to one of the developer tools. Nothing is sent before the first
 * call of `getToken`.
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
