import { RotatorError } from '../errors.ts';
import type { ServiceFailure } from './serviceFailure.ts';
import type { SignInFailed } from './signInFailure.ts';

/** The codes of one service of Azure. */
export type Service = 'vault' | 'storage';

/**
 * The rotator has no token for a service, so it sent no request.
 * @param what the failed action: "read the secret crm-refresh-token"
 * @param address of the vault, account or container, without a query
 */
export function notSignedIn(
  service: Service,
  what: string,
  address: string,
  signIn: SignInFailed,
): RotatorError {
  return new RotatorError({
    code: `${service}_${signIn.passing ? 'unavailable' : 'forbidden'}`,
    message: `Could not authenticate to ${address} to ${what}: ${signIn.message}.`,
    fix: signIn.fix,
  });
}

/** A service failed, perhaps temporarily. Parameters as in {@link notSignedIn}. */
export function unavailable(
  service: Service,
  what: string,
  address: string,
  failure: ServiceFailure,
): RotatorError {
  const problem = {
    code: `${service}_unavailable` as const,
    message: `Could not ${what} at ${address} (${described(failure)}).`,
    fix: 'Wait a few minutes. If it continues, check the address, DNS and the status of Azure.',
  };
  return new RotatorError(problem, failure);
}

/** Status and codes of a failure, for the parentheses at the end of a message. */
export function described({ status, codes }: ServiceFailure): string {
  if (codes.includes('DEADLINE')) return 'no response in time';
  return [status || 'no response', ...codes].join(', ');
}
