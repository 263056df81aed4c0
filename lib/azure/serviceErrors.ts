import { RotatorError } from '../errors.ts';
import type { ServiceFailure } from './serviceFailure.ts';

/** The codes of one service of Azure. */
export type Service = 'vault' | 'storage';

/**
 * There is no token for a service, so that it was not asked.
 * @param what was to be done: "read the secret crm-refresh-token"
 * @param address of the vault, account or container, without a query
 */
export function notSignedIn(service: Service, what: string, address: string): RotatorError {
  return new RotatorError({
    code: `${service}_forbidden`,
    message: `Could not authenticate to ${address} to ${what}.`,
    fix: 'Assign the managed identity to the app and check its client id; outside Azure, sign in with az login.',
  });
}

/** A service did not do what it was asked to; that may pass. Parameters as in {@link notSignedIn}. */
export function unavailable(
  service: Service,
  what: string,
  address: string,
  failure: ServiceFailure,
): RotatorError {
  const problem = {
    code: `${service}_unavailable` as const,
    message: `Could not ${what} at ${address} (${described(failure)}).`,
    fix: "Wait a few minutes; if this lasts, check the address, its name resolution and Azure's status.",
  };
  return new RotatorError(problem, failure);
}

/** Status and codes of a failure, as they stand in parentheses. */
export function described({ status, codes }: ServiceFailure): string {
  if (codes.includes('DEADLINE')) return 'no answer in time';
  return [status || 'no answer', ...codes].join(', ');
}
