import { CAREFUL_BEHAVIOR } from '../../rotation/core/connection.ts';
import { HOUR_MS, NANGO, type ProviderProfile, reported, UNVERIFIED, USUAL_SIGN_IN } from './profile.ts';

const REPORTED = reported('https://docs.devart.com/dotconnect/FreshBooks');

/** FreshBooks. Each use replaces the refresh token. */
export const freshbooks: ProviderProfile = {
  id: 'freshbooks',
  title: 'FreshBooks',
  tokenUri: 'https://api.freshbooks.com/auth/oauth/token',
  clientAuthentication: 'client_secret_post',
  reuse: 'single_use',
  behavior: {
    ...CAREFUL_BEHAVIOR,
    defaultExpiresInMs: 12 * HOUR_MS,
  },
  signIn: {
    ...USUAL_SIGN_IN,
    authorizationUri: 'https://auth.freshbooks.com/oauth/authorize',
    repeatsRedirectUri: true,
  },
  source: 'https://docs.devart.com/dotconnect/FreshBooks',
  sources: {
    tokenUri: NANGO,
    clientAuthentication: UNVERIFIED,
    accessToken: REPORTED,
    reuse: REPORTED,
    signIn: NANGO,
  },
};
