import { RotatorError } from '../errors.ts';
import { described, notSignedIn, unavailable } from './serviceErrors.ts';
import { readFailure, type ServiceFailure } from './serviceFailure.ts';

/**
 * The error for anything that the Blob Storage client threw; it contains no part of the request or the response.
 * @param what the failed action, for the message: "read the record of crm-prod"
 * @param address of the account or container, without a query
 */
export function storageError(thrown: unknown, what: string, address: string): RotatorError {
  if (thrown instanceof RotatorError) return thrown;
  const failure = readFailure(thrown);
  if (failure.signIn) return notSignedIn('storage', what, address, failure.signIn);
  const text = thrown instanceof Error ? thrown.message : '';
  const isPerimeter = failure.kind === 'answer' && /network security perimeter/i.test(text);
  const known = isPerimeter ? PERIMETER : failure.codes.map((code) => FIXES.get(code)).find(Boolean);
  const isRefused = failure.status === 401 || failure.status === 403;
  if (known || isRefused) return forbidden(what, address, failure, known ?? ROLE_OR_KEY);
  return unavailable('storage', what, address, failure);
}

/** The storage service's own code for an error, such as `LeaseAlreadyPresent`; empty if it did not respond. */
export function storageCode(thrown: unknown): string {
  return readFailure(thrown).codes[0] ?? '';
}

/** A connection string may hold a shared access signature instead of a key. */
const SIGNATURE =
  "Set AzureWebJobsStorage to a connection string whose shared access signature allows this address, HTTPS, the blob service and all its objects. Or set AzureWebJobsStorage__accountName, so that the rotator uses the app's identity.";
const ENCRYPTION_KEY =
  "Restore the storage account's access to its encryption key: the customer-managed key or its vault is missing or disabled, or the account's identity has no rights on it.";
const DISABLED_ACCOUNT =
  'Enable the storage account and its subscription again in the Azure portal: a subscription is disabled, for example, because a bill or a spending limit is open.';
const IMMUTABLE =
  'Remove the immutability policy or the legal hold from the container token-rotator-records: the rotator writes its records again and again.';

/**
 * What to do, by the service's own code:
 * https://learn.microsoft.com/rest/api/storageservices/blob-service-error-codes, the common error codes and those of shared access
 * signatures.
 */
const FIXES: ReadonlyMap<string, string> = new Map([
  [
    'KeyBasedAuthenticationNotPermitted',
    "Set AzureWebJobsStorage__accountName instead of AzureWebJobsStorage, so that the rotator uses the app's identity: the account allows no keys. Or allow keys on the account.",
  ],
  [
    'AuthorizationFailure',
    "Allow the rotator through the storage account's firewall: with virtual network integration and a private endpoint, or with an IP rule.",
  ],
  [
    'AuthorizationPermissionMismatch',
    "Grant the rotator's identity the role Storage Blob Data Owner on the account.",
  ],
  [
    'AuthenticationFailed',
    'Copy the connection string of the account to AzureWebJobsStorage again: its key is wrong or was renewed. Or check the clock of this machine.',
  ],
  [
    'InvalidAuthenticationInfo',
    'Sign in to the tenant of the storage account: it does not accept tokens of another tenant or cloud.',
  ],
  [
    'NoAuthenticationInformation',
    'Check whether a proxy between the rotator and the storage account removes the header Authorization.',
  ],
  ['AuthorizationSourceIPMismatch', SIGNATURE],
  ['AuthorizationProtocolMismatch', SIGNATURE],
  ['AuthorizationServiceMismatch', SIGNATURE],
  ['AuthorizationResourceTypeMismatch', SIGNATURE],
  ['UnauthorizedBlobOverwrite', SIGNATURE],
  [
    'AccountRequiresHttps',
    'Set DefaultEndpointsProtocol=https in AzureWebJobsStorage: the account allows only HTTPS.',
  ],
  [
    'TlsVersionNotPermitted',
    'Set the minimum TLS version of the storage account to 1.2, or let this machine use a newer version: a proxy in between may use an old one.',
  ],
  ['KeyVaultEncryptionKeyNotFound', ENCRYPTION_KEY],
  ['KeyVaultAccessTokenCannotBeAcquired', ENCRYPTION_KEY],
  ['KeyVaultVaultNotFound', ENCRYPTION_KEY],
  ['AccountIsDisabled', DISABLED_ACCOUNT],
  ['DisabledSubscription', DISABLED_ACCOUNT],
  ['ReadOnlyDisabledSubscription', DISABLED_ACCOUNT],
  [
    'InsufficientAccountPermissions',
    'Check the state of the storage account and its subscription in the Azure portal: the account takes no reads or no writes now. Name the primary endpoint in AzureWebJobsStorage if it names the secondary one, which is read-only.',
  ],
  ['BlobImmutableDueToPolicy', IMMUTABLE],
  ['BlobImmutableDueToLegalHold', IMMUTABLE],
  [
    'BlobArchived',
    'Change the tier of the blobs in token-rotator-records back to hot, and exclude that container from the lifecycle management rules that archived them.',
  ],
]);
const PERIMETER =
  'Allow the rotator in the network security perimeter of the storage account: with an inbound access rule for its subscription or its address.';
const ROLE_OR_KEY =
  "Grant the rotator's identity the role Storage Blob Data Owner on the account; with a connection string, check its key.";

function forbidden(what: string, address: string, failure: ServiceFailure, fix: string): RotatorError {
  return new RotatorError({
    code: 'storage_forbidden',
    message: `${address} does not let the rotator ${what} (${described(failure)}).`,
    fix,
  });
}
