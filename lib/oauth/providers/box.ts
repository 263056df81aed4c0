import { CAREFUL_BEHAVIOR } from '../../rotation/core/connection.ts';
import { DAY_MS, documented, HOUR_MS, NANGO, type ProviderProfile, USUAL_SIGN_IN } from './profile.ts';

const PAGE = documented('https://developer.box.com/guides/authentication/tokens/refresh');

/** Box. A refresh token works once, within 60 days. */
export const box: ProviderProfile = {
  id: 'box',
  title: 'Box',
  tokenUri: 'https://api.box.com/oauth2/token',
  clientAuthentication: 'client_secret_post',
  reuse: 'single_use',
  behavior: {
    ...CAREFUL_BEHAVIOR,
    defaultExpiresInMs: HOUR_MS,
    refreshTokenIdleMs: 60 * DAY_MS,
  },
  signIn: { ...USUAL_SIGN_IN, authorizationUri: 'https://account.box.com/api/oauth2/authorize' },
  source: 'https://developer.box.com/guides/authentication/tokens/refresh',
  sources: {
    tokenUri: PAGE,
    clientAuthentication: NANGO,
    accessToken: documented(
      'https://developer.box.com/guides/authentication/tokens/access-tokens/',
      '2026-11-26',
    ),
    reuse: PAGE,
    refreshToken: PAGE,
    signIn: NANGO,
  },
};
