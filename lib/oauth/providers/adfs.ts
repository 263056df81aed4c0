import { CAREFUL_BEHAVIOR } from '../../rotation/core/connection.ts';
import { documented, HOUR_MS, type ProviderProfile, UNVERIFIED, USUAL_SIGN_IN } from './profile.ts';

const PAGE = documented(
  'https://learn.microsoft.com/en-us/windows-server/identity/ad-fs/operations/ad-fs-single-sign-on-settings',
);

/**
 * AD FS on premises. With the default settings no connection outlives 8 hours: a new refresh token is issued only if it would
 * live longer than the old one.
 */
export const adfs: ProviderProfile = {
  id: 'adfs',
  title: 'AD FS',
  tokenUri: 'https://{tenant}/adfs/oauth2/token',
  tenant: { means: 'the host name of the federation service' },
  clientAuthentication: 'client_secret_post',
  reuse: 'unknown',
  behavior: {
    ...CAREFUL_BEHAVIOR,
    defaultExpiresInMs: HOUR_MS,
    refreshTokenAbsoluteMs: 8 * HOUR_MS,
  },
  signIn: { ...USUAL_SIGN_IN, authorizationUri: '/adfs/oauth2/authorize' },
  note: 'With the default settings, a sign-in lasts for 8 hours, or for 24 hours with "keep me signed in". Registered devices get 7 days (2012 R2) or 90 days (2016). AD FS of 2012 R2 and 2016 needs `resource`. Set `allowPrivateNetwork` if the server is in your network.',
  source:
    'https://learn.microsoft.com/en-us/windows-server/identity/ad-fs/operations/ad-fs-single-sign-on-settings',
  sources: {
    tokenUri: UNVERIFIED,
    clientAuthentication: UNVERIFIED,
    accessToken: PAGE,
    reuse: PAGE,
    refreshToken: PAGE,
    signIn: UNVERIFIED,
  },
};
