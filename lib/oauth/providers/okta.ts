import { CAREFUL_BEHAVIOR } from '../../rotation/core/connection.ts';
import { DAY_MS, documented, NANGO, type ProviderProfile, USUAL_SIGN_IN } from './profile.ts';

const REFRESH = documented('https://developer.okta.com/docs/guides/refresh-tokens/main/');

/**
 * Okta. If rotation is on, the used refresh token stays valid for the grace period of the application
 * (0 to 60 s, 30 s by default). A later use revokes the newest token as well.
 */
export const okta: ProviderProfile = {
  id: 'okta',
  title: 'Okta',
  // Of the organization or of one of its authorization servers: https://ORG.okta.com/oauth2/default/v1/token
  tokenPath: '/v1/token',
  clientAuthentication: 'client_secret_basic',
  reuse: 'grace',
  behavior: { ...CAREFUL_BEHAVIOR, refreshTokenGraceMs: 30_000, refreshTokenIdleMs: 7 * DAY_MS },
  signIn: { ...USUAL_SIGN_IN, takesScopeFromMetadata: true },
  revocationUri: '/v1/revoke',
  note: 'Whether refresh tokens rotate, their grace period and their lifetimes are settings of the application and of the authorization server. The values here are the defaults.',
  source: 'https://developer.okta.com/docs/guides/refresh-tokens/main/',
  sources: {
    tokenUri: REFRESH,
    clientAuthentication: NANGO,
    accessToken: REFRESH,
    reuse: REFRESH,
    refreshToken: REFRESH,
    revocation: documented('https://developer.okta.com/docs/guides/revoke-tokens/main/'),
  },
};
