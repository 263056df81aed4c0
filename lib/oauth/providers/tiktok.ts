import { CAREFUL_BEHAVIOR } from '../../rotation/core/connection.ts';
import { documented, HOUR_MS, NANGO, type ProviderProfile, USUAL_SIGN_IN } from './profile.ts';

const PAGE = documented('https://developers.tiktok.com/docs/en/oauth-refresh-a-user-access-token');

/** TikTok (login and content). Each use replaces the refresh token. */
export const tiktok: ProviderProfile = {
  id: 'tiktok',
  title: 'TikTok',
  tokenUri: 'https://open.tiktokapis.com/v2/oauth/token/',
  clientAuthentication: 'client_secret_post',
  reuse: 'single_use',
  behavior: {
    ...CAREFUL_BEHAVIOR,
    defaultExpiresInMs: 2 * HOUR_MS,
  },
  signIn: {
    ...USUAL_SIGN_IN,
    authorizationUri: 'https://www.tiktok.com/v2/auth/authorize/',
    noLoopback: 'TikTok takes only https redirect URIs, except with a port for a desktop app.',
  },
  needs: ['parameters.client_key'],
  note: 'TikTok calls the client id `client_key`: set `parameters.client_key` to it as well. Scopes are separated by commas.',
  source: 'https://developers.tiktok.com/docs/en/oauth-refresh-a-user-access-token',
  sources: {
    tokenUri: PAGE,
    clientAuthentication: PAGE,
    accessToken: documented('https://developers.tiktok.com/docs/zh-Hans/oauth-user-access-token-management'),
    reuse: PAGE,
    signIn: NANGO,
    redirect: documented('https://developers.tiktok.com/doc/login-kit-desktop/', '2026-11-26'),
  },
};
