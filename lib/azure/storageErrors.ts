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
  if (failure.kind === 'identity') return notSignedIn('storage', what, address);
  if (failure.status === 401 || failure.status === 403) return forbidden(what, address, failure);
  return unavailable('storage', what, address, failure);
}

/** The storage service's own code for an error, such as `LeaseAlreadyPresent`; empty if it did not respond. */
export function storageCode(thrown: unknown): string {
  return readFailure(thrown).codes[0] ?? '';
}

function forbidden(what: string, address: string, failure: ServiceFailure): RotatorError {
  const network = failure.codes.includes('AuthorizationFailure');
  return new RotatorError({
    code: 'storage_forbidden',
    message: `${address} does not let the rotator ${what} (${described(failure)}).`,
    fix: network
      ? "Allow the rotator through the storage account's firewall, and check that the account allows the authentication method that it uses."
      : "Grant the rotator's identity the role Storage Blob Data Owner on the account; with a connection string, check its key.",
  });
}
