import { RotatorError } from '../errors.ts';
import {
  described,
  lookUp,
  notSignedIn,
  SAYS_CLOCK,
  SYNCHRONIZE_CLOCK,
  unavailable,
} from './serviceErrors.ts';
import { readFailure, type ServiceFailure } from './serviceFailure.ts';

/**
 * The error for anything that the Blob Storage client threw; it contains no part of the request or the response.
 * @param what the failed action, for the message: "read the record of crm-prod"
 * @param address of the account or container, without a query
 */
export function storageError(thrown: unknown, what: string, address: string): RotatorError {
  if (thrown instanceof RotatorError) return thrown;
  const failure = readFailure(thrown);
  const request = { service: 'storage', what, address } as const;
  if (failure.signIn) return notSignedIn(request, failure.signIn);
  if (failure.kind === 'silent') return unavailable(request, failure);
  const refusal = refusalFix(failure, textOf(thrown));
  if (refusal === undefined) return unavailable(request, failure, otherFix(failure));
  return new RotatorError({
    code: 'storage_forbidden',
    message: `${address} does not let the rotator ${what} (${described(failure)}).`,
    fix: refusal,
  });
}

/** What to do about a refusal; undefined for a failure that may pass. */
function refusalFix(failure: ServiceFailure, text: string): string | undefined {
  const { status, codes } = failure;
  if (/network security perimeter/i.test(text)) return PERIMETER;
  const byText = TEXTS.find(([code, words]) => codes.includes(code) && words.test(text));
  const known = byText?.[2] ?? codes.map((code) => FIXES.get(code)).find(Boolean);
  if (known !== undefined || (status !== 401 && status !== 403)) return known;
  return lookUp(failure, REFERENCE) ?? ROLE_OR_KEY;
}

/** What to do about a failure that does not refuse the rotator; undefined if waiting may be enough. */
function otherFix(failure: ServiceFailure): string | undefined {
  const { status, codes } = failure;
  const known = codes.map((code) => OTHER_FIXES.get(code)).find(Boolean);
  if (known !== undefined || codes.some((code) => PASSING.test(code))) return known;
  return RESPONSES_THAT_STAY.includes(status) ? lookUp(failure, REFERENCE) : undefined;
}

/** The next such request gets the same response. */
const RESPONSES_THAT_STAY: readonly number[] = [400, 404, 405, 409, 411, 413, 415, 416];
const REFERENCE = 'https://learn.microsoft.com/rest/api/storageservices/status-and-error-codes2';

/** The service's sentence, and its detail on a refused token, signature or key. */
function textOf(thrown: unknown): string {
  const { message, details } = thrown as { readonly message?: unknown; readonly details?: Details };
  return [message, details?.authenticationErrorDetail].map((each) => String(each ?? '')).join('\n');
}

interface Details {
  readonly authenticationErrorDetail?: unknown;
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
const ANOTHER_ACCOUNT =
  'Set AzureWebJobsStorage or AzureWebJobsStorage__accountName to another storage account: this one is being deleted. If that was a mistake, recover it in the Azure portal first.';
const ADDRESS = 'Correct the address of the blob service in AzureWebJobsStorage or the one in CONNECTIONS.';
const OTHER_BLOB =
  'Delete the blob that the message names: something replaced it by a blob of another type. The rotator creates its record again from the vault.';
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
  ['AccountBeingDeleted', ANOTHER_ACCOUNT],
  [
    'ContainerDisabled',
    'Enable the container that the message names again: an administrator has disabled it.',
  ],
  ['BlobImmutableDueToPolicy', IMMUTABLE],
  ['BlobImmutableDueToLegalHold', IMMUTABLE],
  [
    'BlobArchived',
    'Change the tier of the blobs in token-rotator-records back to hot, and exclude that container from the lifecycle management rules that archived them.',
  ],
]);

/** What a code means together with words of the text. */
const TEXTS: readonly (readonly [code: string, words: RegExp, fix: string])[] = [
  ['InvalidAuthenticationInfo', SAYS_CLOCK, SYNCHRONIZE_CLOCK],
  [
    'AuthenticationFailed',
    /signature not valid in the specified time frame|signed expiry/i,
    'Set AzureWebJobsStorage to a connection string with a new shared access signature: the time of this one is over, or has not begun. Or check the clock of this machine.',
  ],
  ['AuthenticationFailed', /request date header too old|lifetime validation/i, SYNCHRONIZE_CLOCK],
];

/** What to do about a failure that does not refuse the rotator, by the service's own code. */
const OTHER_FIXES: ReadonlyMap<string, string> = new Map([
  [
    'ContainerNotFound',
    'Check the address, and whether something deletes containers in the storage account. The rotator creates token-rotator-records itself; the deployment creates the container of the connections.',
  ],
  [
    'ContainerBeingDeleted',
    'Wait a few minutes, until Azure has deleted the container: only then it can be created again. Find out what deleted it.',
  ],
  ['BlobNotFound', 'Check whether something deletes blobs in the container that the message names.'],
  ['AccountBeingCreated', 'Wait until Azure has created the storage account.'],
  ['InvalidUri', ADDRESS],
  ['InvalidResourceName', ADDRESS],
  ['OutOfRangeInput', ADDRESS],
  ['ResourceNotFound', ADDRESS],
  ['InvalidBlobType', OTHER_BLOB],
  ['BlobOperationNotSupported', OTHER_BLOB],
]);
/** Another process was faster, or uses the blob: the next attempt sees what that one did. */
const PASSING = /^(?:Lease\w+|ConditionNotMet|BlobAlreadyExists|ContainerAlreadyExists|SystemInUse)$/;

const PERIMETER =
  'Allow the rotator in the network security perimeter of the storage account: with an inbound access rule for its subscription or its address.';
const ROLE_OR_KEY =
  "Grant the rotator's identity the role Storage Blob Data Owner on the account; with a connection string, check its key.";
