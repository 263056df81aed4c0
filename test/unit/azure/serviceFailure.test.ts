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

describe('a refusal by the storage account', () => {
  it.each([
    [403, 'KeyBasedAuthenticationNotPermitted', 'Set AzureWebJobsStorage__accountName instead'],
    [403, 'AuthorizationFailure', "the storage account's firewall"],
    [403, 'AuthorizationPermissionMismatch', 'the role Storage Blob Data Owner'],
    [403, 'AuthenticationFailed', 'Copy the connection string of the account'],
    [401, 'InvalidAuthenticationInfo', 'Sign in to the tenant of the storage account'],
    [403, 'AccountIsDisabled', 'Enable the storage account'],
    [409, 'BlobImmutableDueToPolicy', 'Remove the immutability policy'],
    [403, 'Unknown', 'with a connection string, check its key'],
  ])('with %i %s gets a fix of its own', (status, code, words) => {
    const thrown = { code, response: { status, headers: { get: () => undefined } } };
    const error = storageError(thrown, 'list the records', 'https://a.blob.core.windows.net');
    expect(error.code).toBe('storage_forbidden');
    expect(error.fix).toContain(words);
  });
});
