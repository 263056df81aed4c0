import { VaultError } from './errors.ts';
import type { VaultPolicies } from './types.ts';
import type { SetParameters } from './validation.ts';

const SECONDS_PER_DAY = 86_400;

/**
 * Refuses a new version as the built-in policies of Azure Policy do, with the effect deny:
 * https://github.com/Azure/azure-policy/tree/master/built-in-policies/policyDefinitions/Key%20Vault. Updates are not asked.
 * @param at epoch seconds
 */
export function requireAllowed(
  name: string,
  { contentType = '', attributes: { exp } }: SetParameters,
  policies: VaultPolicies,
  at: number,
): void {
  const { expirationRequired, contentTypeRequired, longestValidityDays, shortestRemainderDays } = policies;
  const latest = longestValidityDays === undefined ? undefined : at + longestValidityDays * SECONDS_PER_DAY;
  const earliest =
    shortestRemainderDays === undefined ? undefined : at + shortestRemainderDays * SECONDS_PER_DAY;
  if (expirationRequired && exp === undefined)
    throw denied(name, 'Key Vault secrets should have an expiration date');
  if (contentTypeRequired && contentType === '') throw denied(name, 'Secrets should have content type set');
  if (latest !== undefined && (exp === undefined || exp > latest))
    throw denied(name, 'Secrets should have the specified maximum validity period');
  if (earliest !== undefined && exp !== undefined && exp < earliest)
    throw denied(name, 'Secrets should have more than the specified number of days before expiration');
}

function denied(name: string, policy: string): VaultError {
  const identifiers = JSON.stringify([{ policyAssignment: { name: policy } }]);
  const message = `Secret ${name} was disallowed by policy. Policy identifiers: ${identifiers}`;
  return new VaultError(403, 'Forbidden', message, { innerCode: 'ForbiddenByPolicy' });
}
