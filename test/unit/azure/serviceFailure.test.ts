import { describe, expect, it } from 'vitest';
import { vaultError } from '../../../lib/azure/keyVaultErrors.ts';
import { readFailure } from '../../../lib/azure/serviceFailure.ts';
import { storageError } from '../../../lib/azure/storageErrors.ts';
import { RotatorError } from '../../../lib/errors.ts';

const CALL = { action: 'get', secret: 'token', vaultUrl: 'https://v.vault.azure.net' } as const;

describe('a thrown value', () => {
  it.each([undefined, null, 'text', 7, new Error('x'), {}])('means no response if it is %s', (thrown) => {
    expect(readFailure(thrown)).toEqual({ kind: 'silent', status: 0, codes: [], retryAfterMs: undefined });
    expect(vaultError(thrown, CALL).code).toBe('vault_unavailable');
    expect(storageError(thrown, 'list', 'here').code).toBe('storage_unavailable');
  });

  it('contributes only codes that look like codes', () => {
    const error = {
      code: 'Bearer eyJ0',
      innerError: { code: 'ForbiddenByRbac', innerError: { code: 'x'.repeat(65) } },
    };
    const thrown = { code: 'E_CODE', details: { error }, response: { status: 403, headers: new Map() } };
    expect(readFailure(thrown).codes).toEqual(['E_CODE', 'ForbiddenByRbac']);
  });

  it('counts with the response that was seen if the error has none', () => {
    const seen = { status: 403, headers: { get: () => undefined } };
    expect(readFailure(new TypeError('x'), seen)).toMatchObject({ kind: 'answer', status: 403 });
  });

  it('stays unchanged if it is a RotatorError', () => {
    const ours = new RotatorError({ code: 'vault_rejected', message: 'm', fix: 'f' });
    expect(vaultError(ours, CALL)).toBe(ours);
    expect(storageError(ours, 'list', 'here')).toBe(ours);
  });
});

describe('a refusal by the vault', () => {
  const refusal = (status: number, inner?: string, action: 'get' | 'set' = 'set') => {
    const error = { code: 'Forbidden', innerError: inner === undefined ? undefined : { code: inner } };
    const thrown = { code: 'Forbidden', details: { error }, response: { status, headers: new Map() } };
    return vaultError(thrown, { ...CALL, action });
  };

  it.each([
    [403, 'AccessDenied', 'the secret permission Set in the access policies', 'Grant'],
    [403, 'ForbiddenByRbac', 'the data action secrets/setSecret', 'Azure Policy'],
    [403, undefined, 'rules that require expiration dates or content types', 'access policies'],
    [403, 'ForbiddenByFirewall', 'through the firewall of https://v.vault.azure.net', 'role'],
    [403, 'ForbiddenByConnection', 'through the firewall of https://v.vault.azure.net', 'role'],
    [401, undefined, 'Sign in to the tenant of https://v.vault.azure.net', 'role'],
  ] as const)('with %i and %s gets a fix of its own', (status, inner, words, other) => {
    const { code, fix } = refusal(status, inner);
    expect(code).toBe('vault_forbidden');
    expect(fix).toContain(words);
    expect(fix).not.toContain(other);
  });

  it('to read is not blamed on rules for writes', () => {
    expect(refusal(403, undefined, 'get').fix).not.toContain('Azure Policy');
  });
});

/** What the Key Vault client throws for a response, with the service's text. */
function refusedWith(
  status: number,
  message: string,
  inner?: string,
  action: 'get' | 'set' | 'sign' = 'set',
) {
  const error = { code: 'Forbidden', ...(inner !== undefined && { innerError: { code: inner } }) };
  const answer = { status, headers: { get: () => undefined } };
  const thrown = Object.assign(new Error(message), { details: { error }, response: answer });
  const properties = { tags: {}, contentType: 'text/plain' };
  return vaultError(thrown, { ...CALL, action, ...(action === 'set' && { properties }) });
}

/** The text of a vault that uses roles. */
const ROLES = (denyAssignment: string) =>
  [
    'Caller is not authorized to perform action on resource.',
    'If role assignments, deny assignments or role definitions were changed recently, please observe propagation time.',
    "Resource: '/subscriptions/x/resourcegroups/rg-disabled/providers/microsoft.keyvault/vaults/kv-failover'",
    'Assignment: (not found)',
    `DenyAssignmentId: ${denyAssignment}`,
    'DecisionReason: null',
    'Vault: kv-failover;location=westeurope',
  ].join('\r\n');

describe('a refusal by the vault that no role cures', () => {
  it.each([
    [
      'a disabled subscription',
      "The subscription 'x' of the vault is disabled.",
      undefined,
      'Enable the subscription of https://v.vault.azure.net',
    ],
    [
      'a firewall that allows addresses',
      "Client address is not authorized and caller isn't a trusted service.",
      undefined,
      'or with an IP rule',
    ],
    [
      'a firewall that allows no address',
      'Public network access is disabled and request is not from a trusted service nor via an approved private link.',
      'ForbiddenByConnection',
      'an IP rule has no effect',
    ],
    [
      'a perimeter',
      'Access is denied by the Network Security Perimeter.',
      undefined,
      'network security perimeter of https://v.vault.azure.net',
    ],
    [
      'access policies',
      "The user, group or application 'x' does not have secrets set permission on key vault 'v'.",
      'ForbiddenByPolicy',
      'the secret permission Set in the access policies',
    ],
    [
      'an access policy for users of an application',
      "The policy requires the caller 'x' to use on-behalf-of (OBO) flow.",
      'ForbiddenByPolicy',
      'an access policy of its own',
    ],
  ])('is told apart: %s', (_, text, inner, words) => {
    const { code, fix, message } = refusedWith(403, text, inner);
    expect(code).toBe('vault_forbidden');
    expect(fix).toContain(words);
    expect(`${message} ${fix}`).not.toContain(text);
  });

  it.each([
    ['ForbiddenByRbac', ROLES('6c3f7a52-1c1f-4e6e-9f0b-2f3a4b5c6d7e'), 'the deny assignment on'],
    ['ForbiddenByRbac', ROLES("'/subscriptions/x/denyAssignments/y'"), 'the deny assignment on'],
    ['ForbiddenByRbac', ROLES('null'), 'Grant'],
    ['ForbiddenByRbac', ROLES(''), 'Grant'],
    ['ForbiddenByRbac', ROLES('00000000-0000-0000-0000-000000000000'), 'Grant'],
    ['NewCode', ROLES('null'), 'Grant'],
    ['ForbiddenByRbac', 'The vault is in read-only mode.', 'Grant'],
    ['AccessDenied', 'Access denied in kv-failover.', 'in the access policies'],
    [
      undefined,
      "It does not have secrets get permission on key vault 'kv-failover'.",
      'in the access policies',
    ],
    ['VaultDisabled', 'x', 'Look at the state of https://v.vault.azure.net'],
    [undefined, "The vault 'kv1' is disabled.", 'Look at the state of https://v.vault.azure.net'],
    [undefined, 'Soft delete of the vault is not on, so this is disabled.', 'Grant'],
    [undefined, 'Not allowed: the secret is associated with a certificate.', 'Name another secret'],
    ['NewCode', 'Not allowed in kv-failover.', 'Look up NewCode at https://learn.microsoft.com/'],
    ['NewCode', 'Not allowed in failover-kv.', 'Look up NewCode at https://learn.microsoft.com/'],
    ['NewCode', 'x', 'Look up NewCode at https://learn.microsoft.com/'],
    [undefined, 'x', 'Grant'],
  ] as const)('with 403 and %s gets the fix for its text: %s', (inner, text, words) => {
    const { code, fix, message } = refusedWith(403, text, inner, 'get');
    expect(code).toBe('vault_forbidden');
    expect(fix).toContain(words);
    if (words !== 'Grant') expect(fix).not.toContain('Grant');
    if (inner !== undefined) expect(message).toContain(inner);
  });

  it.each([
    ['VaultReadOnly', 'x'],
    ['VaultFailedOver', 'x'],
    [undefined, 'The vault is in read-only mode.'],
    [undefined, 'The vault is read-only while it is failed over.'],
    ['NewCode', 'Writes are refused during a failover.'],
  ] as const)('that ends with a failover is waited for: %s, %s', (inner, text) => {
    const { code, fix } = refusedWith(403, text, inner);
    expect(code).toBe('vault_unavailable');
    expect(fix).toContain('until then, the vault is read-only');
  });

  it.each([
    ['KeyOperationForbidden', 'x', 'Add the operation sign'],
    [undefined, 'Operation sign is not permitted on this key.', 'Add the operation sign'],
    ['KeyNotYetValid', 'x', 'Set an earlier activation date'],
    ['KeyExpired', 'x', 'Create a new version of token'],
    [undefined, 'Operation sign is not allowed on an expired key.', 'Create a new version of token'],
  ] as const)('because of the key itself names the key: %s, %s', (inner, text, words) => {
    const { code, fix } = refusedWith(403, text, inner, 'sign');
    expect(code).toBe('key_unusable');
    expect(fix).toContain(words);
    expect(fix).not.toContain('Grant');
  });

  it.each([
    ['ForbiddenByRbac', 'x', 'keys/sign/action'],
    [undefined, 'x', 'keys/sign/action'],
    ['KeyNewCode', 'x', 'Look up KeyNewCode'],
  ] as const)('to sign is not blamed on the key for %s, %s', (inner, text, words) => {
    const { code, fix } = refusedWith(403, text, inner, 'sign');
    expect(code).toBe('vault_forbidden');
    expect(fix).toContain(words);
  });

  it.each([
    [400, 'NewCode', 'Look up NewCode'],
    [404, 'SecretNotFound', 'something may have deleted it'],
  ] as const)('with %i is looked up, unless something is missing: %s', (status, inner, words) => {
    const { code, fix } = refusedWith(status, 'x', inner);
    expect(code).toBe('vault_rejected');
    expect(fix).toContain(words);
  });

  it.each([
    ['AKV10022: Invalid audience.', 'an identity of the same Azure cloud'],
    [
      'AKV10046: Unable to resolve the key used for validation.',
      'Move https://v.vault.azure.net to the tenant',
    ],
    ['IDX10222: Lifetime validation failed. The token is not yet valid.', 'Synchronize the clock'],
    ['AKV10032: Invalid issuer.', 'Sign in to the tenant of https://v.vault.azure.net'],
    ['no number', 'Sign in to the tenant of https://v.vault.azure.net'],
    ['AKV10000: Request is missing a Bearer or PoP token.', 'removes the header Authorization'],
    ['AKV12345: news.', 'Look up AKV12345 at https://learn.microsoft.com/'],
  ])('with 401 and %s gets a fix of its own', (text, words) => {
    expect(refusedWith(401, text).fix).toContain(words);
  });
});

describe('a refusal by Azure Policy', () => {
  it.each([
    [
      'has its inner code',
      'Forbidden.',
      'ForbiddenByPolicy',
      'Key Vault secrets should have an expiration date',
    ],
    [
      'names a built-in policy by its id',
      'Denied: /policyDefinitions/75262d3e-ba4a-4f43-85f8-9f72c090e5e3',
      undefined,
      'Secrets should have content type set',
    ],
    [
      "names the organization's own assignment",
      `disallowed by policy. Policy identifiers: '[{"policyAssignment":{"name":"Secrets of CRM"}}]'`,
      undefined,
      'Secrets of CRM',
    ],
  ])('is named as such if it %s', (_, text, inner, name) => {
    const { code, fix } = refusedWith(403, text, inner);
    expect(code).toBe('vault_policy');
    expect(fix).toContain(`"${name}"`);
    expect(fix).not.toContain('role');
  });

  it('shows nothing of an assignment whose name is not a plain name', () => {
    const { fix } = refusedWith(403, `by policy: [{"policyAssignment":{"name":"\u001b[31m<script>"}}]`);
    expect(fix).not.toContain('script');
  });

  it('is never suspected if the request reads', () => {
    expect(refusedWith(403, 'x', 'ForbiddenByPolicy', 'get').code).toBe('vault_forbidden');
  });
});

/** What the Blob Storage client throws for a response. */
function storageRefusal(status: number, code: string | undefined, detail?: string) {
  const details = { ...(detail !== undefined && { authenticationErrorDetail: detail }) };
  const thrown = {
    code,
    message: 'canary',
    details,
    response: { status, headers: { get: () => undefined } },
  };
  return storageError(thrown, 'list the records', 'https://a.blob.core.windows.net');
}

describe('a refusal by the storage account', () => {
  it.each([
    [403, 'KeyBasedAuthenticationNotPermitted', 'Set AzureWebJobsStorage__accountName instead'],
    [403, 'AuthorizationFailure', "the storage account's firewall"],
    [403, 'AuthorizationPermissionMismatch', 'the role Storage Blob Data Owner'],
    [403, 'AuthenticationFailed', 'Copy the connection string of the account'],
    [401, 'InvalidAuthenticationInfo', 'Sign in to the tenant of the storage account'],
    [403, 'AccountIsDisabled', 'Enable the storage account'],
    [409, 'AccountBeingDeleted', 'this one is being deleted'],
    [409, 'ContainerDisabled', 'Enable the container'],
    [409, 'BlobImmutableDueToPolicy', 'Remove the immutability policy'],
    [403, 'InsufficientAccountPermissions', 'Check the state of the storage account and its subscription'],
    [403, 'ReadOnlyDisabledSubscription', 'its subscription again'],
    [403, 'KeyVaultEncryptionKeyNotFound', 'access to its encryption key'],
    [403, 'AuthorizationSourceIPMismatch', 'whose shared access signature allows this address'],
    [400, 'AccountRequiresHttps', 'DefaultEndpointsProtocol=https'],
    [400, 'TlsVersionNotPermitted', 'minimum TLS version'],
    [401, 'NoAuthenticationInformation', 'removes the header Authorization'],
    [409, 'BlobArchived', 'back to hot'],
    [403, undefined, 'with a connection string, check its key'],
    [403, 'Forbidden', 'with a connection string, check its key'],
    [403, 'PARSE_ERROR', 'with a connection string, check its key'],
    [403, 'NewRefusal', 'Look up NewRefusal at https://learn.microsoft.com/'],
    [401, 'NewRefusal', 'Look up NewRefusal at https://learn.microsoft.com/'],
  ])('with %i %s gets a fix of its own', (status, code, words) => {
    const error = storageRefusal(status, code);
    expect(error.code).toBe('storage_forbidden');
    expect(error.fix).toContain(words);
    expect(`${error.message} ${error.fix}`).not.toContain('canary');
    if (code !== undefined) expect(error.message).toContain(code);
    if (words.startsWith('Look up')) expect(error.fix).not.toContain('role');
  });

  it.each([
    [
      'InvalidAuthenticationInfo',
      'Lifetime validation failed. The token is expired.',
      'Synchronize the clock',
    ],
    ['InvalidAuthenticationInfo', 'Issuer validation failed. Issuer did not match.', 'Sign in to the tenant'],
    ['AuthenticationFailed', "Request date header too old: 'Mon'", 'Synchronize the clock'],
    [
      'AuthenticationFailed',
      'Signature not valid in the specified time frame: Start',
      'the time of this one is over',
    ],
    [
      'AuthenticationFailed',
      'The MAC signature found in the request is not the same',
      'Copy the connection string',
    ],
    ['AuthorizationPermissionMismatch', 'the lease has expired', 'the role Storage Blob Data Owner'],
  ])('with %s is told apart by its detail: %s', (code, detail, words) => {
    const { fix } = storageRefusal(401, code, detail);
    expect(fix).toContain(words);
    expect(fix).not.toContain(detail);
  });
});

describe('a failure of the storage account that is not a refusal', () => {
  const WAIT = 'DNS and the status of Azure';

  it.each([
    [404, 'ContainerNotFound', 'whether something deletes containers'],
    [404, 'BlobNotFound', 'whether something deletes blobs'],
    [409, 'ContainerBeingDeleted', 'until Azure has deleted the container'],
    [409, 'AccountBeingCreated', 'until Azure has created the storage account'],
    [400, 'InvalidResourceName', 'Correct the address of the blob service'],
    [404, 'ResourceNotFound', 'Correct the address of the blob service'],
    [409, 'InvalidBlobType', 'Delete the blob'],
    [409, 'NewConflict', 'Look up NewConflict at https://learn.microsoft.com/'],
    [400, 'NewRequest', 'Look up NewRequest at https://learn.microsoft.com/'],
    [409, 'LeaseAlreadyPresent', WAIT],
    [412, 'ConditionNotMet', WAIT],
    [412, 'NewCondition', WAIT],
    [429, 'TooManyRequests', WAIT],
    [500, 'InternalError', WAIT],
    [503, 'ServerBusy', WAIT],
    [404, undefined, WAIT],
    [400, 'BadRequest', WAIT],
  ])('with %i %s gets a fix of its own', (status, code, words) => {
    const error = storageRefusal(status, code);
    expect(error.code).toBe('storage_unavailable');
    expect(error.fix).toContain(words);
    if (words !== WAIT) expect(error.fix).not.toContain('DNS');
  });
});
