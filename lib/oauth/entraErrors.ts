import { fixes } from './fixes.ts';
import {
  endedToken,
  type KnownError,
  mistake,
  refusedToken,
  rejectedClient,
  suspendedToken,
  throttled,
} from './knownError.ts';

/**
 * The numbers in Microsoft Entra's `error_codes` that say more than the `error` next to them.
 * Source: https://learn.microsoft.com/en-us/entra/identity-platform/reference-error-codes; for 50196
 * https://learn.microsoft.com/en-us/entra/identity-platform/reference-breaking-changes ("Looping clients").
 * Microsoft may change or omit codes: for a number that is not in this table, `error` decides.
 */
export const entraErrors: ReadonlyMap<number, KnownError> = new Map([
  [700082, endedToken('the refresh token expired because it was not used for 90 days')],
  [70008, endedToken('the refresh token expired because it was not used')],
  [50173, endedToken('the refresh token was revoked, by a changed or reset password or by an administrator')],
  [50132, endedToken('the session ended with a changed or expired password')],
  [50133, endedToken('the session ended with a changed or expired password')],
  [50053, suspendedToken('the account is locked after too many failed sign-ins', fixes.lockedAccount)],
  [50057, suspendedToken('the account that signed in is disabled', fixes.account)],
  [50105, suspendedToken('the account is not assigned to the application', fixes.assignment)],
  [
    700084,
    endedToken(
      'the refresh token belongs to a single-page application and ends after 24 hours',
      fixes.webPlatform,
    ),
  ],
  [
    65001,
    suspendedToken(
      'no user or administrator has consented to the permissions that the application requests',
      fixes.consent,
    ),
  ],
  [50076, refusedToken('multi-factor authentication is required now')],
  [50078, refusedToken('the multi-factor authentication has expired')],
  [50079, refusedToken('the account must register for multi-factor authentication', fixes.registration)],
  [53000, suspendedToken('a Conditional Access policy requires a compliant device', fixes.conditionalAccess)],
  [53001, suspendedToken('a Conditional Access policy requires a joined device', fixes.conditionalAccess)],
  [53003, suspendedToken('a Conditional Access policy blocks the sign-in', fixes.conditionalAccess)],
  [70043, endedToken('Conditional Access limits how long a sign-in lasts', fixes.signInFrequency)],
  [70044, endedToken('Conditional Access limits how long a sign-in lasts', fixes.signInFrequency)],
  [7000215, rejectedClient('the client secret is wrong', fixes.secretValue)],
  [7000222, rejectedClient('the client secret has expired', fixes.newSecret)],
  [700027, rejectedClient('the signature made with the client certificate was refused', fixes.certificate)],
  [700016, mistake('the application was not found in the tenant', fixes.application)],
  [90002, mistake('the tenant was not found', fixes.tenant)],
  [50194, mistake('the application belongs to a single tenant, which must be named', fixes.tenant)],
  [
    50196,
    throttled('the client sent the same request too often within a few minutes, which looks like a loop'),
  ],
  [90055, throttled('the tenant sends too many requests')],
]);
