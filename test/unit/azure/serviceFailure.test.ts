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
