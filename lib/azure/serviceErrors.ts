import { RotatorError } from '../errors.ts';
import type { ServiceFailure } from './serviceFailure.ts';
import type { SignInFailed } from './signInFailure.ts';

/** The codes of one service of Azure. */
type Service = 'vault' | 'storage';

/** A request that failed. */
export interface FailedRequest {
  readonly service: Service;
  /** The failed action: "read the secret crm-refresh-token". */
  readonly what: string;
  /** Of the vault, account or container, without a query. */
  readonly address: string;
}

/** The rotator has no token for a service, so it sent no request. */
export function notSignedIn({ service, what, address }: FailedRequest, signIn: SignInFailed): RotatorError {
  return new RotatorError({
    code: `${service}_${signIn.passing ? 'unavailable' : 'forbidden'}`,
    message: `Could not authenticate to ${address} to ${what}: ${signIn.message}.`,
    fix: signIn.fix,
  });
}

const WAIT = 'Wait a few minutes. If it continues, check the address, DNS and the status of Azure.';

/** A service failed, perhaps temporarily. */
export function unavailable(request: FailedRequest, failure: ServiceFailure, fix = WAIT): RotatorError {
  const { service, what, address } = request;
  const problem = {
    code: `${service}_unavailable` as const,
    message: `Could not ${what} at ${address} (${described(failure)}).`,
    fix,
  };
  return new RotatorError(problem, failure);
}

/** In a response with 401: the service does not accept the token now, but would at another time. */
export const SAYS_CLOCK = /not yet valid|expired|lifetime validation/i;
/** What to do about it. */
export const SYNCHRONIZE_CLOCK =
  'Synchronize the clock of this machine (NTP): the token is not valid at the time of the service.';

/** Status and codes of a failure, for the parentheses at the end of a message. */
export function described({ status, codes }: ServiceFailure): string {
  if (codes.includes('DEADLINE')) return 'no response in time';
  return [status || 'no response', ...codes].join(', ');
}

/** Codes that say no more than the status, and those of the SDK for a response that it cannot read. */
const GENERIC = /^(?:[A-Z_]+|Forbidden|Unauthorized|BadRequest|NotFound|Conflict)$/;

/**
 * What to do about a code that no list of this program holds.
 * @param reference the page with the service's codes
 * @returns undefined if the service gave no code of its own
 */
export function lookUp({ codes }: ServiceFailure, reference: string): string | undefined {
  const code = codes.findLast((each) => !GENERIC.test(each));
  return code === undefined ? undefined : `Look up ${code} at ${reference}.`;
}
