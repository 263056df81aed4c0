import { CAREFUL_BEHAVIOR } from '../../rotation/core/connection.ts';
import { DAY_MS, documented, NANGO, type ProviderProfile, USUAL_SIGN_IN } from './profile.ts';

const PAGE = documented(
  'https://learn.microsoft.com/en-us/linkedin/shared/authentication/programmatic-refresh-tokens',
);

/** LinkedIn. The refresh token stays the same for 365 days from the consent, and its use does not extend them. */
export const linkedin: ProviderProfile = {
  id: 'linkedin',
  title: 'LinkedIn',
  tokenUri: 'https://www.linkedin.com/oauth/v2/accessToken',
  clientAuthentication: 'client_secret_post',
  reuse: 'reusable',
  behavior: {
    ...CAREFUL_BEHAVIOR,
    refreshTokenGraceMs: Number.POSITIVE_INFINITY,
    defaultExpiresInMs: 60 * DAY_MS,
    refreshTokenAbsoluteMs: 365 * DAY_MS,
  },
  signIn: { ...USUAL_SIGN_IN, authorizationUri: '/oauth/v2/authorization' },
  note: 'Only approved partners get refresh tokens.',
  source: 'https://learn.microsoft.com/en-us/linkedin/shared/authentication/programmatic-refresh-tokens',
  sources: {
    tokenUri: NANGO,
    clientAuthentication: NANGO,
    accessToken: PAGE,
    reuse: PAGE,
    refreshToken: PAGE,
    signIn: NANGO,
  },
};
