import { RotatorError } from '../errors.ts';
import { described, notSignedIn, unavailable } from './serviceErrors.ts';
import { readFailure, type ServiceFailure } from './serviceFailure.ts';

/**
 * The error for anything that the Blob Storage client threw; it contains no part of the request or the response.
 * @param what the failed action, for the message: "read the record of dynamics-prod"
 * @param address of the account or container, without a query
 */
export function storageError(thrown: unknown, what: string, address: string): RotatorError {
  if (thrown instanceof RotatorError) return thrown;
  const failure = readFailure(thrown);
  if (failure.kind === 'identity') return notSignedIn('storage', what, address, failure);
  const known = failure.codes.map((code) => FIXES.get(code)).find(Boolean);
  const isRefused = failure.status === 401 || failure.status === 403;
  if (known || isRefused) return forbidden(what, address, failure, known ?? ROLE_OR_KEY);
  return unavailable('storage', what, address, failure);
}

/** The storage service's own code for an error, such as `LeaseAlreadyPresent`; empty if it did not respond. */
export function storageCode(thrown: unknown): string {
  return readFailure(thrown).codes[0] ?? '';
}

/**
 * What to do, by the service's own code:
 * https://learn.microsoft.com/rest/api/storageservices/blob-service-error-codes and the common error codes.
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
  ['AccountIsDisabled', 'Enable the storage account, and its subscription.'],
  [
    'BlobImmutableDueToPolicy',
    'Remove the immutability policy from the container token-rotator-records: the rotator writes its records again and again.',
  ],
]);
const ROLE_OR_KEY =
  "Grant the rotator's identity the role Storage Blob Data Owner on the account; with a connection string, check its key.";

function forbidden(what: string, address: string, failure: ServiceFailure, fix: string): RotatorError {
  return new RotatorError({
    code: 'storage_forbidden',
    message: `${address} does not let the rotator ${what} (${described(failure)}).`,
    fix,
  });
}
