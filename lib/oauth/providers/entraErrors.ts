import type { ErrorMeaning, ErrorRule } from '../../rotation/core/tokenRequest.ts';
import {
  endedToken,
  mistake,
  refusedToken,
  rejectedClient,
  suspendedToken,
  throttled,
} from '../errorMeanings.ts';

const CONDITIONAL_ACCESS =
  'Find the policy in the sign-in logs, and exclude this account or application: the stored refresh token then works again. Otherwise, run rotator connect {connection}.';
const SIGN_IN_FREQUENCY =
  'Exclude this account from the sign-in frequency policy to prevent the error. Then run rotator connect {connection}.';
const TRUST =
  "Correct issuer, subject and audience of the application's federated credential: the subject is the object id of the rotator's identity, and the audience that in clientAssertionAudience of {connection} (see docs/clients.md).";
const TRY_AGAIN = 'Correct the clock of the machine, or wait: each request makes a new assertion.';
const TENANT = 'Set tenant, or the tenant in tokenUri, to the directory that the application belongs to.';

/** The name under which a number in `error_codes` is documented. No other provider has such numbers. */
export function nameOfNumber(number: number): string {
  return `AADSTS${number}`;
}

/** By the number after AADSTS. */
const MEANINGS: readonly (readonly [number: number, ErrorMeaning])[] = [
  [700082, endedToken('the refresh token expired because it was not used for 90 days')],
  [70008, endedToken('the refresh token expired because it was not used')],
  [50173, endedToken('the refresh token was revoked, by a changed or reset password or by an administrator')],
  [50132, endedToken('the session ended with a changed or expired password')],
  [50133, endedToken('the session ended with a changed or expired password')],
  [
    50053,
    suspendedToken(
      'the account is locked after too many failed sign-ins',
      'Wait until the account is unlocked, or unlock it: the stored refresh token then works again.',
    ),
  ],
  [
    50057,
    suspendedToken(
      'the account that signed in is disabled',
      'Enable the account: the stored refresh token then works again. Or sign in with another one and set {refreshToken} to its refresh token.',
    ),
  ],
  [
    50105,
    suspendedToken(
      'the account is not assigned to the application',
      'Assign the account to the application in Entra, under Enterprise applications: the stored refresh token then works again.',
    ),
  ],
  [
    700084,
    endedToken(
      'the refresh token belongs to a single-page application and ends after 24 hours',
      'Register the redirect URI under the platform Web instead of single-page application, then run rotator connect {connection}.',
    ),
  ],
  [
    65001,
    suspendedToken(
      'no user or administrator has consented to the permissions that the application requests',
      'Have an administrator grant consent to the application. If the stored refresh token still does not work, run rotator connect {connection}.',
    ),
  ],
  [50076, refusedToken('multi-factor authentication is required now')],
  [50078, refusedToken('the multi-factor authentication has expired')],
  [
    50079,
    refusedToken(
      'the account must register for multi-factor authentication',
      'Sign in interactively, register a second factor and set {refreshToken} to the new refresh token.',
    ),
  ],
  [53000, suspendedToken('a Conditional Access policy requires a compliant device', CONDITIONAL_ACCESS)],
  [53001, suspendedToken('a Conditional Access policy requires a joined device', CONDITIONAL_ACCESS)],
  [53003, suspendedToken('a Conditional Access policy blocks the sign-in', CONDITIONAL_ACCESS)],
  [70043, endedToken('Conditional Access limits how long a sign-in lasts', SIGN_IN_FREQUENCY)],
  [70044, endedToken('Conditional Access limits how long a sign-in lasts', SIGN_IN_FREQUENCY)],
  [
    7000215,
    rejectedClient(
      'the client secret is wrong',
      'Set {clientSecret} to the value of a client secret, not to its ID.',
    ),
  ],
  [
    7000222,
    rejectedClient(
      'the client secret has expired',
      'Create a new client secret and set {clientSecret} to it.',
    ),
  ],
  [
    700027,
    rejectedClient(
      'the signature made with the client certificate was refused',
      'Upload the certificate of clientKey of {connection} to the application, and remove no certificate that is in use.',
    ),
  ],
  [700024, rejectedClient('the time of the client assertion is over or has not come', TRY_AGAIN)],
  // Not on the page below. They come with invalid_request or invalid_client.
  // https://learn.microsoft.com/en-us/azure/devops/pipelines/release/troubleshoot-workload-identity
  ...[70021, 70025, 700211, 700212, 700213, 7002131, 7002137].map(
    (number) =>
      [
        number,
        mistake("the application does not trust this token of the rotator's identity", TRUST),
      ] as const,
  ),
  ...[700223, 700238].map(
    (number) =>
      [
        number,
        mistake(
          'a policy of the tenant forbids tokens of other identities as client credentials',
          'Have an administrator allow workload identity federation, or set clientAuthentication of {connection} to private_key_jwt.',
        ),
      ] as const,
  ),
  [
    7000112,
    mistake(
      'the application is disabled in the tenant',
      'Enable it in Entra, under Enterprise applications, for users to sign in.',
    ),
  ],
  [
    500011,
    mistake(
      'the resource of the token was not found in the tenant',
      'Correct serviceUrl, scope or resource of {connection}, and its tenant. Or have an administrator add the application of the resource to the tenant.',
    ),
  ],
  [
    700016,
    mistake('the application was not found in the tenant', 'Check the client id and the tenant in tokenUri.'),
  ],
  [90002, mistake('the tenant was not found', TENANT)],
  [50194, mistake('the application belongs to a single tenant, which must be named', TENANT)],
  [
    50196,
    throttled('the client sent the same request too often within a few minutes, which looks like a loop'),
  ],
  [90055, throttled('the tenant sends too many requests')],
];

/**
 * The numbers in Microsoft Entra's `error_codes` that say more than the `error` next to them; 50196 contradicts it.
 * Source: https://learn.microsoft.com/en-us/entra/identity-platform/reference-error-codes; for 50196
 * https://learn.microsoft.com/en-us/entra/identity-platform/reference-breaking-changes ("Looping clients").
 * Microsoft may change or omit codes: for a number that is not in this table, `error` decides. Entries of any profile may have an
 * address of Entra.
 */
export const entraErrors: readonly ErrorRule[] = MEANINGS.map(([number, means]) => ({
  // Only `invalid_client` itself proves that the provider did not check the refresh token.
  when: means.class === 'client_rejected' ? { number, error: 'invalid_client' } : { number },
  means,
  unmistakable: true,
}));
