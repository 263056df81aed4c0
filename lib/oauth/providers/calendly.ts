import { CAREFUL_BEHAVIOR } from '../../rotation/core/connection.ts';
import { documented, HOUR_MS, NANGO, type ProviderProfile, UNVERIFIED, USUAL_SIGN_IN } from './profile.ts';

const PAGE = documented('https://developer.calendly.com/docs/authentication/refresh-token-rotation-guide');

/** Calendly. A refresh token lives until it is used. */
export const calendly: ProviderProfile = {
  id: 'calendly',
  title: 'Calendly',
  tokenUri: 'https://auth.calendly.com/oauth/token',
  clientAuthentication: 'client_secret_post',
  reuse: 'single_use',
  behavior: {
    ...CAREFUL_BEHAVIOR,
    defaultExpiresInMs: 2 * HOUR_MS,
  },
  signIn: { ...USUAL_SIGN_IN, authorizationUri: '/oauth/authorize' },
  revocationUri: '/oauth/revoke',
  source: 'https://developer.calendly.com/docs/authentication/refresh-token-rotation-guide',
  sources: {
    tokenUri: NANGO,
    clientAuthentication: UNVERIFIED,
    accessToken: documented(
      'https://developer.calendly.com/how-to-access-calendly-data-on-behalf-of-authenticated-users',
    ),
    reuse: PAGE,
    refreshToken: documented(
      'https://developer.calendly.com/how-to-access-calendly-data-on-behalf-of-authenticated-users',
    ),
    signIn: NANGO,
    revocation: documented(
      'https://developer.calendly.com/how-to-access-calendly-data-on-behalf-of-authenticated-users',
    ),
  },
};
