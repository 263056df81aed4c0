import { CAREFUL_BEHAVIOR } from '../../rotation/core/connection.ts';
import { entraErrors } from './entraErrors.ts';
import { DAY_MS, documented, NANGO, type ProviderProfile, UNVERIFIED, USUAL_SIGN_IN } from './profile.ts';

const REFRESH_TOKENS = documented('https://learn.microsoft.com/en-us/entra/identity-platform/refresh-tokens');

/** Microsoft Entra ID. Each use returns a new refresh token, and the old one stays usable. */
export const entra: ProviderProfile = {
  id: 'entra',
  title: 'Microsoft Entra ID',
  tokenUri: 'https://login.microsoftonline.com/{tenant}/oauth2/v2.0/token',
  hosts: ['login.microsoftonline.us', 'login.partner.microsoftonline.cn'],
  tenant: {
    means: 'the directory id or a verified domain name',
    // Rather than `common`: the only difference is that it excludes personal Microsoft accounts, which no business application
    // uses. Applications of a single tenant must name theirs (AADSTS50194).
    otherwise: 'organizations',
  },
  // Entra returns a new refresh token only for this scope; without it, the old token expires after 90 days.
  addedScopes: ['offline_access'],
  // https://learn.microsoft.com/en-us/entra/identity-platform/v2-oauth2-client-creds-grant-flow
  clientScopeEnd: '/.default',
  clientAuthentication: 'client_secret_post',
  acceptsFederation: true,
  reuse: 'reusable',
  behavior: {
    ...CAREFUL_BEHAVIOR,
    refreshTokenGraceMs: Number.POSITIVE_INFINITY,
    refreshTokenIdleMs: 90 * DAY_MS,
    errors: entraErrors,
  },
  signIn: {
    ...USUAL_SIGN_IN,
    // The metadata cannot name them: the issuer of `organizations` is a pattern, not a valid address.
    authorizationUri: '/oauth2/v2.0/authorize',
    deviceUri: '/oauth2/v2.0/devicecode',
    // Entra accepts any port of localhost without registration, but no other loopback address.
    redirectUri: 'http://localhost/',
    // Entra issues a refresh token without it. With it, Entra would ask for an administrator's consent.
    promptsForConsent: false,
    scopes: ['offline_access'],
  },
  // Entra ID has no revocation endpoint. https://learn.microsoft.com/graph/api/user-revokesigninsessions
  revokeByHand: 'Revoke the sign-in sessions of the user in the Entra admin center.',
  note: 'Refresh tokens of single-page applications end after 24 hours, whatever is issued since. In a national cloud, set `tokenUri`, for example to `https://login.microsoftonline.us/TENANT/oauth2/v2.0/token`.',
  source: 'https://learn.microsoft.com/en-us/entra/identity-platform/refresh-tokens',
  sources: {
    tokenUri: NANGO,
    clientAuthentication: UNVERIFIED,
    accessToken: UNVERIFIED,
    reuse: REFRESH_TOKENS,
    refreshToken: REFRESH_TOKENS,
  },
};
